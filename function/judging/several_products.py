"""The verdict on an image with several products: each is judged by itself, and the worst of every check counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from function.generation.pose import Pose
from function.judging.check import Check
from function.judging.judge import Judgement, Verdict, judge
from function.judging.registry import BY_NAME
from function.matching.asked_place import AskedPlace
from function.restoration.analysis import Analysis


def judge_products(
    analysis: Analysis, names: Sequence[str], pose: Pose, asked: Sequence[AskedPlace | None]
) -> Judgement:
    """Judge each of the products of `analysis`, which are called `names` and were to stand where `asked` says. A
    image that lacks some of them is kept for a person; one that lacks them all is not."""
    each = {name: judge(one, pose, place) for name, one, place in zip(names, analysis.each, asked, strict=True)}
    verdicts = {one.verdict for one in each.values()}
    verdict: Verdict = verdicts.pop() if len(verdicts) == 1 else "review"
    return Judgement(
        verdict=verdict,
        score=round(sum(one.score for one in each.values()) / len(each), 4),
        checks={name: _worst(name, each) for name in BY_NAME},
        by_product={name: one.checks for name, one in each.items()},
    )


def _worst(check: str, each: dict[str, Judgement]) -> Check:
    """The product's check that failed, or else came nearest to its limit; a reason says whose it is."""
    name = min(each, key=lambda product: (each[product].checks[check].passed, _margin(each[product].checks[check])))
    worst = each[name].checks[check]
    return replace(worst, reason=f"{name}: {worst.reason}") if worst.reason else worst


def _margin(check: Check) -> float:
    """How far a value lies from its limit, as a share of that, on the good side; what has none is far from it."""
    if check.value is None or check.threshold is None:
        return float("inf") if check.passed else 0.0
    distance = abs(check.value - check.threshold) / max(abs(check.threshold), 1e-6)
    return distance if check.passed else -distance
