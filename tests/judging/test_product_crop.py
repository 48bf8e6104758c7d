"""A crop says what borders the image cuts off, whether its product is thin, and what lies where it is mirrored."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.product_crop import is_reflection_below, is_reflection_of
from tests.judging.samples import CROP, composite, crop_of

PRODUCT = (100.0, 50.0, 60.0, 120.0)  # x, y, width, height


def crop_with(*covered: tuple[slice, slice]):
    """The sample's crop with a product that covers those parts of it."""
    mask = np.zeros((CROP[3], CROP[2]), np.float32)
    for part in covered:
        mask[part] = 1
    return crop_of(composite(), product_mask=mask)


@pytest.mark.parametrize(
    ("part", "border", "bottom"),
    [
        (np.s_[40:200, 40:100], False, False),
        (np.s_[0:200, 40:100], True, False),
        (np.s_[40:200, 0:100], True, False),
        (np.s_[40:200, 90 : CROP[2]], True, False),
        (np.s_[40 : CROP[3], 40:100], True, True),
    ],
)
def test_a_product_at_the_crop_s_edge_is_cut_by_the_image_s_border(part, border, bottom):
    crop = crop_with(part)
    assert (crop.touches_border, crop.touches_bottom) == (border, bottom)


def test_a_faint_edge_is_no_cut():
    crop = crop_of(composite(), product_mask=np.full((CROP[3], CROP[2]), 0.4, np.float32))
    assert not crop.touches_border and not crop.touches_bottom


def test_a_chain_is_thin_and_a_box_is_not():
    assert crop_with(np.s_[20:250, 88:92], np.s_[100:104, 20:160]).is_thin
    assert not crop_with(np.s_[60:200, 40:140]).is_thin


@pytest.mark.parametrize(
    ("box", "mirrored"),
    [
        ((100, 172, 60, 40), True),
        ((96, 160, 66, 40), True),
        ((100, 150, 60, 40), False),
        ((100, 5, 60, 40), False),
        ((80, 172, 60, 40), False),
        ((120, 172, 60, 40), False),
    ],
    ids=["right below", "a little over the base", "before its base", "above it", "left of it", "right of it"],
)
def test_a_reflection_begins_at_the_base_and_keeps_to_the_columns(box, mirrored):
    x, y, width, height = box
    piece = np.zeros((260, 260), bool)
    piece[y : y + height, x : x + width] = True
    assert is_reflection_below(box, PRODUCT) is mirrored
    if mirrored:
        assert is_reflection_of(piece, PRODUCT)


@pytest.mark.parametrize(("aside", "mirrored"), [(0, True), (12, True), (40, False)])
def test_most_of_a_piece_has_to_lie_there(aside, mirrored):
    piece = np.zeros((260, 260), bool)
    piece[172:212, 100 + aside : 160 + aside] = True
    assert is_reflection_of(piece, PRODUCT) is mirrored
    piece = np.zeros((260, 260), bool)
    piece[172 - 2 * aside : 212, 110:150] = True
    assert is_reflection_of(piece, PRODUCT) is (aside < 40)
