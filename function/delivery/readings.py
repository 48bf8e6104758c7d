"""The bodies that are on their way: each has its time, and slow ones do not hold every thread of the server.

The server gives each request a thread before its body is there. Bodies that trickle could hold all threads until their
time is over, and no other request would be served.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

GRACE_S = 2.0  # no body counts as slow before: slow starts of TCP and of callers are over by then
# No caller that sends a picture is slower than this: 32 MiB would take nine minutes, and get half a minute.
MIN_BYTES_PER_S = 64 * 1024
# Servers under which functions-framework runs, and where each puts a request's connection.
CONNECTIONS = ("gunicorn.socket", "werkzeug.socket")


class Reading:
    """One body on its way. `size`: bytes that have come; `ended_for`: why no more is read, "" while there is."""

    def __init__(self, environ: Mapping[str, Any]):
        self.size, self.ended_for = 0, ""
        self._began = time.monotonic()
        self._connection = next((environ[name] for name in CONNECTIONS if environ.get(name)), None)

    def bytes_per_s(self) -> float:
        """So far."""
        return self.size / max(time.monotonic() - self._began, 1e-3)

    def end(self, reason: str) -> None:
        """Shut the connection's reading side: a read that waits has reached the end.

        A timeout on the connection itself would restart with every byte.
        """
        self.ended_for = self.ended_for or reason
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)


class Readings:
    """All bodies that are on their way to this process. Of those longer than GRACE_S, at most half of the `threads`
    may be slower than MIN_BYTES_PER_S: beyond that the slowest is given up at once. Thread-safe."""

    def __init__(self, threads: int):
        self._max_slow = threads // 2
        self._long: list[Reading] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def reading(self, within_s: float, environ: Mapping[str, Any]) -> Iterator[Reading]:
        """The body of one request, which is read during the block and for no longer than `within_s`."""
        reading = Reading(environ)
        out_of_time = f"the request did not arrive within {within_s:g} seconds"
        timers = [_timer(within_s, reading.end, out_of_time)]
        if within_s > GRACE_S:
            timers.append(_timer(GRACE_S, self._takes_long, reading))
        try:
            yield reading
        finally:
            for timer in timers:
                timer.cancel()
            with self._lock, contextlib.suppress(ValueError):
                self._long.remove(reading)

    def _takes_long(self, reading: Reading) -> None:
        with self._lock:
            self._long.append(reading)
            slow = [one for one in self._long if one.bytes_per_s() < MIN_BYTES_PER_S and not one.ended_for]
            if len(slow) > self._max_slow:
                slowest = min(slow, key=Reading.bytes_per_s)
                slowest.end("the request arrives too slowly while others do, too; try again, or send it faster")


def _timer(seconds: float, act: Any, *arguments: Any) -> threading.Timer:
    timer = threading.Timer(seconds, act, arguments)
    timer.daemon = True
    timer.start()
    return timer
