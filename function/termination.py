"""Hears in the worker, at once, that the instance is to end; requests in work would keep `atexit` waiting too long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

# A SimpleQueue may be put to in a signal handler, which must not wait for a lock that its own thread holds.
_asked_to_end: queue.SimpleQueue[None] = queue.SimpleQueue()


def listen() -> None:
    """For the process that forks the workers, before it does: they take SIGTERM with their class's `handle_exit`,
    and no hook of gunicorn's is called then."""
    end_gracefully = ThreadWorker.handle_exit

    def handle_exit(worker: ThreadWorker, number: int, frame: Any) -> None:
        _asked_to_end.put(None)
        end_gracefully(worker, number, frame)

    ThreadWorker.handle_exit = handle_exit


def on_termination(act: Callable[[], None]) -> None:
    """Call `act` once, in a thread of its own, when this worker is asked to end."""

    def wait() -> None:
        _asked_to_end.get()
        act()

    threading.Thread(target=wait, name="termination", daemon=True).start()
