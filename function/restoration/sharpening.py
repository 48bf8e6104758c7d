"""Restrained sharpening of an enlarged image: an unsharp mask that cannot overshoot.

An enlarged image lacks what is finer than its own pixels. An unsharp mask as wide as those makes its slopes steeper;
clamped to the minimum and maximum of the pixels around it, it leaves no halo and raises no texture or grain of its own.
In and out: (h, w) or (h, w, 3) uint8.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

# Standard deviation of the unsharp mask, in pixels of the image before it was enlarged.
SIGMA = 0.6
# Result pixels are clamped to what lies so far around them, in the same pixels: half of an edge's slope.
CLAMP_RADIUS = 0.75
# The strongest amount grows by this much with each enlargement above one, up to the greatest amount: with more, slanted
# edges show steps.
AMOUNT_SLOPE, MAX_AMOUNT = 2.0, 2.5
# Differences up to so many 8-bit levels are rounding, grain and traces of compression, and are not made greater.
GRAIN_LEVELS = 1.5
# What is enlarged by less is as good as sharp.
MIN_ENLARGEMENT = 1.1


def is_softened(enlargement: float) -> bool:
    """Whether an image enlarged by so much needs sharpening at all."""
    return enlargement >= MIN_ENLARGEMENT


def sharpen(cubic: np.ndarray, linear: np.ndarray, enlargement: float, strength: float = 1.0) -> np.ndarray:
    """An image that was enlarged `enlargement` times, with steeper slopes; uint8 of the same shape.

    cubic, linear  (h, w) or (h, w, 3) uint8, the same enlarged in these two ways
    strength       share 0..1 of the strongest amount that suits the enlargement
    The cubic one is sharpened; no pixel leaves the range that the linear one has within `CLAMP_RADIUS` of it. That is
    the range of the pixels before they were enlarged, while the cubic one already overshoots beside an edge.
    """
    amount = strength * min(MAX_AMOUNT, AMOUNT_SLOPE * (enlargement - 1))
    if amount <= 0:
        return cubic
    blurred = cv2.GaussianBlur(cubic, (0, 0), SIGMA * enlargement)
    steps = np.clip(np.rint(amount * np.maximum(0, np.arange(256) - GRAIN_LEVELS)), 0, 255).astype(np.uint8)
    raised = cv2.add(cubic, cv2.LUT(cv2.subtract(cubic, blurred), steps))
    sharp = cv2.subtract(raised, cv2.LUT(cv2.subtract(blurred, cubic), steps))
    # A disc: the corners of a square reach further, and slanted edges would get steps.
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _clamp_radius(enlargement) + 1,) * 2)
    return cv2.max(cv2.min(sharp, cv2.dilate(linear, around)), cv2.erode(linear, around))


def sharpening_margin(enlargement: float) -> int:
    """Pixels around a part that `sharpen` has to see for the same result as on the whole."""
    # OpenCV's Gaussian of 8-bit images ends at three standard deviations.
    return max(_clamp_radius(enlargement), math.ceil(3 * SIGMA * enlargement) + 1)


def _clamp_radius(enlargement: float) -> int:
    return max(1, round(CLAMP_RADIUS * enlargement))
