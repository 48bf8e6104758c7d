"""The limits that decide: the measure, the value, its unit, and the side that passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Limit:
    """A number that decides a check; what reaches it exactly passes.

    measure  what is held against it, by the name that the benches give it
    value    the limit, in `unit`, which is that of the check's record
    passes   the side that passes
    """

    measure: str
    value: float
    unit: str
    passes: Literal["at least", "at most"]

    def margin(self, value: float) -> float:
        """How far on the passing side a value lies, in multiples of the limit (of 1 where that is 0); negative where it
        fails."""
        beyond = value - self.value if self.passes == "at least" else self.value - value
        return beyond / (abs(self.value) or 1.0)


def min_limit(measure: str, value: float, unit: str) -> Limit:
    """It passes from `value` on."""
    return Limit(measure, value, unit, "at least")


def max_limit(measure: str, value: float, unit: str) -> Limit:
    """It passes up to `value`."""
    return Limit(measure, value, unit, "at most")
