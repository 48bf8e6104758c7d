"""Another colour is told from another light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.judging.colour_difference import MOST_COLOUR, colour_difference
from tests.judging.samples import composite, label, view


def difference(front: np.ndarray) -> tuple[float, float]:
    return colour_difference(view(composite(np.clip(front, 0, 255).astype(np.uint8))))


def test_the_same_colours_differ_by_nothing():
    value, chroma = difference(label())
    assert value < 0.5 and chroma == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("gain", [0.6, 1.15, [1.05, 1.0, 0.85]], ids=["darker", "brighter", "warmer"])
def test_light_is_no_difference(gain):
    assert difference(label() * np.asarray(gain))[0] < MOST_COLOUR / 2


@pytest.mark.parametrize("hue", [40, 90, 140])
def test_another_hue_is_one(hue):
    hsv = cv2.cvtColor(label(), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + hue) % 180
    assert difference(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))[0] > MOST_COLOUR


def test_washed_out_colours_have_less_chroma():
    grey = label().mean(axis=2, keepdims=True)
    assert difference(grey + 0.4 * (label() - grey))[1] < 0.7


def test_too_few_pixels_tell_nothing():
    assert colour_difference(view(composite(), seen=np.zeros_like(view(composite()).seen))) is None
