"""Along the silhouette a pixel is so much product as its colour lies between the backdrop's and the product's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.cutout.matte import refine_matte

SIDE = 160
BACK, FRONT = (230, 225, 220), (150, 40, 60)


def truth(side: int = SIDE, soft: float = 0.8) -> np.ndarray:
    """(side, side) float32 0..1, the coverage of a disc."""
    disc = cv2.circle(np.zeros((4 * side, 4 * side), np.float32), (2 * side, 2 * side), int(1.2 * side), 1.0, -1)
    return cv2.GaussianBlur(cv2.resize(disc, (side, side), interpolation=cv2.INTER_AREA), (0, 0), soft)


def shown(share: np.ndarray, front=FRONT, graded: float = 0.0) -> np.ndarray:
    """(h, w, 3) uint8: a product of that coverage before its backdrop, darker to the right by `graded` levels."""
    behind = np.float32(BACK) - graded * np.linspace(0, 1, share.shape[1])[None, :, None]
    return (share[..., None] * np.float32(front) + (1 - share[..., None]) * behind + 0.5).astype(np.uint8)


def test_the_soft_outline_is_read_from_the_colours():
    share = truth()
    matte = refine_matte(shown(share), shown(share), share < 0.5)
    assert matte.shape == (SIDE, SIDE, 4) and matte.dtype == np.uint8
    off = np.abs(matte[..., 3] / 255 - share)
    assert off.max() < 0.1 and off.mean() < 0.003
    assert (matte[share == 1, 3] == 255).all() and not matte[share == 0, 3].any()


def test_an_estimate_that_is_a_pixel_off_is_corrected():
    share = truth()
    outside = np.roll(share < 0.5, 1, axis=1)
    assert np.abs((~outside).astype(float) - share).max() > 0.8
    assert np.abs(refine_matte(shown(share), shown(share), outside)[..., 3] / 255 - share).mean() < 0.005


def test_the_backdrop_is_taken_out_of_the_outline_s_colours():
    share = truth()
    matte = refine_matte(shown(share), shown(share), share < 0.5)
    rim = (share > 0.4) & (share < 0.9)
    assert np.abs(matte[rim][:, :3].astype(int) - FRONT).max() < 25
    assert np.abs(shown(share)[rim].astype(int) - FRONT).max() > 80
    assert np.array_equal(matte[share == 1][:, :3], shown(share)[share == 1])


def test_the_outline_is_as_sharp_as_the_full_photograph():
    small, large = truth(SIDE), truth(3 * SIDE)
    matte = refine_matte(shown(large, graded=80), shown(small, graded=80), small < 0.5)
    assert matte.shape == (3 * SIDE, 3 * SIDE, 4)
    rim = (large > 0.02) & (large < 0.98)
    assert np.abs(matte[..., 3] / 255 - large)[rim].mean() < 0.05
    row = matte[3 * SIDE // 2, :, 3]
    assert np.count_nonzero((row > 20) & (row < 235)) <= 10


@pytest.mark.parametrize("darker", [0, 8])
def test_where_both_have_nearly_one_colour_the_estimate_counts(darker):
    share, front = truth(), tuple(level - darker for level in BACK)
    outside = share < 0.5
    alpha = refine_matte(shown(share, front), shown(share, front), outside)[..., 3]
    assert ((alpha > 127) != ~outside).mean() < 0.002 and np.abs(alpha / 255 - share).mean() < 0.01


@pytest.mark.parametrize("thickness", [2, 4])
def test_a_thin_stem_without_an_interior_is_kept(thickness):
    share = np.zeros((SIDE, SIDE), np.float32)
    share[30:130, 80 : 80 + thickness] = 1
    share = cv2.GaussianBlur(share, (0, 0), 0.5)
    matte = refine_matte(shown(share), shown(share), share < 0.5)
    assert matte[40:120, 80 : 80 + thickness, 3].mean() > 200
    assert not matte[:, :70, 3].any() and not matte[:, 95:, 3].any()


def test_all_product_or_none_has_no_outline():
    picture = shown(truth())
    for outside, alpha in ((np.zeros((SIDE, SIDE), bool), 255), (np.ones((SIDE, SIDE), bool), 0)):
        assert (refine_matte(picture, picture, outside)[..., 3] == alpha).all()
