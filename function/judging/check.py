"""The specification of a check, and the result of one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from function.generation.pose import Pose
from function.generation.prompt_templates import TEMPLATES
from function.judging.inspection import Inspection
from function.judging.limit import Limit

ANY_POSE: frozenset[Pose] = frozenset(get_args(Pose))


@dataclass(frozen=True)
class Check:
    """One measured property of an image.

    value      what was measured, in `unit`; None where it could not be measured
    threshold  what it was held against; None where nothing was
    passed     whether the image may be used as far as this check can tell
    reason     one sentence for a person in a photo studio, also when passed
    """

    value: float | None
    threshold: float | None
    passed: bool
    unit: str
    reason: str


@dataclass(frozen=True)
class CheckSpec:
    """A check that every image is put to; `registry.CHECKS` lists them.

    name           its key in the sidecar, and the name of its module and of its function
    lesson         what the model is told when it is asked again after an image that failed, one or two sentences
    needs_product  whether it judges the product itself: without one it is not measured, and speaks for no image
    measure        looks at the image; never raises on image content
    limits         every number that decides it
    poses          in which it applies
    """

    name: str
    lesson: str
    needs_product: bool
    measure: Callable[[Inspection], Check]
    limits: tuple[Limit, ...]
    poses: frozenset[Pose] = ANY_POSE

    def check(self, inspection: Inspection, pose: Pose) -> Check:
        """What it finds, or that it does not apply to a product in this pose."""
        if pose not in self.poses:
            return not_applicable(f"the product was asked to {TEMPLATES.poses[pose].asked}")
        return self.measure(inspection)


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


def not_measured(unit: str, reason: str, *, passed: bool) -> Check:
    """A check that cannot be measured: `reason` says why, `passed` whether that speaks for the image."""
    return Check(None, None, passed, unit, reason)


def not_applicable(why: str) -> Check:
    """A check that has nothing to say about such a product; `why` is half a sentence."""
    return not_measured("", f"Does not apply: {why}.", passed=True)
