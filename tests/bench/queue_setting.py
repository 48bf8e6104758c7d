"""What a simulated catalogue is uploaded to, what goes wrong meanwhile, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from function.generation.models import model_table
from function.generation.pricing import typical_usd

# As infra/dead_letters.tf and infra/variables.tf have them; a test compares.
RETENTION_DAYS = 31
CALLS_A_MINUTE, PAIR_S, CONCURRENCY = 60, 8, 4

PICTURES_AGAIN = 0.2  # of the pairs take a second picture
FAILED = 0.005  # of the pairs are settled as failed: the model refuses, an image is broken
IN_REVIEW = 0.1
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
PRICE_USD = typical_usd(model_table().find("gemini-2.5-flash-image"))


@dataclass(frozen=True)
class Period:
    """From when to when (seconds) something is not as it should be."""

    start: float = 0.0
    end: float = 0.0

    def __contains__(self, now: float) -> bool:
        return self.start <= now < self.end


NEVER = Period()


@dataclass(frozen=True)
class Setting:
    """What is uploaded, at midnight UTC, to what, and what goes wrong meanwhile."""

    rows: int
    calls_a_minute: int = CALLS_A_MINUTE
    quota: int | None = None  # calls a minute that the model takes in truth; None: as many as were said
    max_usd_per_day: float | None = None
    failed: float = FAILED
    in_review: float = IN_REVIEW
    pictures_again: float = PICTURES_AGAIN
    usd_a_picture: float = PRICE_USD
    refused: Period = NEVER  # the trigger may not call: 403
    crashing: Period = NEVER  # an instance dies of each delivery: 500, and no line of ours
    paused: Period = NEVER  # by `pause`: 503
    holds_back: bool = True  # slow start and push back-off
    retention_days: float = RETENTION_DAYS
    redrive_after_s: float | None = None  # so long after the queue has run empty, the dead letters are delivered again

    @property
    def places(self) -> int:
        """Deliveries at work at once: instances x concurrency, as infra/function.tf derives them."""
        slots = max(1, int(self.calls_a_minute * PAIR_S / 60))
        concurrency = min(CONCURRENCY, slots)
        return max(1, slots // concurrency) * concurrency


@dataclass
class QueueRun:
    """What came of it. `counts`: of a metric with its labels, by minute; `gauges`: of a metric, by minute."""

    settled: int = 0
    deliveries: int = 0
    most_deliveries: int = 0
    dead_letters: int = 0
    dropped: int = 0  # older than the retention
    redrives: int = 0
    seconds: float = 0.0
    counts: dict[tuple[str, ...], dict[int, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    gauges: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, now: float, *metric: str, amount: float = 1.0) -> None:
        """Count something, in the minute of `now`."""
        self.counts[metric][int(now // MINUTE_S)] += amount
