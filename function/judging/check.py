"""What one check found."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One measured property of a picture.

    value      what was measured, in `unit`; None where it could not be measured
    threshold  what it was held against; None where nothing was
    passed     whether the picture may be used as far as this check can tell
    reason     one sentence for a person in a photo studio, also when passed
    """

    value: float | None
    threshold: float | None
    passed: bool
    unit: str
    reason: str


def at_least(value: float, threshold: float, unit: str, *, good: str, bad: str) -> Check:
    """Passed from `threshold` on; a value that is no number fails."""
    if not math.isfinite(value):
        return Check(None, threshold, False, unit, bad)
    passed = value >= threshold
    return Check(round(value, 4), threshold, passed, unit, good if passed else bad)


def at_most(value: float, threshold: float, unit: str, *, good: str, bad: str) -> Check:
    """Passed up to `threshold`; a value that is no number fails."""
    if not math.isfinite(value):
        return Check(None, threshold, False, unit, bad)
    passed = value <= threshold
    return Check(round(value, 4), threshold, passed, unit, good if passed else bad)


def unmeasured(unit: str, reason: str, *, passed: bool) -> Check:
    """A check whose ground is missing: `reason` says what, `passed` whether that speaks for the picture."""
    return Check(None, None, passed, unit, reason)
