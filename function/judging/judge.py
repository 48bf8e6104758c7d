"""The verdict on one picture of the model, from everything that was measured about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from function.judging.check import Check, unmeasured
from function.judging.contact_shadow import contact_shadow
from function.judging.label_kept import label_kept, product_colour, resembles
from function.judging.no_halo import no_halo, product_whole
from function.judging.product_not_mirrored import product_not_mirrored
from function.judging.product_once import nothing_put_in, product_once, product_present, scale_plausible
from function.judging.product_upright import product_upright
from function.judging.product_view import View, view_product
from function.judging.scene_kept import exposure_sane, scene_kept
from function.restoration.analysis import Analysis

Verdict = Literal["accepted", "review", "unusable"]

# Below this share of the scene found again it is another picture altogether. Unrelated ones reach a tenth.
OTHER_PICTURE = 0.2
# Not failed: what is not there has no fault of its own, and the next attempt is told of the missing product.
NOT_SEEN = "Not judged: no product was found in the picture."
# Checks of the product itself, which need it to be there.
OF_PRODUCT = (
    "product_once",
    "product_colour",
    "product_not_mirrored",
    "product_upright",
    "label_kept",
    "product_whole",
    "scale_plausible",
    "contact_shadow",
    "no_halo",
)


@dataclass(frozen=True)
class Judgement:
    """verdict, a score (higher is better) to pick the best attempt by, and every check by its name.

    accepted: every check passed. review: worth keeping, but a person should look. unusable: no picture of this
    product in this scene.
    """

    verdict: Verdict
    score: float
    checks: dict[str, Check]


def judge(analysis: Analysis) -> Judgement:
    """Judge the picture that `analysis` is about; answers any picture content."""
    view = view_product(analysis)
    checks = {"scene_kept": scene_kept(analysis), **_product_checks(analysis, view)}
    checks["exposure_sane"] = exposure_sane(analysis)
    return Judgement(_verdict(analysis, checks), _score(analysis, checks), checks)


def _product_checks(analysis: Analysis, view: View | None) -> dict[str, Check]:
    if view is None:
        unjudged = {name: unmeasured("", NOT_SEEN, passed=True) for name in OF_PRODUCT}
        return {"product_present": nothing_put_in(), **unjudged}
    shape = analysis.change.shape[0], analysis.change.shape[1]
    return {
        "product_present": product_present(analysis, view, resembles(analysis, view)),
        "product_once": product_once(analysis, view),
        "product_colour": product_colour(view),
        "product_not_mirrored": product_not_mirrored(analysis, view),
        "product_upright": product_upright(analysis),
        "label_kept": label_kept(analysis, view),
        "product_whole": product_whole(view, shape),
        "scale_plausible": scale_plausible(analysis, view),
        "contact_shadow": contact_shadow(analysis, view),
        "no_halo": no_halo(view),
    }


def _verdict(analysis: Analysis, checks: dict[str, Check]) -> Verdict:
    if not analysis.drift.registered:
        kept = analysis.found_share >= OTHER_PICTURE and checks["exposure_sane"].passed
        return "review" if kept else "unusable"
    if not checks["product_present"].passed:
        return "unusable"
    return "accepted" if all(check.passed for check in checks.values()) else "review"


def _score(analysis: Analysis, checks: dict[str, Check]) -> float:
    """Share of checks measured and passed; among equals the better kept label and scene decide."""
    there = checks["product_present"].passed
    passed = sum(check.passed and (there or name not in OF_PRODUCT) for name, check in checks.items())
    label = 0.0 if analysis.match is None else float(analysis.match.correlation)
    return round(passed / len(checks) + 0.05 * label + 0.02 * float(analysis.found_share), 4)
