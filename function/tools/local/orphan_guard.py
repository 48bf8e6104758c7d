"""Ends the children of a process that was killed: the groups named on standard input, one a line, once it closes.

A process of its own, and started by its path: it must outlive the one it guards, and need nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from types import TracebackType


class OrphanGuard:
    """The guard of this process, as a context manager; `add` names a child's process group."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> OrphanGuard:
        command = [sys.executable, "-S", "-E", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()  # before its input closes: the numbers may be others' by now
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()

    def add(self, group: int) -> None:
        """End this group when we are gone."""
        if self._process is not None and self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{group}\n")
                self._process.stdin.flush()


def main() -> None:
    """Wait for the end of the input; no signal of a terminal ends this earlier."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for group in [int(line) for line in sys.stdin]:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
