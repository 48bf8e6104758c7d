"""Work in a child process of its own, within limits: what it cost, and whether it ended at all."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

CPU_LIMIT_S = 20
MEMORY_LIMIT_BYTES = 3 << 30  # of addresses, beyond what the parent has
WALL_LIMIT_S = 180


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: seconds of CPU, the growth of its peak memory, and what it said of itself."""

    cpu_s: float
    peak_bytes: int
    outcome: str
    died: bool = False


def limited(work: Callable[[], str], cpu_limit_s: int = CPU_LIMIT_S) -> Cost:
    """Run `work` in a fork of this process, which must have no other threads; it says in a sentence how it went.

    An exception of it becomes the outcome `TypeName: message`. One that runs out of its limits, or crashes, has died.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing, cpu_limit_s)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status, usage = os.wait4(child, 0)
    if not said:
        how = f"died of signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"ended with {status}"
        return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, how, died=True)
    return Cost(**json.loads(said))


def _work(work: Callable[[], str], pipe: int, cpu_limit_s: int) -> None:
    """The child's part; does not return."""
    try:
        now = resource.getrusage(resource.RUSAGE_SELF)
        used = int(now.ru_utime + now.ru_stime)
        resource.setrlimit(resource.RLIMIT_CPU, (used + cpu_limit_s, used + cpu_limit_s + 1))
        memory = _status("VmSize") + MEMORY_LIMIT_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        signal.alarm(WALL_LIMIT_S)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again (proc(5))
        before, start = _status("VmHWM"), time.process_time()
        try:
            outcome = work()
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is what the work came to)
            outcome = f"{type(error).__name__}: {error}"
        cost = Cost(time.process_time() - start, _status("VmHWM") - before, outcome)
        os.write(pipe, json.dumps(asdict(cost)).encode()[: 1 << 16])
    finally:
        os._exit(0)


def _status(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) << 10
