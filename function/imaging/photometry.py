"""Photometric measures that several algorithms share: light, ratios of light, means under a mask, local correlation.

A `window` is a linear average over the neighbourhood of each pixel, as a function of an image: a box or a Gaussian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from function.imaging.array_ops import to_three_channels

Window = Callable[[np.ndarray], np.ndarray]

_LEVELS = np.arange(256, dtype=np.float32)
_RGB_CHANNELS = 3


def srgb_to_linear(srgb: np.ndarray) -> np.ndarray:
    """Linear light 0..1 float32 of `srgb` uint8, any shape (IEC 61966-2-1)."""
    value = _LEVELS / 255
    return cv2.LUT(srgb, np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4))


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """sRGB 0..1 float32 of `linear` light float32, any shape, clipped to 0..1 (IEC 61966-2-1)."""
    value = np.clip(linear, 0, 1)
    result: np.ndarray = np.where(value <= 0.0031308, value * 12.92, 1.055 * np.power(value, 1 / 2.4) - 0.055).astype(
        np.float32
    )
    return result


def log_ratio(
    scene: np.ndarray | float,
    answer: np.ndarray | float,
    dark_offset: float,
    log: Callable[..., np.ndarray] = cv2.log,
) -> np.ndarray:
    """Logarithm of `answer` over `scene`, both of one shape: how much brighter the answer is.

    `dark_offset`, in units of the images, is added to both so that ratios of dark pixels stay finite and their noise
    small. `log` is the logarithm: OpenCV's natural one, which is fast; `np.log2` gives stops.
    """
    return log((answer + dark_offset) / (scene + dark_offset))


def log2_levels(image: np.ndarray, dark_offset: float) -> np.ndarray:
    """log2(`image` + `dark_offset`) float32 of `image` uint8, any shape: a difference of two is one in stops."""
    return cv2.LUT(image, _log2_table(dark_offset))


@lru_cache(maxsize=8)
def _log2_table(dark_offset: float) -> np.ndarray:
    result: np.ndarray = np.log2(_LEVELS + dark_offset)
    return result


def masked_mean(
    weight: np.ndarray, window: Window, *, added: float = 0.0, least: float = 0.0
) -> Callable[[np.ndarray], np.ndarray]:
    """A function that gives the mean of an image in the `window` around each pixel, over `weight` (h, w) float32 only.

    Normalised convolution (Knutsson and Westin, "Normalized and differential convolution", CVPR 1993,
    doi:10.1109/CVPR.1993.341081): window(image * weight) / window(weight). The images are (h, w) or (h, w, n) float32,
    the means too. `added` is added to the divisor, and pulls to 0 where there is little weight; `least` bounds it from
    below. One of the two has to be above 0 where the weight may be 0 all over a window.
    """
    divisor = np.maximum(window(weight) + added, least)

    def mean(image: np.ndarray) -> np.ndarray:
        result: np.ndarray = window(image * _like(image, weight)) / _like(image, divisor)
        return result

    return mean


def _like(image: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """`factor` (h, w) with as many channels as `image`."""
    if image.ndim == 2:
        return factor
    return to_three_channels(factor) if image.shape[2] == _RGB_CHANNELS else cv2.merge([factor] * image.shape[2])


@dataclass(frozen=True)
class LocalMoments:
    """Mean and variance (h, w) float32 of `image` (h, w) float32 in the `window` around each pixel.

    `mean` is None for an image whose local mean was taken out before: it counts as 0.
    """

    image: np.ndarray
    window: Window
    mean: np.ndarray | None
    variance: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray, window: Window) -> LocalMoments:
        """Of any image."""
        mean = window(image)
        return cls(image, window, mean, window(image * image) - mean**2)

    @classmethod
    def of_centred(cls, image: np.ndarray, window: Window) -> LocalMoments:
        """Of an image whose local mean was taken out before."""
        return cls(image, window, None, window(image * image))


def local_correlation(
    first: LocalMoments, second: LocalMoments, *, added: float = 0.0, least: float = 0.0
) -> np.ndarray:
    """Normalised cross-correlation (h, w) float32, -1..1, of two images in the window around each pixel.

    Both have to be taken with the same window, and centred or not alike. What regularises the divisor, the product of
    the variances, keeps blank places near 0: `added` is added to it, `least` bounds it from below; units are those of
    the images to the fourth power. One of them has to be above 0.
    """
    covariance = first.window(first.image * second.image)
    if first.mean is not None and second.mean is not None:
        covariance = covariance - first.mean * second.mean
    power = first.variance * second.variance
    result: np.ndarray = covariance / np.sqrt(np.maximum(power + added, least))
    return result
