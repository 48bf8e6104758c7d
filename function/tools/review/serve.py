"""`python -m function review --serve`: the page with its buttons, until Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
from pathlib import Path

from function.storage.client import Storage
from function.tools.review.live import Live
from function.tools.review.server import ReviewServer
from function.tools.review.who import who


def serve_review(storage: Storage, source: str, folder: Path | None, *, port: int, full: bool | None, by: str) -> int:
    """Serve the pairs under `source` until Ctrl-C, SIGTERM or the end of its terminal. Pictures go to `folder`, or to
    one that is deleted then.

    Raises StorageUnavailableError, AccessDeniedError, ValueError, OSError (the port is taken, the folder cannot be
    written).
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="review-")))
        print(f"reading {source} …", flush=True)
        live = stack.enter_context(Live(storage, source, place, full))
        server = stack.enter_context(ReviewServer(live, by or who(), port))
        print(
            f"review: {server.url}\nOnly this machine can open it. Ctrl-C ends it; decisions are in the bucket.",
            flush=True,
        )
        ended.wait()
    return 0
