"""Steepens edges along the silhouette of what was inserted, by moving where pixels are sampled.

Warp sharpening (Arad and Gotsman, "Enhancement by image-dependent warping", IEEE Transactions on Image Processing 8(8),
1999, doi:10.1109/83.777087): pixels on both sides of an edge are taken from a little further away from it, so that the
edge's slope is crossed in fewer pixels. No value appears that the image does not hold there, so there is no halo. Lines
get thinner: print and texture are left alone, and so is an edge that is softer than the image's pixels.

In: image (h, w, 3), mask (h, w) uint8 at analysis size. Out: a displacement (h, w, 2) float32, px.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, max_channel

# The true outline lies within this distance of a mask's own, in analysis pixels: masks take in a shadow's core.
BAND_INSIDE_PX, BAND_OUTSIDE_PX = 8, 2
# Scale at which edges are detected (standard deviation, analysis pixels).
EDGE_SIGMA_PX = 1.0
# The edges' strength is smoothed by this much (standard deviation, analysis pixels), and so is the warp.
STRENGTH_SIGMA_PX, PEAK_SIGMA_PX = 0.7, 1.0
# Slopes (8-bit levels per pixel) much under this are no edges.
FLAT_SLOPE = 2.0
# An edge's slope at that sigma over the slope at twice as much: 1.7 for a step as sharp as the generated image can show
# it, 1.2 for one that is softer than its pixels, being fur or out of focus. That one stays as it is.
SOFT_RATIO, SHARP_RATIO = 1.2, 1.4
# Variance of an edge's strength across the edge (square analysis pixels), a step as sharp as the generated image can
# show: it makes `gain` that of the slope.
EDGE_VARIANCE = 1.5
# A greater gain would fold the image: samples beside the edge would change places.
MAX_GAIN = 3.5
# A mask holds what is above this (0..255).
MIN_MASK = 8


def warp_box(mask: np.ndarray) -> PixelBox | None:
    """The part of `mask` (h, w) uint8 in which `edge_warp` may move anything; None if it is empty."""
    x, y, width, height = cv2.boundingRect(cv2.inRange(mask, MIN_MASK, 255))
    if width == 0:
        return None
    margin = 2 * BAND_OUTSIDE_PX + 4
    left, top = max(0, x - margin), max(0, y - margin)
    right, bottom = min(mask.shape[1], x + width + margin), min(mask.shape[0], y + height + margin)
    return left, top, right - left, bottom - top


def edge_warp(generated: np.ndarray, mask: np.ndarray, gain: float) -> np.ndarray:
    """Where to sample instead, as a displacement (h, w, 2) float32, x and y in pixels.

    generated  (h, w, 3) uint8, at analysis size
    mask       (h, w) uint8 coverage of what was inserted; only edges near its outline are made steeper
    gain       how many times as steep edges shall be, up to `MAX_GAIN`; 1 moves nothing
    """
    slope, wide_slope = (_slope(generated, sigma) for sigma in (EDGE_SIGMA_PX, 2 * EDGE_SIGMA_PX))
    sharpness = cv2.divide(slope, wide_slope + FLAT_SLOPE)
    sharp_share = np.clip((sharpness - SOFT_RATIO) / (SHARP_RATIO - SOFT_RATIO), 0, 1)
    sharp_share = cv2.GaussianBlur(cv2.dilate(sharp_share, np.ones((5, 5), np.uint8)), (0, 0), PEAK_SIGMA_PX)
    slope = cv2.GaussianBlur(slope, (0, 0), STRENGTH_SIGMA_PX)
    peak = cv2.GaussianBlur(cv2.dilate(slope, np.ones((5, 5), np.uint8)), (0, 0), PEAK_SIGMA_PX)
    # 1 along every edge, whatever its contrast, falling off on both sides.
    strength = slope / (peak + FLAT_SLOPE)
    push = sharp_share * _outline_band(mask) * np.float32(-(min(gain, MAX_GAIN) - 1) * EDGE_VARIANCE)
    falls = [cv2.Scharr(strength, cv2.CV_32F, *order, scale=1 / 32) for order in ((1, 0), (0, 1))]
    result: np.ndarray = cv2.merge([push * fall for fall in falls])
    return result


def _slope(image: np.ndarray, sigma: float) -> np.ndarray:
    """(h, w) float32, levels per pixel: the steepest channel's gradient of `image` blurred by `sigma` pixels."""
    smooth = cv2.GaussianBlur(image, (0, 0), sigma)
    return cv2.magnitude(
        *(max_channel(np.abs(cv2.Scharr(smooth, cv2.CV_32F, *order, scale=1 / 32))) for order in ((1, 0), (0, 1)))
    )


def _outline_band(mask: np.ndarray) -> np.ndarray:
    """(h, w) float32, 1 near the outline of `mask`, with soft ends."""
    held = cv2.inRange(mask, MIN_MASK, 255)
    outer = cv2.dilate(held, np.ones((2 * BAND_OUTSIDE_PX + 1,) * 2, np.uint8))
    inner = cv2.erode(held, np.ones((2 * BAND_INSIDE_PX + 1,) * 2, np.uint8), borderType=cv2.BORDER_REPLICATE)
    return cv2.blur(cv2.subtract(outer, inner).astype(np.float32) * np.float32(1 / 255), (5, 5))
