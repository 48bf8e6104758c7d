"""The photograph as it is compared: about one size, and told what of it is unknown."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.cutout.cut_out import CutOut
from function.restoration.product_reference import ProductReference


@pytest.mark.parametrize("product", [np.zeros((0, 0, 4), np.uint8), np.zeros((40, 30, 4), np.uint8)])
def test_a_photograph_of_nothing_is_not_looked_for(product):
    assert ProductReference.of(product).template is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((300, 500), (300, 500)),  # it fits
        ((1000, 2000), (500, 1000)),  # by half, a whole factor
        ((1001, 2000), (513, 1024)),  # no whole factor divides both sides
        ((1200, 1600), (768, 1024)),  # a whole factor would make it too small
    ],
)
def test_the_photograph_is_shrunk_to_about_one_size_by_a_whole_factor_where_one_fits(size, expected):
    nothing = np.zeros((size[1], size[0], 4), np.uint8)
    assert ProductReference.of(nothing).photograph.shape == (expected[1], expected[0], 4)


def test_what_the_cut_out_does_not_know_is_told_at_the_photograph_s_size():
    product = np.zeros((2000, 600, 4), np.uint8)
    unknown, shadow = np.zeros((2000, 600), bool), np.zeros((2000, 600), np.uint8)
    unknown[:1000], shadow[:, :300] = True, 80
    hidden = ProductReference.of(product, CutOut(product, unknown, is_sure=True, shadow=shadow)).hidden
    assert hidden.shape == (1000, 300, 2) and hidden.dtype == np.uint8
    assert (hidden[:500, :, 0] == 255).all() and not hidden[500:, :, 0].any()
    assert (hidden[:, :150, 1] == 80).all() and not hidden[:, 150:, 1].any()


def test_a_cut_out_that_knows_all_hides_nothing():
    product = np.zeros((80, 60, 4), np.uint8)
    product[20:60, 15:45] = 40, 90, 170, 255
    reference = ProductReference.of(product, CutOut(product, np.zeros((80, 60), bool), is_sure=True))
    assert reference.hidden is None and reference.template is not None
