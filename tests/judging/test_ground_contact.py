"""The surface right below the base is read: changed where something stands, as it was under a product in the air."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.contact_shadow import LEAST_TOUCHED, SURELY_TOUCHED
from function.judging.ground_contact import gap, surface_below, touched
from tests.judging.samples import HEIGHT, WIDTH, composite, scene, view

NO_SHADE = np.zeros((HEIGHT, WIDTH), np.float32)


def surface(shade: np.ndarray | None) -> np.ndarray:
    answer = composite(shade=shade)
    return surface_below(scene(answer, shade), view(answer))


def test_a_contact_shadow_is_felt_and_an_untouched_surface_is_not():
    assert touched(surface(None), 180) > SURELY_TOUCHED
    assert touched(surface(NO_SHADE), 180) < LEAST_TOUCHED
    assert gap(surface(None), 180) < 0.05


def test_a_shadow_further_down_is_a_gap():
    below = NO_SHADE.copy()
    below[290:310] = 0.4
    assert gap(surface(below), 180) > 0.5


def test_a_bright_reflection_right_below_the_base_is_no_gap():
    rows = np.linspace(-0.5, 0.0, 60, dtype=np.float32)
    assert gap(np.tile(rows, (5, 1)), 200) < 0.01


def test_a_shadow_that_begins_further_down_is_a_gap():
    rows = np.repeat(np.float32([0, 0.4, 0.1]), 20)
    assert gap(np.tile(rows, (5, 1)), 200) == pytest.approx(0.4)


def test_where_the_picture_ends_at_the_base_there_is_no_surface():
    answer = composite()
    cut = answer[:272]
    assert surface_below(scene(cut, image=scene(answer).image[:272]), view(answer)) is None


def test_without_an_outline_there_is_no_base():
    answer = composite()
    assert surface_below(scene(answer), view(answer, cover=np.zeros_like(view(answer).cover))) is None
