"""How well the product's print agrees with its photograph's."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import blur
from function.imaging.photometry import LocalMoments, local_correlation, masked_mean
from function.judging.product_view import ProductView

# Agreement (correlation) over all of the print of a product that was found by it: letters that are none still lie where
# letters lay.
MIN_AGREEMENT = 0.55
# Agreement of brightness patterns that stands for the print where only the outline could be fitted.
MIN_PATTERN = 0.6
# Patterns are compared over this share of the product's height, local brightness over so many times that.
PATTERN_SIGMA, BRIGHTNESS_SIGMAS = 0.006, 5
# Print is compared at this width, in neighbourhoods of that width (shares of the product's height), off the rim,
# where it is stronger than so many levels; below such a correlation something else stands there.
PRINT_SIGMA, WORD_SIGMA, RIM_SHARE, FAINT_PRINT, SAME_PRINT = 0.01, 0.04, 0.05, 3.0, 0.45
# Added to the product of the two powers (8-bit levels to the fourth): it keeps blank places from counting as unlike.
BLANK_POWER = 4.0


def replaced_share(view: ProductView) -> float:
    """Share 0..1 of the photograph's print, weighed by contrast, where the answer shows something else."""
    known = np.minimum(view.seen, view.cover)
    expected, shown = _patterns(view, known, max(1.0, PRINT_SIGMA * view.height))
    near = lambda p: blur(p, max(2.0, WORD_SIGMA * view.height))  # noqa: E731
    moments = LocalMoments.of_centred(expected, near)
    agreement = local_correlation(moments, LocalMoments.of_centred(shown, near), added=BLANK_POWER)
    rim = 2 * int(RIM_SHARE * view.height) + 1
    inner = cv2.erode((known > 0.9).astype(np.uint8), np.ones((rim, rim), np.uint8)) > 0
    contrast = np.sqrt(moments.variance) * inner
    contrast[contrast < FAINT_PRINT] = 0
    total = float(contrast.sum())
    return float(contrast[agreement < SAME_PRINT].sum()) / total if total > 0 else 0.0


def pattern_agreement(view: ProductView) -> float:
    """Correlation -1..1 of the brightness patterns of answer and photograph."""
    known = np.minimum(view.seen, view.cover)
    expected, shown = _patterns(view, known, max(0.8, PATTERN_SIGMA * view.height))
    power = float((expected * expected).sum()) * float((shown * shown).sum())
    return float((expected * shown).sum() / np.sqrt(power)) if power > 1e-6 else 0.0


def _patterns(view: ProductView, known: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Of what is expected, and of what the answer shows."""
    expected, shown = (
        _pattern(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32), known, sigma)
        for p in (view.expected, view.answer)
    )
    return expected, shown


def _pattern(grey: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """A band of widths of `grey` (h, w) float32 under `weight`: local brightness taken out, smoothed by `sigma`."""
    brightness = masked_mean(weight, lambda image: blur(image, BRIGHTNESS_SIGMAS * sigma), added=1e-3)
    result: np.ndarray = cv2.GaussianBlur((grey - brightness(grey)) * weight, (0, 0), sigma)
    return result
