"""Which models are asked for a picture, in which order, and which are passed over for now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from function.generation.models import model_table

MISSING_CACHE_S = 600.0  # that a 404 is remembered: access to a model is granted by people, not within seconds


@dataclass(frozen=True)
class SkippedCandidate:
    """A model of the chain that is not asked, and why."""

    id: str
    reason: str


class ModelChain:
    """The chain of this process, and what it has learnt of its models. Thread-safe.

    `location` is that of Vertex AI (None: the Gemini API); a model that it does not serve is never asked, for no
    request leaves the location that was chosen.
    """

    def __init__(self, chain: Sequence[str], location: str | None, clock: Callable[[], float] = time.monotonic):
        self._chain, self._location, self._clock = tuple(chain), location, clock
        self._missing_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def candidates(self, requested: str | None) -> tuple[list[str], list[SkippedCandidate]]:
        """The models to ask for a pair, `requested` first, and those that are passed over.

        A 404 of the last MISSING_CACHE_S passes a model over; when that leaves none, all are asked again.
        """
        served, skipped = [], []
        for model_id in dict.fromkeys([requested, *self._chain] if requested else self._chain):
            row = model_table().find(model_id)
            if row.is_served_in(self._location):
                served.append(model_id)
            else:
                skipped.append(SkippedCandidate(model_id, not_served(model_id, self._location)))
        now = self._clock()
        with self._lock:
            missing = [model_id for model_id in served if self._missing_until.get(model_id, now) > now]
        if len(missing) == len(served):
            return served, skipped
        skipped += [SkippedCandidate(model_id, "answered 404 a short while ago") for model_id in missing]
        return [model_id for model_id in served if model_id not in missing], skipped

    def note_missing(self, model_id: str) -> None:
        """A model answered 404."""
        with self._lock:
            self._missing_until[model_id] = self._clock() + MISSING_CACHE_S


def not_served(model_id: str, location: str | None) -> str:
    """Why a location does not do for a model, in words."""
    where = ", ".join(model_table().find(model_id).locations or ())
    return f"{location} does not serve it; GOOGLE_CLOUD_LOCATION would have to be {where}"
