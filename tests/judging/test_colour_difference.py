"""Another colour is told from another light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.judging.colour_difference import MAX_COLOUR, MAX_PALETTE_COLOUR, colour_difference
from tests.judging.samples import composite, crop_of, label


def difference(front: np.ndarray, **changes) -> tuple[float, float]:
    crop = crop_of(composite(np.clip(front, 0, 255).astype(np.uint8)), **changes)
    return colour_difference(crop)[:2]


def test_the_same_colours_differ_by_nothing():
    value, chroma = difference(label())
    assert value < 0.5 and chroma == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("gain", [0.6, 1.15, [1.05, 1.0, 0.85]], ids=["darker", "brighter", "warmer"])
def test_light_is_no_difference(gain):
    assert difference(label() * np.asarray(gain))[0] < MAX_COLOUR / 2


@pytest.mark.parametrize("hue", [40, 90, 140])
def test_another_hue_is_one(hue):
    hsv = cv2.cvtColor(label(), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + hue) % 180
    assert difference(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))[0] > MAX_COLOUR


def test_washed_out_colours_have_less_chroma():
    grey = label().mean(axis=2, keepdims=True)
    assert difference(grey + 0.4 * (label() - grey))[1] < 0.7


def test_too_few_pixels_tell_nothing():
    assert (
        colour_difference(crop_of(composite(), visible_mask=np.zeros_like(crop_of(composite()).visible_mask))) is None
    )


def patches(turned: int = 0) -> np.ndarray:
    """A product of large patches in four colours; redrawn, they lie elsewhere."""
    colours = np.roll([(190, 60, 50), (60, 120, 70), (60, 80, 160), (200, 180, 80)], turned, axis=0)
    front = np.empty_like(label())
    for row in range(4):
        front[row * 45 : (row + 1) * 45] = colours[row]
    return front


@pytest.mark.parametrize("fitted", [True, False])
def test_colours_of_the_photograph_at_other_places_are_the_product_s(fitted):
    known = {"matched": False, "fitted": fitted, "find_palette": lambda: patches().reshape(-1, 3)[::97]}
    for drawn in (patches(1), 0.75 * patches(2)):
        assert difference(drawn, **known)[0] < MAX_PALETTE_COLOUR


def test_an_article_that_lacks_half_of_the_colours_is_another_one():
    front = patches()
    front[45:135] = front[0]
    known = {"matched": False, "fitted": False, "find_palette": lambda: patches().reshape(-1, 3)[::97]}
    found = colour_difference(crop_of(composite(front), **known))
    assert found.lab > MAX_PALETTE_COLOUR
    # Or it is turned: it is not thrown away for that.
    assert found.turned < MAX_PALETTE_COLOUR


@pytest.mark.parametrize("hue", [40, 90, 140])
def test_another_hue_is_another_colour_wherever_it_lies(hue):
    hsv = cv2.cvtColor(patches(1), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + hue) % 180
    known = {"matched": False, "fitted": False, "find_palette": lambda: np.uint8([(190, 60, 50), (200, 180, 80)] * 20)}
    assert difference(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), **known)[0] > MAX_PALETTE_COLOUR
