"""How long each stage of a run took."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from function.sidecar.record import Timings

logger = logging.getLogger(__name__)


class StageTimes:
    """Seconds by stage, since it was made."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._started = monotonic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage (a field of Timings); entering it again adds up."""
        start = monotonic()
        try:
            yield
        finally:
            spent = monotonic() - start
            self._seconds[name] = self._seconds.get(name, 0.0) + spent
            logger.debug("%s done", name, extra={"stage": name, "duration_ms": round(spent * 1000)})

    def timings(self) -> Timings:
        """Milliseconds by stage so far."""
        spent = {name: round(seconds * 1000) for name, seconds in self._seconds.items()}
        return Timings(**spent, total=round((monotonic() - self._started) * 1000))
