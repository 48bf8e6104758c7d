"""Wrong and washed-out colours fail, each by its own measure."""

from __future__ import annotations

import numpy as np

from function.judging.colour_difference import MAX_COLOUR
from function.judging.product_colour import MIN_CHROMA, product_colour
from tests.judging.samples import composite, crop_of, inspection, label


def test_the_photograph_s_colours_pass():
    assert product_colour(inspection()).passed


def test_exchanged_channels_fail():
    check = product_colour(inspection(composite(np.ascontiguousarray(label()[..., ::-1]))))
    assert not check.passed and check.threshold == MAX_COLOUR


def test_grey_fails_by_its_chroma():
    grey = np.repeat(label().mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    check = product_colour(inspection(composite(grey)))
    assert not check.passed and check.threshold == MIN_CHROMA


def test_a_product_too_small_to_compare_passes_unmeasured():
    whole = crop_of(composite())
    check = product_colour(inspection(crop=crop_of(composite(), visible_mask=np.zeros_like(whole.visible_mask))))
    assert check.passed and check.value is None
