"""Where an answer shows the product, as a place to lay its photograph at."""

from __future__ import annotations

from dataclasses import replace

import cv2
import pytest

from function.restoration.analyse import analyse
from function.restoration.find_place import find_place
from tests.cases.frontal import frontal_case
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.tiers import exhaustive


@pytest.mark.parametrize("name", ["can", *exhaustive("box", "mug")])
def test_the_place_is_where_the_product_stands(name):
    case, frame, truth = frontal_case(name)
    place = find_place(analyse(case.scene, case.product, imitate(case, frame, MANNERS["real"], 1), frame))
    assert place is not None
    near = 0.015 * truth.height
    assert place.top + place.height == pytest.approx(truth.top + truth.height, abs=near)
    assert place.height == pytest.approx(truth.height, abs=2 * near)
    assert place.left + place.width / 2 == pytest.approx(truth.left + truth.width / 2, abs=near)


def test_what_was_inserted_may_be_larger_than_the_product():
    """A reflection below it, which was taken for inserted too, of a product that was not matched."""
    case, frame, truth = frontal_case("can")
    analysis = analyse(case.scene, case.product, imitate(case, frame, MANNERS["real"], 1), frame)
    mask = analysis.product.mask.copy()
    x, y, wide, tall = cv2.boundingRect(cv2.inRange(mask, 128, 255))
    mask[y + tall - 5 : y + round(1.4 * tall), x - 10 : x + wide + 10] = 255
    place = find_place(replace(analysis, product=replace(analysis.product, match=None, mask=mask)))
    assert place is not None
    assert place.top + place.height == pytest.approx(truth.top + truth.height, abs=0.03 * truth.height)
    assert place.height == pytest.approx(truth.height, abs=0.04 * truth.height)


def test_an_answer_without_the_product_has_none():
    case, frame, _ = frontal_case("box")
    assert find_place(analyse(case.scene, case.product, case.scene, frame)) is None
