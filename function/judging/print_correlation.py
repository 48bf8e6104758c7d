"""How well the product's print agrees with its photograph's: normalised cross-correlation (NCC) of band-passed luma.

Both are band-passed by a difference of Gaussians under the product's mask (normalised convolution, Knutsson and Westin,
CVPR 1993): local brightness goes, print stays. One correlation over the whole product tells whether it is the same
pattern; the NCC in a window of a word's size, weighted by the photograph's local contrast, tells which share of the
print shows something else.

In: `ProductCrop` (h, w). Out: a correlation -1..1 and a share 0..1. One number over all of the label does not see one
replaced word; the share does. Both are printed by `python -m tests.bench.judging`.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import blur
from function.imaging.photometry import LocalMoments, local_correlation, masked_mean
from function.judging.product_crop import ProductCrop

# Least NCC over all of the print of a matched product: garbled letters still lie where letters lay.
MIN_PRINT_CORRELATION = 0.55
# Least NCC of the luma patterns where only the silhouette could be fitted.
MIN_PATTERN_CORRELATION = 0.6
# Band-pass of the pattern: standard deviation as a share of the product's height, and of the background in multiples.
BAND_SIGMA, BACKGROUND_SIGMAS = 0.006, 5
# Local NCC: smoothing, window and the rim left out, shares of the product's height; print below this contrast (levels)
# does not count, and below this correlation it is something else.
PRINT_SIGMA, WINDOW_SIGMA, RIM_SHARE, MIN_PRINT_CONTRAST, MIN_LOCAL_CORRELATION = 0.01, 0.04, 0.05, 3.0, 0.45
# Added to the product of the variances (8-bit levels to the fourth): blank windows do not count as unlike.
REGULARISER = 4.0


def mismatched_share(crop: ProductCrop, print_mask: np.ndarray | None = None) -> float:
    """Share 0..1 of the photograph's print, weighted by contrast, where the generated image shows something else.

    Without the `print_mask` (h, w) uint8 of the photograph, in the crop, all that has contrast counts: gloss as well.
    """
    known = np.minimum(crop.visible_mask, crop.product_mask)
    expected, shown = _band_passed(crop, known, max(1.0, PRINT_SIGMA * crop.height))
    near = lambda p: blur(p, max(2.0, WINDOW_SIGMA * crop.height))  # noqa: E731
    moments = LocalMoments.of_centred(expected, near)
    correlation = local_correlation(moments, LocalMoments.of_centred(shown, near), added=REGULARISER)
    rim = 2 * int(RIM_SHARE * crop.height) + 1
    inner = cv2.erode((known > 0.9).astype(np.uint8), np.ones((rim, rim), np.uint8)) > 0
    contrast = np.sqrt(moments.variance) * inner
    contrast[contrast < MIN_PRINT_CONTRAST] = 0
    if print_mask is not None:
        contrast[print_mask < 128] = 0
    total = float(contrast.sum())
    return float(contrast[correlation < MIN_LOCAL_CORRELATION].sum()) / total if total > 0 else 0.0


def pattern_correlation(crop: ProductCrop) -> float:
    """NCC -1..1 of generated image and photograph, both band-passed."""
    known = np.minimum(crop.visible_mask, crop.product_mask)
    expected, shown = _band_passed(crop, known, max(0.8, BAND_SIGMA * crop.height))
    power = float((expected * expected).sum()) * float((shown * shown).sum())
    return float((expected * shown).sum() / np.sqrt(power)) if power > 1e-6 else 0.0


def _band_passed(crop: ProductCrop, known: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) float32 each: photograph and generated image."""
    expected, shown = (
        _band_pass(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32), known, sigma)
        for p in (crop.expected, crop.generated)
    )
    return expected, shown


def _band_pass(grey: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """`grey` (h, w) float32 less its background under `weight`, smoothed by `sigma`."""
    brightness = masked_mean(weight, lambda image: blur(image, BACKGROUND_SIGMAS * sigma), added=1e-3)
    result: np.ndarray = cv2.GaussianBlur((grey - brightness(grey)) * weight, (0, 0), sigma)
    return result
