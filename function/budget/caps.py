"""What may be spent, as the environment says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caps:
    """USD; None: no cap. `waits`: a day's cap is waited for by redelivery, instead of recorded as a failure."""

    day_usd: float | None = None
    catalogue_usd: float | None = None
    waits: bool = True
