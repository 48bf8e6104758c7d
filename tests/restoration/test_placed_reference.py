"""A photograph at a known place: its own pixels and outline, at any size, where it was put."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.place import STEP, Place, outline_box
from function.restoration.placed_reference import PlacedReference


def disc(side: int = 200) -> np.ndarray:
    """A red disc with transparent white around it."""
    product = np.full((side, side, 4), 255, np.uint8)
    product[..., 3] = 0
    cv2.circle(product, (side // 2, side // 2), side // 4, (200, 30, 30, 255), -1)
    return product


@pytest.mark.parametrize("size", [(80, 60), (400, 300), (2400, 1800)])
def test_the_outline_lies_at_its_place_whatever_the_size_and_brings_nothing_of_its_backdrop(size):
    product = disc()
    place = Place.standing(0.5, 0.9, 0.5, outline_box(product[..., 3]), size)
    laid = PlacedReference.of(product, place, size)
    coverage = laid.coverage((0, 0, *size))
    covered = np.nonzero(coverage > 127)
    x, y, width, height = place.pixels(size)
    assert covered[1].min() == pytest.approx(x, abs=1.5) and covered[1].max() + 1 == pytest.approx(x + width, abs=1.5)
    assert covered[0].min() == pytest.approx(y, abs=1.5) and covered[0].max() + 1 == pytest.approx(y + height, abs=1.5)
    assert place.top + place.height == pytest.approx(0.9, abs=STEP) and width == pytest.approx(height, rel=0.02)
    assert np.abs(laid.colours((0, 0, *size))[coverage > 0].astype(int) - [200, 30, 30]).max() <= 10
    # An outline is two or three pixels wide, enlarged or not.
    row = coverage[int(y + height / 2)]
    assert 0 < np.count_nonzero((row > 10) & (row < 245)) <= 8


def test_a_part_is_the_same_as_in_the_whole():
    size = (300, 200)
    laid = PlacedReference.of(disc(), Place(0.3, 0.2, 0.3, 0.45), size)
    x, y, width, height = box = 100, 50, 60, 40
    whole = laid.colours((0, 0, *size)), laid.coverage((0, 0, *size))
    for part, all_of_it in zip((laid.colours(box), laid.coverage(box)), whole, strict=True):
        assert np.abs(part.astype(int) - all_of_it[y : y + height, x : x + width]).max() <= 1
