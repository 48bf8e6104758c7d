"""A smooth backdrop is known behind the product from its border; a room is none."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.cutout.backdrop import (
    MIN_CHROMA,
    MIN_LUMA,
    backdrop_difference,
    fit_backdrop,
    push_pull,
    refit_backdrop,
)

HEIGHT, WIDTH = 160, 220
MIDDLE = np.s_[50:110, 70:150]
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
# A wall that goes over into a floor, and light that falls from one side: a function of the row plus one of the column.
SWEPT = 190 + 40 / (1 + np.exp((Y - 90) / 12)) - 30 * (X / WIDTH) ** 2


def colour(tone: np.ndarray, grain: float = 0.0, colour_noise: float = 0.0) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8 of a warm backdrop of that tone, with grey grain and with noise of all colours."""
    picture, rng = tone[..., None] * np.float32([1.0, 0.95, 0.9]), np.random.default_rng(0)
    picture = picture + rng.normal(0, grain, (HEIGHT, WIDTH, 1)) + rng.normal(0, colour_noise, picture.shape)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def with_product(picture: np.ndarray) -> np.ndarray:
    picture = picture.copy()
    picture[MIDDLE] = 40, 60, 120
    return picture


@pytest.mark.parametrize("tone", [np.full_like(X, 240), 150 + 60 * X / WIDTH, SWEPT], ids=["flat", "graded", "sweep"])
def test_behind_the_product_the_backdrop_goes_on(tone):
    found = fit_backdrop(with_product(colour(tone)))
    assert found.image.shape == (HEIGHT, WIDTH, 3) and found.image.dtype == np.float32
    assert np.abs(found.image - colour(tone)).max() < 3
    assert (found.luma, found.chroma) == pytest.approx((MIN_LUMA, MIN_CHROMA), abs=0.5)


def test_a_grainy_backdrop_may_differ_by_more():
    grainy = fit_backdrop(with_product(colour(SWEPT, grain=3)))
    assert 4 < grainy.luma < 7 and grainy.chroma == MIN_CHROMA
    coloured = fit_backdrop(with_product(colour(SWEPT, colour_noise=2)))
    assert coloured.luma == MIN_LUMA and 4 < coloured.chroma < 8
    assert fit_backdrop(with_product(colour(SWEPT, grain=12))) is None


def test_a_room_is_no_backdrop():
    tiles = np.where((Y // 20 + X // 25) % 2 == 0, 190, 110)
    assert fit_backdrop(colour(tiles)) is None
    steep = 40 + 200 * X / WIDTH
    assert fit_backdrop(colour(steep)) is None
    assert fit_backdrop(colour(SWEPT)[:12]) is None


def test_a_product_that_reaches_the_border_does_not_darken_it():
    picture = with_product(colour(SWEPT))
    picture[100:, 90:130] = colour(SWEPT - 8)[100:, 90:130]
    found = fit_backdrop(picture)
    assert np.abs(found.image - colour(SWEPT)).max() < 4


def test_what_shows_in_the_middle_corrects_it():
    lit = SWEPT + 8 * np.exp(-(((X - 110) / 50) ** 2) - ((Y - 80) / 40) ** 2)
    picture = with_product(colour(lit))
    visible = np.ones((HEIGHT, WIDTH), bool)
    visible[MIDDLE] = False
    first = fit_backdrop(picture)
    again = refit_backdrop(first, picture, visible)
    off, left = (np.abs(backdrop.image - colour(lit)) for backdrop in (first, again))
    assert off.max() > 6 and left[visible].max() < 3.5 and left.max() < 0.8 * off.max()
    assert (again.luma, again.chroma) == (first.luma, first.chroma)


def test_colours_are_carried_on_from_what_is_known():
    known = np.zeros((64, 64), np.float32)
    known[:, :16] = known[:, 48:] = 1
    picture = np.where(X[:64, :64, None] < 32, np.float32([200, 40, 10]), np.float32([10, 60, 220]))
    filled = push_pull(picture * known[..., None], known)
    assert np.abs(filled - picture)[:, :14].max() < 1 and np.abs(filled - picture)[:, 50:].max() < 1
    # Between them it goes over from one to the other.
    red = filled[32, 16:48, 0]
    assert red[:4].mean() > 150 and red[-4:].mean() < 60 and np.diff(red).max() < 1


def test_a_difference_is_told_as_level_hue_and_ratio():
    backdrop = np.full((20, 20, 3), (200, 180, 160), np.float32)
    halved = backdrop_difference((backdrop / 2).astype(np.uint8), backdrop)
    assert [float(part.mean()) for part in halved] == pytest.approx([-100, 0, 0.5], abs=0.5)
    redder = backdrop_difference((backdrop * [1.1, 1, 1]).astype(np.uint8), backdrop)
    assert [float(part.mean()) for part in redder] == pytest.approx([20 / 3, 20, 1.1], abs=0.5)
    same = backdrop_difference(backdrop.astype(np.uint8), backdrop)
    assert [float(np.abs(part).max()) for part in same] == pytest.approx([0, 0, 1], abs=1e-3)
