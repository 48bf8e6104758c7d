"""HTTP connections for `requests` that stop reading when a call's time is over.

The client's own timeout is on silence: an answer that trickles in byte by byte is never silent, and would hold an event
far beyond its deadline.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# A download asks for 8 KiB at a time; a system call for each would take half of its CPU.
_READ_AHEAD_BYTES = 1 << 16
_call = threading.local()  # `end` on the monotonic clock, of the call that this thread makes


@contextmanager
def read_deadline(seconds: float) -> Iterator[None]:
    """Calls in the block raise a timeout when they still read after so many seconds."""
    _call.end = time.monotonic() + seconds
    try:
        yield
    finally:
        _call.end = None


class DeadlineAdapter(HTTPAdapter):
    """Makes connections that heed `read_deadline`."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Put our kinds of connections into the pools."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _DeadlinePool, "https": _SecureDeadlinePool}


class _DeadlineConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = _DeadlineSocket(self.sock)


class _SecureDeadlineConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = _DeadlineSocket(self.sock)


class _DeadlinePool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnection


class _SecureDeadlinePool(HTTPSConnectionPool):
    ConnectionCls = _SecureDeadlineConnection


class _DeadlineSocket:
    """A connected socket whose answers are read against the clock."""

    def __init__(self, sock: socket.socket):
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """What http.client reads an answer from."""
        return io.BufferedReader(_DeadlineReader(self._sock), _READ_AHEAD_BYTES)


class _DeadlineReader(io.RawIOBase):
    def __init__(self, sock: socket.socket):
        self._sock, self._read_timeout_s = sock, sock.gettimeout()
        self._file = sock.makefile("rb", buffering=0)  # keeps the socket open until the answer is read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        end = getattr(_call, "end", None)
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer came too slowly")
            self._sock.settimeout(left if self._read_timeout_s is None else min(left, self._read_timeout_s))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
