"""A product that melts into the scene is not accepted, also where only its outline can be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.inspection import Inspection
from function.judging.product_whole import (
    MAX_MISSING,
    MAX_ON_BORDER,
    MAX_PART,
    cropped_by_output,
    expected_mask,
    missing_mask,
    missing_part,
    missing_width,
    product_whole,
)
from function.restoration.analyse import analyse
from tests.cases.answers import case, frame_of
from tests.cases.composed import compose, white_product
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.judging.samples import CROP, HEIGHT, PRODUCT, WIDTH, composite, crop_of, inspection, room


def test_an_outline_with_a_hole_is_no_whole_product():
    plain = compose("white", case("mug").scene, white_product(case("can").product), centre_x=0.45)
    frame = frame_of(plain.scene)
    analysis = analyse(plain.scene, plain.product, imitate(plain, frame, MANNERS["typical"], 1), frame)
    inspection = Inspection.of(analysis.scene, analysis.product)
    crop = inspection.crop
    assert not crop.matched
    assert product_whole(inspection).passed
    inserted = crop.inserted_mask.copy()
    inserted[: round(0.4 * len(inserted))] = 0
    holed = product_whole(replace(inspection, product_crop=replace(crop, inserted_mask=inserted.astype(np.float32))))
    assert not holed.passed and holed.value > 0.1


BOX = (10, 20, 40, 50)  # x, y, width, height


@pytest.mark.parametrize(
    ("box", "window", "value"),
    [(BOX, (0, 0, 100, 80), None), ((10, 20, 60, 50), (11, 0, 100, 80), None), (BOX, (20, 0, 90, 80), 0.25)],
    ids=["shown", "soft rim cut", "quarter cut"],
)
def test_a_shape_that_cuts_the_product_off_is_told_from_one_that_takes_its_soft_rim(box, window, value):
    found = cropped_by_output(box, window)
    assert (found.value if found else None) == value
    assert found is None or (not found.passed and "another shape" in found.reason)


def test_without_a_product_no_shape_cuts_it_off():
    assert cropped_by_output(None, (0, 0, 1, 1)) is None


def test_a_whole_product_passes():
    assert product_whole(inspection()).passed
    assert product_whole(inspection(matched=None)).passed


def test_a_piece_that_shows_the_scene_is_missing():
    answer = composite()
    x, y, width, height = PRODUCT
    answer[y : y + height // 3, x : x + width // 2] = room()[y : y + height // 3, x : x + width // 2]
    check = product_whole(inspection(answer))
    assert not check.passed and check.threshold == MAX_MISSING


def test_a_thin_part_that_is_not_there_is_missing():
    """As a mug's handle: narrower than what may be missing along an edge."""
    answer, cover = composite(), crop_of(composite()).product_mask.copy()
    x, y, width, height = PRODUCT
    body, gap, thin = width // 2, 12, 8
    answer[y : y + height, x + body : x + width] = room()[y : y + height, x + body : x + width]
    left, top = x - CROP[0], y - CROP[1]
    cover[top : top + height, left + body : left + body + gap] = 0
    cover[top : top + height, left + body + gap + thin :] = 0
    crop = crop_of(answer, product_mask=cover, reference_mask=cover)
    solid = expected_mask(crop)
    assert missing_width(missing_mask(crop, solid), solid) < MAX_MISSING
    check = product_whole(inspection(answer, crop=crop))
    assert not check.passed and check.threshold == MAX_PART


def test_a_strip_of_scene_along_an_edge_is_no_missing_part():
    answer = composite()
    x, y, width, _ = PRODUCT
    answer[y : y + 8, x : x + width] = room()[y : y + 8, x : x + width]
    crop = crop_of(answer)
    solid = expected_mask(crop)
    assert missing_part(missing_mask(crop, solid), solid) == 0
    assert product_whole(inspection(answer)).passed


@pytest.mark.parametrize(("tall", "passes"), [(1.0, False), (1.6, True)])
def test_a_reflection_that_reaches_the_lower_border_does_not_cut_the_product_off(tall, passes):
    whole = crop_of(composite(), matched=False, fitted=False)
    x, _, width, height = whole.box
    cover = np.zeros_like(whole.product_mask)
    own = PRODUCT[3] / PRODUCT[2]
    cover[height - round(80 * tall * own) :, 20:100] = 1
    crop = replace(whole, box=(x, HEIGHT - height, width, height), product_mask=cover)
    assert product_whole(inspection(matched=None, crop=crop)).passed == passes


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_product_on_the_picture_s_border_is_cut_off(side):
    whole = crop_of(composite())
    x, y, width, height = whole.box
    place = {"left": (0, y), "top": (x, 0), "right": (WIDTH - width, y), "bottom": (x, HEIGHT - height)}[side]
    cover = np.ones_like(whole.product_mask)
    check = product_whole(inspection(crop=replace(whole, box=(*place, width, height), product_mask=cover)))
    assert not check.passed and check.threshold == MAX_ON_BORDER


def test_a_product_shown_otherwise_than_on_its_photograph_is_not_compared_with_its_outline():
    crop = crop_of(composite(), matched=False, fitted=False)
    check = product_whole(inspection(matched=None, crop=crop))
    assert check.passed and check.value is None
