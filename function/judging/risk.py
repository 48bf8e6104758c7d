"""The risk that a person would reject an image, from how far its checks lie from their limits.

A logistic regression over two numbers of each check, whose weights are not negative: no image is thought better for
failing a check. `python -m tests.bench.calibrate` fits it, and writes weights and report to calibration.json.

It decides nothing. On products and sets that were left out no rule with it was better than that every check has to
pass; and what cannot be measured, of a product that lies or is small, raises it in good images too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

CALIBRATION = Path(__file__).with_name("calibration.json")


class Measured(Protocol):
    """What a check found, in a judgement or in a sidecar."""

    @property
    def value(self) -> float | None: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def passed(self) -> bool: ...


class Weights(BaseModel):
    """Of one check, in the logarithm of the odds: for a whole limit's distance, and for having failed."""

    model_config = ConfigDict(frozen=True)

    distance: float = Field(ge=0, allow_inf_nan=False)
    failed: float = Field(ge=0, allow_inf_nan=False)


class Calibration(BaseModel):
    """What calibration.json holds for the judge; the rest of the file is for readers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    prior: float = Field(gt=0, lt=1, description="share of bad pictures that the risk is stated for")
    intercept: float = Field(allow_inf_nan=False)
    weights: dict[str, Weights]


@dataclass(frozen=True)
class Risk:
    """value        probability 0..1 that a person would reject the image, were `prior` of all images bad
    calibration  the version of the weights"""

    value: float
    prior: float
    calibration: str


@cache
def shipped_calibration() -> Calibration:
    """calibration.json, read once."""
    return Calibration.model_validate_json(CALIBRATION.read_bytes())


def risk_of(checks: Mapping[str, Measured], calibration: Calibration | None = None) -> Risk:
    """The risk of an image with these checks; one that the calibration does not know says nothing."""
    known = calibration or shipped_calibration()
    odds = known.intercept
    for name, weights in known.weights.items():
        if name in checks:
            distance, failed = evidence(checks[name])
            odds += weights.distance * distance + weights.failed * failed
    return Risk(round(1 / (1 + math.exp(-odds)), 4), known.prior, known.version)


def evidence(check: Measured) -> tuple[float, float]:
    """How far on the failing side of its limit a check lies, -1..1 in multiples of it, and 1 where it failed, else 0.

    What was not measured lies at the limit, unless that speaks against the image.
    """
    failed = float(not check.passed)
    if check.value is None or check.threshold is None:
        return failed, failed
    # Of a limit that is 0 nothing is near.
    distance = min(1.0, abs(check.value - check.threshold) / abs(check.threshold)) if check.threshold else 1.0
    return (distance if failed else -distance), failed
