"""Holds back what the model answers until the test has done what has to happen meanwhile, however long that takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from tests.support import PATIENCE_S


@contextmanager
def held_model(gemini: Any, calls: int | None = None) -> Iterator[threading.Event]:
    """The model is asked, and answers when the event that this gives is set, or at the end of the block.

    `calls`: only so many of the next calls are held, and later ones are answered at once.
    """
    released, number, take = threading.Event(), count(), gemini.faults.take

    def hold(request: Any) -> Any:
        fault = take(request)
        if calls is None or next(number) < calls:
            released.wait(PATIENCE_S)
        return fault

    gemini.faults.take = hold
    try:
        yield released
    finally:
        del gemini.faults.take  # the class's own is found again
        released.set()
