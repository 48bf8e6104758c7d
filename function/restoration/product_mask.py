"""Refines the product's mask: what changed too much to be light, with a matte in its boundary band.

Outside the band around the coarse mask nothing is product, inside all is (a trimap). In it alpha is the difference of
image and relit scene, scaled by what they usually differ by around the product. Where the image is the relit scene
anyway the sharp scene is preferred. In: scene (h, w, 3) uint8, image float32, shading and core at half size. Out: (h,
w) uint8.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import max_channel

# The rim, in half-size pixels on both sides of the rough outline: as far as the blur that found it reaches.
BAND_INSIDE_PX, BAND_OUTSIDE_PX = 3, 1
# Along the rim a pixel is background below the lower, and product above the upper multiple of what relit scene
# and generated image usually differ by around the product.
BACKGROUND_RATIO, PRODUCT_RATIO = 2.0, 5.0
# Lower bound of the usual difference, 8-bit levels.
MIN_DIFFERENCE = 1.5
# Single pixels carry re-made texture: differences are smoothed by this (analysis pixels).
SMOOTHING_PX = 0.8


def coarse_mask(core: np.ndarray, coverage: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8 at analysis `size`: `core` (h', w') bool enlarged, joined with the photograph's coverage."""
    mask = cv2.resize(core.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    return mask if coverage is None else np.maximum(mask, coverage)


def refine_product_mask(
    scene: np.ndarray, generated: np.ndarray, light: np.ndarray, core: np.ndarray, coverage: np.ndarray | None
) -> np.ndarray:
    """(h, w) uint8, 0 background to 255 product.

    scene (h, w, 3) uint8; generated (h, w, 3) float32 0..255, colours matched; light (h', w', 3) float32 log ratio;
    core (h', w') bool, the rough product; coverage (h, w) uint8 of the matched photograph. Where the generated image is
    the relit scene anyway the sharp scene is preferred: background, even inside the rough outline's rim.
    """
    height, width = scene.shape[:2]
    result = np.zeros((height, width), np.uint8) if coverage is None else coverage.copy()
    x, y, box_width, box_height = cv2.boundingRect(core.astype(np.uint8))
    if box_width == 0:
        return result
    # In half-size pixels first, with room around to see what untouched surroundings differ by.
    margin = 8
    left, top = max(0, x - margin), max(0, y - margin)
    right, bottom = x + box_width + margin, y + box_height + margin
    inner = core[top:bottom, left:right].astype(np.uint8)
    box = np.s_[2 * top : 2 * bottom, 2 * left : 2 * right]
    size = scene[box].shape[1], scene[box].shape[0]
    ratio = cv2.resize(light[top:bottom, left:right], size, interpolation=cv2.INTER_LINEAR)
    relit = cv2.GaussianBlur(scene[box] * cv2.exp(ratio), (0, 0), SMOOTHING_PX)
    seen = cv2.GaussianBlur(generated[box], (0, 0), SMOOTHING_PX)
    difference = max_channel(cv2.absdiff(relit, seen))
    around = _enlarged(_dilated(inner, BAND_OUTSIDE_PX), size) == 0
    if coverage is not None:
        around &= coverage[box] == 0
    usual = max(MIN_DIFFERENCE, float(np.median(difference[around]))) if around.any() else MIN_DIFFERENCE
    matte: np.ndarray = np.clip((difference / usual - BACKGROUND_RATIO) / (PRODUCT_RATIO - BACKGROUND_RATIO), 0, 1)
    matte[_enlarged(_eroded(inner, BAND_INSIDE_PX), size) > 0] = 1
    matte[around] = 0
    matte = cv2.morphologyEx(matte, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    matte = cv2.morphologyEx(matte, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    matte = cv2.GaussianBlur(matte, (0, 0), SMOOTHING_PX)
    result[box] = np.maximum(result[box], (matte * 255 + 0.5).astype(np.uint8))
    return result


def _enlarged(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)


def _dilated(mask: np.ndarray, radius: int) -> np.ndarray:
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))


def _eroded(mask: np.ndarray, radius: int) -> np.ndarray:
    return cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))
