"""What people decided, beside what the function had said: counted pair by pair, in a memory that does not grow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from function.tools.cli.shares import wilson

Decision = Literal["accept", "reject"]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

# Risks between which decisions are counted, and below which pictures might be accepted without a look.
BIN_EDGES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
# With fewer decisions of either kind a share is known to within a fifth or worse.
MIN_DECISIONS = 30
# Names of checks and of calibrations are whatever a sidecar says: of so many different ones the first are counted.
MAX_NAMES = 64


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Risk(_Part):
    """A recorded risk."""

    value: Probability
    calibration: str = ""


class Check(_Part):
    """Whether a check passed."""

    passed: bool


class Attempt(_Part):
    """One picture that was asked for."""

    usd: float | None = Field(None, ge=0, allow_inf_nan=False)
    risk: Risk | None = None


class Result(_Part):
    """The picture."""

    uri: str


class Manifest(_Part):
    """What it was made from."""

    generation: int


class Settled(_Part):
    """What is read of a pair's sidecar."""

    status: Literal["accepted", "review", "failed"]
    manifest: Manifest
    result: Result | None = None
    risk: Risk | None = None
    checks: dict[str, Check] = {}
    attempts: list[Attempt] = []


@dataclass
class AtThreshold:
    """What accepting every picture below a risk without a look would mean.

    looked_at    pictures at or above it, which a person would look at
    bad, good    decided pictures below it, by what was decided: `bad` would have been let through
    saved_usd    what was paid for pictures after a first one below it
    """

    threshold: float
    looked_at: int = 0
    bad: int = 0
    good: int = 0
    saved_usd: float = 0.0


@dataclass
class Tally:
    """The counts. Pairs without a picture, and pictures without a recorded risk, count in their own numbers only."""

    pairs: int = 0
    without_picture: int = 0
    without_risk: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    decided: Counter[tuple[str, Decision]] = field(default_factory=Counter)  # by status
    by_risk: Counter[tuple[int, Decision]] = field(default_factory=Counter)  # by bin
    by_check: Counter[tuple[str, bool, Decision]] = field(default_factory=Counter)  # by name and whether it passed
    calibrations: Counter[str] = field(default_factory=Counter)
    thresholds: list[AtThreshold] = field(default_factory=lambda: [AtThreshold(one) for one in THRESHOLDS])

    def add(self, pair: Settled, decision: Decision | None) -> None:
        """Count one pair."""
        self.pairs += 1
        if pair.result is None:
            self.without_picture += 1
            return
        self.by_status[pair.status] += 1
        if decision:
            self.decided[pair.status, decision] += 1
            for name, check in pair.checks.items():
                if self._is_counted(name):
                    self.by_check[name, check.passed, decision] += 1
        if pair.risk is None:
            self.without_risk += 1
            return
        if pair.risk.calibration in self.calibrations or len(self.calibrations) < MAX_NAMES:
            self.calibrations[pair.risk.calibration] += 1
        if decision:
            self.by_risk[_bin(pair.risk.value), decision] += 1
        for one in self.thresholds:
            _count(one, pair, pair.risk.value, decision)

    def total(self, decision: Decision) -> int:
        """Pictures that were so decided."""
        return sum(number for (_, what), number in self.decided.items() if what == decision)

    @property
    def too_few(self) -> bool:
        """Whether the decisions are too few to judge by."""
        return min(self.total("accept"), self.total("reject")) < MIN_DECISIONS

    def checks(self) -> list[str]:
        """The names of the checks of decided pictures, those that turned away most accepted ones first."""
        names = {name for name, _, _ in self.by_check}
        return sorted(names, key=lambda name: (-self.by_check[name, False, "accept"], name))

    def as_json(self) -> dict[str, object]:
        """Everything, for other programs."""
        return {
            "pairs": self.pairs,
            "without_picture": self.without_picture,
            "without_risk": self.without_risk,
            "by_status": dict(self.by_status),
            "calibrations": dict(self.calibrations),
            "accepted": self.total("accept"),
            "rejected": self.total("reject"),
            "too_few": self.too_few,
            "decided": [
                {
                    "status": status,
                    "accepted": self.decided[status, "accept"],
                    "rejected": self.decided[status, "reject"],
                }
                for status in sorted(self.by_status)
            ],
            "by_risk": [
                {
                    "from": low,
                    "to": high,
                    "accepted": self.by_risk[at, "accept"],
                    "rejected": self.by_risk[at, "reject"],
                }
                for at, (low, high) in enumerate(pairwise(BIN_EDGES))
            ],
            "by_check": [
                {
                    "check": name,
                    "failed_and_accepted": self.by_check[name, False, "accept"],
                    "failed_and_rejected": self.by_check[name, False, "reject"],
                    "passed_and_rejected": self.by_check[name, True, "reject"],
                }
                for name in self.checks()
            ],
            "thresholds": [
                {
                    "below": one.threshold,
                    "looked_at": one.looked_at,
                    "bad_let_through": one.bad,
                    "of_decided": one.bad + one.good,
                    "bad_share_at_most": round(wilson(one.bad, one.bad + one.good)[1], 4),
                    "saved_usd": round(one.saved_usd, 4),
                }
                for one in self.thresholds
            ],
        }

    def _is_counted(self, name: str) -> bool:
        known = {name for name, _, _ in self.by_check}
        return name in known or len(known) < MAX_NAMES


def _bin(risk: float) -> int:
    return sum(risk >= edge for edge in BIN_EDGES[1:-1])


def _count(at: AtThreshold, pair: Settled, risk: float, decision: Decision | None) -> None:
    if risk >= at.threshold:
        at.looked_at += 1
    elif decision:
        at.bad += decision == "reject"
        at.good += decision == "accept"
    paid = iter(pair.attempts)
    if any(one.risk and one.risk.value < at.threshold for one in paid):
        at.saved_usd += sum(one.usd or 0.0 for one in paid)  # what is left of them: those after it
