"""The emulated model stands a product where the words of the prompt ask it to, or misses in a manner of its own."""

from __future__ import annotations

import numpy as np
import pytest

from function.generation.spot_words import Spot as Asked
from function.generation.spot_words import place_words, size_words
from function.tools.emulator.asked_spot import SPOT_MANNERS, asked_middle, at_asked_spot, hangs, missed, states_spot
from function.tools.emulator.placement import Spot

SIZE = 1000, 500
FOUND = Spot(500.0, 400.0, 100.0)


def spot(asked: Asked, pose="stand", aspect=0.5) -> Spot:
    text = f"Placement: {place_words(asked, pose)}\nScale: {size_words(asked)}"
    assert states_spot(text)
    return at_asked_spot(text, SIZE, aspect, FOUND)


def test_a_box_is_filled_as_far_as_the_product_goes():
    assert spot(Asked(box=(0.2, 0.2, 0.4, 0.4))) == Spot(400, 300, 200)
    assert spot(Asked(box=(0.2, 0.2, 0.1, 0.4)), aspect=1.0) == Spot(250, 300, 100)
    assert spot(Asked(box=(0.2, 0.2, 0.1, 0.4)), "hang", aspect=1.0) == Spot(250, 200, 100)
    assert hangs(place_words(Asked(box=(0.2, 0.2, 0.1, 0.4)), "hang"))
    assert not hangs(place_words(Asked(box=(0.2, 0.2, 0.1, 0.4)), "stand"))


def test_an_area_s_best_point_and_a_height_are_kept():
    area = Asked(areas=(((0.1, 0.8), (0.9, 0.8), (0.9, 0.9)),), best=(0.5, 0.85))
    assert spot(area) == Spot(500, 425, 100)
    assert spot(Asked(area.box, area.areas, area.best, height=0.3)) == Spot(500, 425, 150)
    assert spot(Asked(height=0.3)) == Spot(500, 400, 150)


def test_without_numbers_the_spot_is_the_one_that_was_found():
    assert at_asked_spot("Placement: on the left", SIZE, 0.5, FOUND) == FOUND
    assert not states_spot("Placement: in a box")


def test_the_middle_of_a_box_or_of_an_area_is_read():
    assert asked_middle(place_words(Asked(box=(0.2, 0.2, 0.4, 0.4)), "stand")) == 0.4
    area = Asked(areas=(((0.1, 0.8), (0.9, 0.8), (0.9, 0.9)),), best=(0.7, 0.85))
    assert asked_middle(place_words(area, "stand")) == 0.7
    assert asked_middle("on the left") is None


@pytest.mark.parametrize("manner", sorted(SPOT_MANNERS))
def test_a_manner_misses_it_by_more_than_a_tenth(manner):
    for seed in range(20):
        one = missed(FOUND, 0.5, SIZE, manner, np.random.default_rng(seed))
        off = {
            "spot_missed_up": (FOUND.foot_y - one.foot_y) / FOUND.height,
            "spot_missed_down": (one.foot_y - FOUND.foot_y) / FOUND.height,
            "spot_missed_aside": abs(one.foot_x - FOUND.foot_x) / (0.5 * FOUND.height) - 0.9,
            "spot_oversized": one.height / FOUND.height - 1,
            "spot_undersized": FOUND.height / one.height - 1,
        }
        assert off[manner] > 0.1
    assert missed(FOUND, 0.5, SIZE, None, np.random.default_rng(1)) == FOUND
