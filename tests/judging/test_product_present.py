"""A missing product, a speck, and another thing are no product."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.product_present import MIN_AREA, is_same_product, product_present
from tests.judging.samples import composite, crop_of, inspection, label

OTHER_THING = composite(np.full_like(label(), (200, 160, 20)))


def test_the_product_is_there_and_its_area_is_said():
    check = product_present(inspection())
    assert check.passed and check.value == pytest.approx(100 * 180 / (480 * 360), abs=1e-3)


def test_nothing_put_in_is_missing():
    check = product_present(replace(inspection(), product_crop=None))
    assert not check.passed and check.value == 0 and check.threshold == MIN_AREA


def test_a_speck_is_missing():
    cover = np.zeros_like(crop_of(composite()).product_mask)
    cover[100:110, 50:60] = 1
    assert not product_present(inspection(crop=crop_of(composite(), product_mask=cover))).passed


def test_another_thing_is_not_the_product_unless_its_print_was_found():
    assert not product_present(inspection(OTHER_THING, matched=None)).passed
    assert is_same_product(inspection(OTHER_THING))


def test_the_product_resembles_itself_without_its_print_being_found():
    assert is_same_product(inspection(matched=None))
