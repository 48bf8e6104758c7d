"""Primitives on image arrays that several algorithms share. An image is (h, w) or (h, w, channels)."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

PixelBox = tuple[int, int, int, int]  # x, y, width, height in pixels

# OpenCV takes None, or a number, for some arrays; its stubs do not say so.
NO_ARRAY = cast("np.ndarray", None)
_ZERO = cast("np.ndarray", 0.0)

# Every second pixel along both sides: enough to know the median of a smooth field, in a quarter of the time.
EVERY_SECOND = np.s_[::2, ::2]
# A wide Gaussian is taken at a size at which its own standard deviation is still about this many pixels.
_BLUR_SIGMA_PX = 1.7


def downsample2(image: np.ndarray) -> np.ndarray:
    """`image` at half its size by area average, odd sides rounded up; dtype and channels stay."""
    size = (image.shape[1] + 1) // 2, (image.shape[0] + 1) // 2
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of standard deviation `sigma` pixels; dtype and shape stay.

    Wide ones are taken at a smaller size, where they cost little and look the same.
    """
    step = int(sigma / _BLUR_SIGMA_PX)
    if step < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    size = max(1, image.shape[1] // step), max(1, image.shape[0] // step)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)


def remap(
    image: np.ndarray, places: np.ndarray, interpolation: int = cv2.INTER_LINEAR, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """`image` at `places` (h, w, 2) float32, x and y in its pixels, the first pixel's centre at (0, 0).

    Outside of it the `border` mode of OpenCV counts; a constant border is 0. dtype and channels stay.
    """
    return cv2.remap(image, places, NO_ARRAY, interpolation, borderMode=border)


def max_channel(image: np.ndarray) -> np.ndarray:
    """(h, w): the greatest channel of `image` (h, w, 3); many times faster than numpy's maximum over the last axis."""
    first, second, third = cv2.split(image)
    return cv2.max(cv2.max(first, second), third)


def to_three_channels(image: np.ndarray) -> np.ndarray:
    """(h, w) as (h, w, 3), to multiply by: numpy's broadcasting over the last axis takes five times as long."""
    return cv2.merge([image, image, image])


def to_bytes(image: np.ndarray) -> np.ndarray:
    """`image` float32 as uint8 of the same shape, rounded to nearest (halves to even) and clipped to 0..255."""
    return cv2.add(image, _ZERO, dtype=cv2.CV_8U)


def weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """The value below which half of the `weight` lies; both of one shape. 0 without any weight."""
    order = np.argsort(values, axis=None)
    total = np.cumsum(weight.ravel()[order])
    return float(values.ravel()[order][np.searchsorted(total, total[-1] / 2)]) if total[-1] > 0 else 0.0


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """`mask` (h, w) uint8 0 or 1 with every enclosed hole filled."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 1, cv2.FILLED)


def largest_component(mask: np.ndarray, min_side_px: int = 1) -> tuple[np.ndarray, PixelBox] | None:
    """The 8-connected component of `mask` (h, w) bool with the largest area: (h, w) bool, and its bounding box.

    None where nothing is set, or where a side of that box is shorter than `min_side_px`.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y, width, height = (int(value) for value in stats[best, :4])
    return (labels == best, (x, y, width, height)) if min(width, height) >= min_side_px else None
