"""Like parts of one picture are found, wherever they stand and whatever their size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.self_similarity import repeated_share


def thing(seed: int, side: int = 120) -> np.ndarray:
    """(side, side, 3) uint8: blotches that no other seed has."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def shown(*things: tuple[np.ndarray, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A picture of things at their left and top, and the mask of them all."""
    picture, mask = np.full((300, 500, 3), 128, np.uint8), np.zeros((300, 500), np.uint8)
    for one, left, top in things:
        part = np.s_[top : top + one.shape[0], left : left + one.shape[1]]
        picture[part], mask[part] = one, 255
    return picture, mask


@pytest.mark.parametrize("scale", [1.0, 0.7])
def test_a_twin_is_found_at_its_own_size_and_smaller(scale):
    one = thing(1)
    twin = cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    expected = twin.size / (one.size + twin.size)
    assert repeated_share(*shown((one, 40, 60), (twin, 300, 80))) == pytest.approx(expected, rel=0.6)


def test_things_that_differ_and_one_alone_repeat_nothing():
    assert repeated_share(*shown((thing(1), 40, 60), (thing(2), 300, 60))) == 0
    assert repeated_share(*shown((thing(1), 40, 60))) == 0


def test_a_mirror_image_below_is_no_twin():
    assert repeated_share(*shown((thing(1), 200, 20), (thing(1)[::-1], 200, 150))) == 0


SPECK = np.pad(np.full((2, 2), 255, np.uint8), ((0, 298), (0, 498)))


@pytest.mark.parametrize("mask", [np.zeros((300, 500), np.uint8), SPECK], ids=["nothing", "a speck"])
def test_nothing_and_next_to_nothing_repeat_nothing(mask):
    assert repeated_share(shown()[0], mask) == 0
