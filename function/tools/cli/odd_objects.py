"""Objects that a command cannot use. It names each of them once, and goes on with the others."""

from __future__ import annotations

import sys
import threading

from function.storage.names import gs_uri


class OddObjects:
    """Says of objects what is odd about them, on standard error. Thread-safe."""

    def __init__(self) -> None:
        self._named: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def name(self, bucket: str, name: str, why: str) -> None:
        """Say it, unless it has been said."""
        with self._lock:
            if (bucket, name, why) not in self._named:
                self._named.add((bucket, name, why))
                print(f"note: {shown(gs_uri(bucket, name))}: {why}", file=sys.stderr, flush=True)


def shown(text: str) -> str:
    """A name as one line that does nothing to a terminal: what cannot be printed is written as an escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
