"""The photograph in the result: at its place, under the light that was measured there, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.place import Place
from function.restoration.composite_product import composite_product
from function.restoration.product_light import DARK_OFFSET

PLACE = Place(0.25, 0.25, 0.5, 0.5)
GRID = (80, 60)  # of the light; the result is five times as large
FULL = (400, 300)
NO_LIGHT = np.zeros((60, 80, 3), np.float32)


def laid(log_gain: np.ndarray, corner: tuple[int, int] = (0, 0), alpha: int = 255) -> tuple[np.ndarray, float]:
    """A plain card in a grey picture, and the share of it that it covers."""
    image = np.full((FULL[1], FULL[0], 3), 90, np.uint8)
    product = np.full((60, 80, 4), (200, 120, 40, alpha), np.uint8)
    return image, composite_product(image, product, PLACE, log_gain, corner, GRID)


def test_the_card_lies_at_its_place_and_its_share_is_told():
    image, share = laid(NO_LIGHT)
    assert share == pytest.approx(0.25, abs=0.01)
    assert (np.abs(image[77:223, 102:298].astype(int) - [200, 120, 40]) <= 1).all()
    image[73:227, 98:302] = 90
    assert (image == 90).all()


def test_the_light_multiplies_each_colour_as_it_was_measured():
    gain = np.float32([0.5, 1.0, 1.5])
    image, _ = laid(np.broadcast_to(np.log(gain), NO_LIGHT.shape).astype(np.float32))
    expected = np.clip((np.float32([200, 120, 40]) + DARK_OFFSET) * gain - DARK_OFFSET, 0, 255)
    assert np.abs(image[77:223, 102:298] - expected).max() <= 1


def test_the_light_of_a_part_lies_where_that_part_does():
    """Dark to the left of column 40 and above row 30 of the whole grid, given as a crop."""
    light = NO_LIGHT[10:50, 15:65].copy()
    light[:20, :25] = np.log(0.5)
    image, _ = laid(light, corner=(15, 10))
    dark = image[..., 0] < 150
    assert dark[80:146, 105:196].all()
    assert not dark[80:220, 204:295].any() and not dark[154:220, 204:295].any() and not dark[154:220, 105:295].any()


def test_half_a_coverage_shows_half_of_what_is_under_it():
    image, share = laid(NO_LIGHT, alpha=128)
    assert share == pytest.approx(0.125, abs=0.01)
    assert np.abs(image[77:223, 102:298].astype(int) - [145, 105, 65]).max() <= 2


def test_what_is_transparent_takes_no_room_at_the_place():
    image = np.full((FULL[1], FULL[0], 3), 90, np.uint8)
    product = np.full((60, 80, 4), (200, 120, 40, 255), np.uint8)
    product[:, :40, 3] = 0
    assert composite_product(image, product, PLACE, NO_LIGHT, (0, 0), GRID) == pytest.approx(0.25, abs=0.01)
    assert (image[77:223, 102:298] != 90).any(axis=2).all()
