"""Of several products each is judged by itself, the worst of a check counts, and a reason says whose it is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from function.judging import several_products
from function.judging.judge import Judgement, judge
from function.judging.registry import BY_NAME
from function.judging.several_products import judge_products
from function.matching.asked_place import AskedPlace
from function.restoration.analysis import Analysis, ProductAnalysis
from tests.judging.samples import HEIGHT, PRODUCT, WIDTH, composite, match, outline, photograph, scene

X, Y, WIDE, TALL = PRODUCT
THERE = AskedPlace((X / WIDTH, Y / HEIGHT, WIDE / WIDTH, TALL / HEIGHT))
NEAR, FAR, FARTHER = (replace(THERE, box=(THERE.box[0] - off, *THERE.box[1:])) for off in (0.02, 0.15, 0.3))


@cache
def analysis(found: bool) -> Analysis:
    """Of the sample picture and a product that is the one in it, or is missing."""
    product = ProductAnalysis(photograph(), match(), outline())
    missing = ProductAnalysis(photograph(), None, np.zeros((HEIGHT, WIDTH), np.uint8))
    return Analysis(scene(composite()), product if found else missing)


@pytest.fixture(autouse=True)
def remembered(monkeypatch):
    """The judge takes a tenth of a second: what it says of one product is asked for once."""
    monkeypatch.setattr(several_products, "judge", lambda one, pose, asked: alone(one.product.match is not None, asked))


@cache
def alone(found: bool, asked: AskedPlace | None = None) -> Judgement:
    return judge(analysis(found), "stand", asked)


def judged(found: tuple[bool, ...], asked: tuple[AskedPlace | None, ...] = (None, None)) -> Judgement:
    each = tuple(analysis(one) for one in found)
    return judge_products(replace(each[0], each=each), ("lamp", "vase"), "stand", asked)


def test_two_good_products_are_judged_as_one_of_them_is():
    both, one = judged((True, True)), alone(True)
    assert (both.verdict, both.score) == (one.verdict, one.score)
    assert {name: check.passed for name, check in both.checks.items()} == {
        name: check.passed for name, check in one.checks.items()
    }


@pytest.mark.parametrize(("found", "verdict"), [((True, False), "review"), ((False, False), "unusable")])
def test_a_picture_that_lacks_some_is_for_a_person_and_one_that_lacks_all_is_not(found, verdict):
    assert judged(found).verdict == verdict


def test_the_score_is_the_mean():
    scores = [alone(found).score for found in (True, False)]
    assert judged((True, False)).score == pytest.approx(sum(scores) / 2, abs=1e-3)


@pytest.mark.parametrize(("found", "whose"), [((True, False), "vase"), ((False, True), "lamp")])
def test_the_one_that_failed_counts_and_is_named(found, whose):
    judgement = judged(found)
    present = judgement.checks["product_present"]
    assert not present.passed and present.reason.startswith(f"{whose}: ")
    assert list(judgement.by_product) == ["lamp", "vase"] and list(judgement.checks) == list(BY_NAME)
    assert judgement.by_product[whose]["product_present"].reason == present.reason.removeprefix(f"{whose}: ")


@pytest.mark.parametrize(
    ("asked", "whose"),
    [
        ((THERE, NEAR), "vase"),
        ((NEAR, THERE), "lamp"),
        ((FAR, NEAR), "lamp"),
        ((None, FAR), "vase"),
        ((FAR, FARTHER), "vase"),
    ],
)
def test_each_is_held_against_its_own_place_and_the_nearest_to_the_limit_is_the_worst(asked, whose):
    judgement = judged((True, True), asked)
    worst = judgement.checks["placed_as_asked"]
    assert worst.reason.startswith(f"{whose}: ")
    assert worst.value == judgement.by_product[whose]["placed_as_asked"].value
    assert worst.passed is (FAR not in asked)


def test_every_product_needs_a_place_of_its_own():
    with pytest.raises(ValueError, match="argument"):
        judged((True, True), (None,))
