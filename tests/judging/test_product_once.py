"""A second product is noticed, also where no print tells that it is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.crop_product import crop_product
from function.judging.judge import judge
from function.judging.product_once import MAX_BESIDE_COMPOSITED, MAX_SEPARATE, MAX_TOUCHING_COPY, product_once
from function.matching.place import Place
from function.restoration.analyse import analyse
from function.restoration.analysis import CompositedProduct, ProductAnalysis
from function.restoration.departure import NO_DEPARTURE
from tests.cases.answers import case, frame_of
from tests.cases.composed import blank_product, compose, white_product
from tests.cases.faults import spoiled
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.judging.samples import (
    CROP,
    HEIGHT,
    PRODUCT,
    WIDTH,
    composite,
    crop_of,
    cropped,
    inspection,
    match,
    outline,
    photograph,
    scene,
    with_a_thing_beside,
)
from tests.tiers import exhaustive

PLAIN = {"blank": blank_product, "white": white_product}


def judged(kind: str, fault: str | None):
    plain = compose(kind, case("mug").scene, PLAIN[kind](case("can").product), centre_x=0.45)
    if fault:
        plain = spoiled(plain, fault, 1, case("box"))
    frame = frame_of(plain.scene)
    return judge(analyse(plain.scene, plain.product, imitate(plain, frame, MANNERS["typical"], 1), frame))


@pytest.mark.parametrize("kind", PLAIN)
def test_a_product_without_print_is_accepted_once(kind):
    assert judged(kind, None).verdict == "accepted"


@pytest.mark.parametrize("fault", ["product_doubled", *exhaustive("doubled_small")])
@pytest.mark.parametrize("kind", PLAIN)
def test_its_twin_is_noticed(kind, fault):
    judgement = judged(kind, fault)
    assert not judgement.checks["product_once"].passed
    assert judgement.verdict == "review"
    assert np.isfinite(judgement.checks["product_once"].value)


def beside(answer: np.ndarray, share: float, colour) -> tuple[np.ndarray, np.ndarray]:
    """`answer` with a thing of that share of the product's area beside it, and the mask of all that was put in."""
    width = round(share * PRODUCT[3])
    mask = outline()
    spot = np.s_[90:190, 340 : 340 + width]
    answer[spot], mask[spot] = colour, 255
    return answer, mask


def test_a_product_alone_passes():
    assert product_once(inspection()).passed


@pytest.mark.parametrize(("share", "passed"), [(0.03, True), (0.08, False), (0.3, False)])
def test_another_thing_counts_from_a_size_on(share, passed):
    answer, mask = beside(composite(), share, (10, 200, 30))
    check = product_once(inspection(answer, product_mask=mask))
    assert check.passed is passed and check.threshold == MAX_SEPARATE
    assert check.value == pytest.approx(share, abs=0.03)


def test_beside_a_product_that_was_composited_a_little_more_is_granted():
    """There all that is no shadow counts, whether it touches the product or not."""
    answer, mask = beside(composite(), 0.08, (10, 200, 30))
    plain = inspection(answer, product_mask=mask)
    laid = CompositedProduct(Place(0.4, 0.4, 0.2, 0.4), PRODUCT, np.zeros(1), NO_DEPARTURE, 1.0, answer)
    check = product_once(replace(plain, product=replace(plain.product, composited=laid)))
    assert not product_once(plain).passed and check.passed and check.threshold == MAX_BESIDE_COMPOSITED


def test_a_product_found_twice_by_its_print_fails():
    assert not product_once(inspection(matched=match(instances=2))).passed


@pytest.mark.parametrize(("height", "passed"), [(40, True), (90, False)])
def test_a_part_that_the_fitted_outline_misses_is_no_copy_and_a_large_one_is(height, passed):
    x, y, width, _ = PRODUCT
    answer, mask = composite(), outline()
    answer[y : y + height, x + width : x + 2 * width] = (60, 90, 170)
    mask[y : y + height, x + width : x + 2 * width] = 255
    check = product_once(inspection(answer, matched=None, product_mask=mask))
    assert check.passed == passed and (passed or check.threshold == MAX_TOUCHING_COPY)


def test_what_glass_bends_is_no_second_product():
    x, y, _, _ = PRODUCT
    answer, clear = composite(), cropped(outline()).astype(np.float32) / 255
    answer[y + 40 : y + 140, x + 20 : x + 80] = (210, 210, 120)
    clear[clear > 0] = 0.3
    crop = crop_of(answer, matched=False, product_mask=clear, aligned=True)
    assert product_once(inspection(answer, matched=None, crop=crop)).passed
    assert not product_once(inspection(answer, matched=None, crop=replace(crop, aligned=False))).passed


@pytest.mark.parametrize(("aside", "passed"), [(0, True), (60, False)])
def test_what_lies_below_the_product_in_its_columns_is_its_reflection(aside, passed):
    x, y, width, height = PRODUCT
    answer, mask = composite(), outline()
    below = np.s_[y + height + 8 : y + height + 70, x + aside : x + aside + width]
    answer[below], mask[below] = (90, 110, 160), 255
    assert product_once(inspection(answer, product_mask=mask)).passed is passed


@pytest.mark.parametrize(("spread", "passed"), [(12, True), (55, False)])
def test_a_reflection_whose_end_the_border_spreads_is_one_all_the_same(spread, passed):
    x, y, width, height = PRODUCT
    answer, mask = composite(), outline()
    for below in (
        np.s_[y + height + 8 : HEIGHT - spread, x : x + width],
        np.s_[HEIGHT - spread :, x - 70 : x + width - 20],
    ):
        answer[below], mask[below] = (90, 110, 160), 255
    assert product_once(inspection(answer, product_mask=mask)).passed is passed


@pytest.mark.parametrize(("left", "twin"), [(PRODUCT[0] + 27, False), (PRODUCT[0] + 120, True)])
def test_the_product_s_shape_is_a_twin_unless_it_is_mirrored_below(left, twin):
    answer, mask = composite(), outline()
    second = np.s_[PRODUCT[1] + PRODUCT[3] + 8 : PRODUCT[1] + PRODUCT[3] + 88, left : left + 45]
    answer[second], mask[second] = (60, 90, 170), 255
    crop = crop_product(scene(answer), ProductAnalysis(photograph(), None, mask))
    assert crop is not None and crop.has_duplicate is twin


@pytest.mark.parametrize(("tall", "passes"), [(30, True), (130, False)])
def test_what_only_a_shadow_joins_to_an_unknown_silhouette_is_another_thing(tall, passes):
    crop = with_a_thing_beside((2, 220 - tall, 24, tall))
    x, y, wide, rows = CROP
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y : y + rows, x : x + wide] = crop.product_mask * 255
    answer = composite()
    answer[y : y + rows, x : x + wide] = crop.generated
    assert product_once(inspection(answer, matched=None, product_mask=mask, crop=crop)).passed is passes
