"""The process's budget for pixels: how many bytes, and how many threads, may work on them at once.

At most one pair a core does pixel work. Without this, the CPU-bound stages of eight pairs time-slice, all reach their
model call at the same moment, and the CPU then idles; and eight huge pairs at once would not fit into memory.
"""

from __future__ import annotations

import os
import threading
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from itertools import count
from pathlib import Path

from function.deadline import Deadline
from function.errors import DeadlineExceededError

CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# What the process needs without any pixels: libraries (about 250 MiB), and of eight events that wait for the network
# the images' own bytes (50 MiB at most each) and analyses.
RESERVED_BYTES = 650 * 2**20
MIN_BYTES = 500 * 2**20  # one picture of 64 megapixels has to be possible, at 8 bytes a pixel
MAX_BYTES = 550 * 2**20  # two cores have no use for more at once, and eight huge pairs stay under 1.7 GiB
RETAINED_SHARE = 0.4  # of the working bytes, besides them, for pixels that wait for the model's answer


class Priority(IntEnum):
    """Whose work comes first: the shortest, so that all wait the least."""

    BEFORE_MODEL = 0  # the model's ten seconds begin the sooner
    FINISH = 1
    EXAMINE = 2


class MemoryBudget:
    """A priority semaphore over bytes and workers: by priority, then first come, first served. A request larger than
    the budget is clamped to it and runs alone.

    A second budget, `retained_bytes`, covers pixels that are kept during the model call. It never blocks, so a thread
    that waits for working memory cannot be stuck behind a network call.
    """

    def __init__(self, total_bytes: int, workers: int, retained_bytes: int = 0):
        self._total = self._free = total_bytes
        self._idle = workers
        self._retainable = retained_bytes
        self._queue: list[tuple[Priority, int]] = []  # sorted: the priority, and the number of the arrival
        self._arrivals = count()
        self._changed = threading.Condition()
        self._thread = threading.local()

    @classmethod
    def of_process(cls) -> MemoryBudget:
        """Sized from this process's memory limit and cores."""
        room = int((memory_limit_bytes() - RESERVED_BYTES) * 0.9)
        working = max(MIN_BYTES, min(MAX_BYTES, int(room / (1 + RETAINED_SHARE))))
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return cls(working, cores or 1, max(0, min(int(RETAINED_SHARE * working), room - working)))

    @contextmanager
    def acquire(self, wanted_bytes: int, deadline: Deadline, priority: Priority = Priority.EXAMINE) -> Iterator[None]:
        """Wait for `wanted_bytes` and a worker's slot, hold both for the block.

        Raises DeadlineExceededError, and RuntimeError in a thread that holds some already: two such threads would wait
        for each other.
        """
        if self.held_by_this_thread():
            raise RuntimeError("this thread holds working memory already")
        wanted = min(wanted_bytes, self._total)
        with self._changed:
            ticket = (priority, next(self._arrivals))
            insort(self._queue, ticket)
            try:
                ready = self._changed.wait_for(
                    lambda: self._queue[0] == ticket and self._idle and self._free >= wanted,
                    timeout=deadline.remaining(),
                )
                if not ready:
                    raise DeadlineExceededError("timed out waiting for a processing slot", stage="prepare")
                self._free -= wanted
                self._idle -= 1
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        self._thread.held = True
        try:
            yield
        finally:
            self._thread.held = False
            with self._changed:
                self._free += wanted
                self._idle += 1
                self._changed.notify_all()

    def fits(self, wanted_bytes: int) -> bool:
        """Whether `acquire` would give so much without clamping."""
        return wanted_bytes <= self._total

    def held_by_this_thread(self) -> bool:
        """Whether the calling thread is inside `acquire`."""
        return getattr(self._thread, "held", False)

    def retain(self, wanted_bytes: int) -> bool:
        """Whether so many bytes may be retained; what was granted is given back with `release_retained`."""
        with self._changed:
            if wanted_bytes > self._retainable:
                return False
            self._retainable -= wanted_bytes
            return True

    def keep(self, needed_bytes: int) -> None:
        """As `retain`, of bytes that cannot be done without: nothing may be retained until they are given back where
        they are more than there is."""
        with self._changed:
            self._retainable -= needed_bytes

    def release_retained(self, retained_bytes: int) -> None:
        """The end of `retain`, and of `keep`."""
        with self._changed:
            self._retainable += retained_bytes


def memory_limit_bytes() -> int:
    """The container's memory limit, or the machine's memory."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in CGROUP_LIMITS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():
            return min(physical, int(text))
    return physical
