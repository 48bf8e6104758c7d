"""A product that is lost, fills the picture or was stretched is not believed."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.scale_plausible import (
    MAX_ASPECT,
    MAX_HEIGHT,
    MAX_PIECE_HEIGHT,
    MIN_ASPECT,
    MIN_HEIGHT,
    MIN_PIECE_HEIGHT,
    aspect_change,
    scale_plausible,
)
from function.restoration.analysis import ProductAnalysis
from tests.judging.samples import HEIGHT, composite, crop_of, inspection, match, outline, photograph


def stretched(across: float):
    """The match of a product that is drawn `across` times too wide."""
    return match(mapping=match().mapping * np.float32([1 / across, 1]))


def test_a_believable_size_passes():
    check = scale_plausible(inspection())
    assert check.passed and check.value == pytest.approx(180 / HEIGHT)


@pytest.mark.parametrize("share", [MIN_HEIGHT - 0.01, MAX_HEIGHT + 0.01])
def test_too_small_and_too_large_fail(share):
    assert not scale_plausible(inspection(crop=crop_of(composite(), height=share * HEIGHT))).passed


@pytest.mark.parametrize(("across", "limit"), [(1.4, MAX_ASPECT), (0.7, MIN_ASPECT)])
def test_stretched_proportions_fail(across, limit):
    check = scale_plausible(inspection(matched=stretched(across)))
    assert not check.passed and check.threshold == limit and check.value == pytest.approx(across, abs=0.01)


def test_what_lies_is_neither_flat_nor_narrow():
    upright = match()
    lies = match(mapping=np.rot90(upright.mapping), weight=np.rot90(upright.weight))
    asked = (ProductAnalysis(photograph(), found, outline()) for found in (upright, lies))
    assert [aspect_change(one) for one in asked] == pytest.approx([1, 1], abs=0.01)


def test_proportions_are_only_read_where_the_match_is_verified():
    unsure = match(weight=np.full((180, 100), 100, np.uint8))
    for found in (None, unsure):
        assert aspect_change(ProductAnalysis(photograph(), found, outline())) is None


def test_a_small_piece_that_is_not_recognised_may_be_something_else():
    crop = crop_of(composite(), matched=False, fitted=False, height=(MIN_PIECE_HEIGHT - 0.01) * HEIGHT)
    check = scale_plausible(inspection(matched=None, crop=crop))
    assert not check.passed and check.threshold == MIN_PIECE_HEIGHT


def test_a_worn_product_may_be_as_tall_as_the_person_and_no_taller():
    for share, passed in ((MAX_HEIGHT + 0.05, True), (MAX_PIECE_HEIGHT + 0.01, False)):
        crop = crop_of(composite(), matched=False, fitted=False, height=share * HEIGHT)
        assert scale_plausible(inspection(matched=None, crop=crop)).passed == passed
