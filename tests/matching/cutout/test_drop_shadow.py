"""A soft black shadow baked into a cut-out's alpha is taken off, and what it lay under is the product's again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.cutout.drop_shadow import remove_drop_shadow

SIDE = 200


def product() -> np.ndarray:
    """(SIDE, SIDE, 4) float32: a red disc with a soft outline, colours 0..255 and alpha 0..1."""
    alpha = cv2.circle(np.zeros((SIDE, SIDE), np.float32), (100, 90), 50, 1.0, -1)
    return np.dstack([np.full((SIDE, SIDE, 3), (200, 50, 40), np.float32), cv2.GaussianBlur(alpha, (0, 0), 1.2)])


def shadow(strength: float = 0.5) -> np.ndarray:
    """(SIDE, SIDE) float32 0..1, below it and to the right."""
    spot = cv2.circle(np.zeros((SIDE, SIDE), np.float32), (112, 108), 50, 1.0, -1)
    return strength * cv2.GaussianBlur(spot, (0, 0), 9)


def over(front: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, 4) uint8: `front` composited over a black `shade`."""
    own = front[..., 3]
    alpha = own + (1 - own) * shade
    colours = front[..., :3] * (own / np.maximum(alpha, 1e-6))[..., None]
    return (np.dstack([colours, 255 * alpha]) + 0.5).astype(np.uint8)


def test_the_product_has_its_own_outline_and_colour_again():
    given, shade = product(), shadow()
    bare, taken = remove_drop_shadow(over(given, shade))
    assert bare.shape == (SIDE, SIDE, 4) and bare.dtype == taken.dtype == np.uint8
    assert np.abs(bare[..., 3] / 255 - given[..., 3]).mean() < 0.003
    rim = (given[..., 3] > 0.3) & (given[..., 3] < 0.95) & (shade > 0.2)
    assert rim.sum() > 50
    assert np.median(np.abs(bare[..., 3] / 255 - given[..., 3])[rim]) < 0.06
    darkened, left = (200 - float(np.mean(p[rim][:, 0])) for p in (over(given, shade), bare))
    assert left < 0.6 * darkened


def test_the_shadow_that_was_taken_off_is_told():
    given, shade = product(), shadow()
    _, taken = remove_drop_shadow(over(given, shade))
    beside = (given[..., 3] < 0.01) & (shade > 0.05)
    assert np.abs(taken / 255 - shade)[beside].mean() < 0.02
    assert not taken[given[..., 3] > 0.99].any() and not taken[:30, :30].any()


def test_of_a_grainy_shadow_in_a_large_photograph_nothing_is_left():
    given, shade = product(), shadow()
    large, own, depth = (cv2.resize(p, (900, 900)) for p in (over(given, shade), given[..., 3], shade))
    beside = (own < 0.01) & (depth > 0.1)
    grain = np.random.default_rng(0).integers(-4, 5, beside.shape)
    large[beside, 3] = (large[..., 3] + grain)[beside]
    bare, _ = remove_drop_shadow(large)
    assert not bare[beside, 3].any()


def test_a_cut_out_without_a_shadow_has_none():
    assert remove_drop_shadow(over(product(), np.zeros((SIDE, SIDE), np.float32))) is None
    assert remove_drop_shadow(np.zeros((SIDE, SIDE, 4), np.uint8)) is None


@pytest.mark.parametrize("colour", [(200, 190, 180), (40, 40, 160)])
def test_what_is_translucent_and_not_black_is_product(colour):
    veil = product()
    veil[120:180, 20:180] = (*colour, 0.4)
    assert remove_drop_shadow(over(veil, np.zeros((SIDE, SIDE), np.float32))) is None


def test_the_shadow_of_a_chain_is_taken_off_though_it_is_most_of_what_is_covered():
    chain = np.zeros((SIDE, SIDE, 4), np.float32)
    cv2.circle(chain, (100, 80), 45, (210, 180, 60, 1.0), 4)
    shade = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(shade, (110, 110), 60, 0.5, -1)
    bare, taken = remove_drop_shadow(over(chain, cv2.GaussianBlur(shade, (0, 0), 10)))
    assert np.abs(bare[..., 3] / 255 - chain[..., 3]).mean() < 0.01 and taken.max() > 100


def test_a_dark_veil_is_no_shadow():
    """It is translucent and black, and ends where it ends; a chain's shadow fades out."""
    veil = np.zeros((400, 400, 4), np.uint8)
    veil[80:320, 60:340, 3] = 110
    veil[80:320, 60:80] = (20, 20, 20, 255)
    assert remove_drop_shadow(veil) is None
