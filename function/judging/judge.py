"""The verdict on one generated image: every check, the verdict that follows, and a score to rank attempts by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from function.generation.pose import Pose
from function.judging import exposure_sane, nothing_added, product_present, scene_kept
from function.judging.check import Check, not_measured
from function.judging.inspection import Inspection
from function.judging.registry import BY_NAME, CHECKS
from function.matching.asked_place import AskedPlace
from function.restoration.analysis import Analysis, SceneAnalysis

SCENE_CHECKS = (scene_kept.SPEC.name, nothing_added.SPEC.name, exposure_sane.SPEC.name)
Verdict = Literal["accepted", "review", "unusable"]

# Least share of the scene found again in an image of that scene. Unrelated images reach a tenth.
MIN_SAME_SCENE = 0.2
# Such checks pass: `product_present` fails, and the next attempt is told of the missing product.
NO_PRODUCT = "Not judged: no product was found in the picture."
# What a perfect label and a scene found in full add to the score. Less than one check, so that they only rank images
# that passed as many.
LABEL_WEIGHT, SCENE_WEIGHT = 0.05, 0.02


@dataclass(frozen=True)
class Judgement:
    """verdict, a score (higher is better) to pick the best attempt by, and every check by its name.

    accepted: every check passed. review: worth keeping, but a person should look. unusable: no image of this
    product in this scene.
    """

    verdict: Verdict
    score: float
    checks: dict[str, Check]
    by_product: dict[str, dict[str, Check]] = field(default_factory=dict)  # of several; `checks` are then the worst

    @property
    def lessons(self) -> list[str]:
        """Instructions for the next attempt: that of every check that failed, and of several products for which."""
        if self.by_product:
            failed = [
                (BY_NAME[name].lesson if name in SCENE_CHECKS else f"{product}: {BY_NAME[name].lesson}")
                for product, checks in self.by_product.items()
                for name, check in checks.items()
                if not check.passed
            ]
            return list(dict.fromkeys(failed))
        return [BY_NAME[name].lesson for name, check in self.checks.items() if not check.passed]


def judge(analysis: Analysis, pose: Pose = "stand", asked: AskedPlace | None = None) -> Judgement:
    """Judge the image that `analysis` is about; never raises on image content. `pose` and `asked`: what was asked
    for."""
    inspection = Inspection.of(analysis.scene, analysis.product, asked)
    present = inspection.product_crop is not None
    checks = {
        spec.name: spec.check(inspection, pose)
        if present or not spec.needs_product
        else not_measured("", NO_PRODUCT, passed=True)
        for spec in CHECKS
    }
    return Judgement(_verdict(analysis.scene, checks), _score(analysis, checks), checks)


def _verdict(scene: SceneAnalysis, checks: dict[str, Check]) -> Verdict:
    registration = scene.registration
    if not registration.drift.registered:
        kept = registration.found_share >= MIN_SAME_SCENE and checks[exposure_sane.SPEC.name].passed
        return "review" if kept else "unusable"
    if not checks[product_present.SPEC.name].passed:
        # It is thrown away only where the product is surely not in it.
        return "review" if scene.redrawn and registration.found_share >= MIN_SAME_SCENE else "unusable"
    return "accepted" if all(check.passed for check in checks.values()) else "review"


def _score(analysis: Analysis, checks: dict[str, Check]) -> float:
    """Share of checks measured and passed; among equals the better kept label and scene decide."""
    present = checks[product_present.SPEC.name].passed
    passed = sum(checks[spec.name].passed and (present or not spec.needs_product) for spec in CHECKS)
    match, found = analysis.product.match, analysis.scene.registration.found_share
    label = 0.0 if match is None else float(match.correlation)
    return round(passed / len(checks) + LABEL_WEIGHT * label + SCENE_WEIGHT * float(found), 4)
