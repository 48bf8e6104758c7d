"""Child processes of the local emulation: started, waited for, and always ended."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from function.tools.local.orphan_guard import OrphanGuard

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
ORPHANS_TIMEOUT_S = 2.0  # where process 1 does not collect orphans, they stay listed, dead
POLL_S = 0.05
PORTS = range(20_000, 32_768)  # from 32,768 on Linux gives them to outgoing connections


class StartError(Exception):
    """A child process ended, or did not listen in time; the message holds the end of what it printed."""


def free_port() -> int:
    """A TCP port of the loopback interface that is free now, and that no connection gets by itself until it is used."""
    while True:
        port = random.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def check_port_is_free(port: int) -> None:
    """Raises StartError where a program listens on it already."""
    if _answers(port):
        raise StartError(f"port {port} is taken by another program; end that one, or say --port 0 to take a free one")


class Process:
    """One child that serves on `port`. A context manager: it listens on entry and is gone on exit.

    What it prints goes to `log_file`. It leads a process group of its own, so that Ctrl-C reaches us alone and its
    children end with it; `guard` ends it should we be killed.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        port: int,
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        guard: OrphanGuard | None = None,
    ):
        self._command = [str(part) for part in command]
        self._environment = {**os.environ, **(environment or {})}
        self._log_file = log_file
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None
        self.stop_timeout_s = STOP_TIMEOUT_S
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    @property
    def pid(self) -> int:
        """The child's process id. Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    def __enter__(self) -> Process:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until the port answers. Raises StartError."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment,
                start_new_session=True,
            )  # fmt: skip
        if self._guard:
            self._guard.add(self._process.pid)
        give_up = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > give_up:
                self.stop()
                last = self._log_file.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise StartError(f"{' '.join(self._command[:4])} … did not start:\n{last}")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """kill -9, and wait until the children are gone too, with what they held; a crash, for tests."""
        if self._process is None:
            return
        group = self._process.pid
        self._signal(signal.SIGKILL)
        self._reap()
        give_up = time.monotonic() + ORPHANS_TIMEOUT_S
        while _is_there(group) and time.monotonic() < give_up:
            time.sleep(POLL_S / 10)

    def stop(self) -> None:
        """Ask to end, and kill when that takes too long."""
        self._signal(signal.SIGTERM)
        try:
            self._reap(self.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def _reap(self, timeout: float | None = None) -> None:
        if self._process is not None:
            self._process.wait(timeout)
            self._signal(signal.SIGKILL)  # whatever of its group has outlived it
            self._process = None

    def _signal(self, number: int) -> None:
        if self._process is not None:
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                return


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def function_server(
    log_file: Path,
    environment: Mapping[str, str],
    *,
    target: str = "composite",
    port: int | None = None,
    guard: OrphanGuard | None = None,
) -> Process:
    """The real functions-framework server on this repository's main.py."""
    port = port or free_port()
    main = Path(__file__).parents[3] / "main.py"
    signature = "http" if target == "composite_http" else "cloudevent"
    command: list[str | Path] = [
        sys.executable, "-m", "functions_framework", "--source", main, "--target", target,
        "--signature-type", signature, "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    return Process(command, port, log_file, {"THREADS": "8", "PYTHONUNBUFFERED": "1", **environment}, guard)
