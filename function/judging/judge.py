"""The verdict on one picture of the model, from everything that was measured about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from function.fidelity.analysis import Analysis
from function.judging.check import Check, at_least

Verdict = Literal["accepted", "review", "unusable"]

# Share of the scene's textured area that has to be found again in the answer.
LEAST_SCENE_SHARE = 0.4
# Darkest mean of a picture that shows anything, 8-bit levels.
LEAST_BRIGHTNESS = 8.0
# Smallest product worth looking at, as a share of the picture.
LEAST_PRODUCT_SHARE = 0.002
# Without these there is nothing to keep.
ESSENTIAL = ("scene_kept", "product_present", "exposure_sane")


@dataclass(frozen=True)
class Judgement:
    """verdict, a score (higher is better) to pick the best attempt by, and every check by its name."""

    verdict: Verdict
    score: float
    checks: dict[str, Check]


def judge(analysis: Analysis) -> Judgement:
    """Judge the picture that `analysis` is about; answers any picture content."""
    checks = {
        "scene_kept": at_least(
            analysis.found_share,
            LEAST_SCENE_SHARE,
            "share",
            good="The scene is the one that was given.",
            bad="The scene is not the one that was given.",
        ),
        "product_present": at_least(
            float(np.mean(analysis.product_mask > 127)),
            LEAST_PRODUCT_SHARE,
            "share",
            good="A product was put into the scene.",
            bad="No product was found in the picture.",
        ),
        "exposure_sane": at_least(
            float(analysis.answer_plain.mean()),
            LEAST_BRIGHTNESS,
            "8-bit levels",
            good="The picture is properly exposed.",
            bad="The picture is black.",
        ),
    }
    passed = sum(check.passed for check in checks.values())
    return Judgement(_verdict(analysis, checks), passed / len(checks), checks)


def _verdict(analysis: Analysis, checks: dict[str, Check]) -> Verdict:
    if not all(checks[name].passed for name in ESSENTIAL):
        return "unusable"
    registered = analysis.drift.registered
    return "accepted" if registered and all(check.passed for check in checks.values()) else "review"
