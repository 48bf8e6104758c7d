"""Measures the smooth light that a generated image throws on a product whose pixels are known.

The log ratio of image to photograph is smoothed by a normalised convolution wider than letters and repainted texture,
iteratively reweighted (Geman-McClure) so that wrong letters are outliers. Its range of brightness, chroma and overall
cast is limited to what light does: a stronger colour is another paint. Patch by patch, structure tells whether the
image shows what was composited there.

In: both images (h, w, 3) uint8, coverage (h, w) uint8. Out: a `ProductLight`, log gain (h, w, 3) float32.
`python -m tests.bench.identity` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import blur, max_channel, to_bytes, to_three_channels
from function.imaging.photometry import log_ratio, masked_mean

# Light is what is wider than this share of the product's height (standard deviation), and never narrower than so many
# pixels: letters and repainted texture are finer, highlights on gloss are wider.
SIGMA_SHARE, MIN_SIGMA = 0.03, 3.0
# Rim that is left out, as a share of the product's height, if at least this share of the product remains.
RIM_SHARE, MIN_INTERIOR = 0.015, 0.5
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 6.0
# A pixel whose ratio misses the field by this much (natural logarithm) counts half, from wide to narrow: wrong letters
# are no light.
OUTLIER_SCALES = (0.8, 0.4, 0.25, 0.25)
# Light changes brightness by no more than this, and one colour against the others by no more than that, from its
# median over the product (natural logarithm): a stronger colour is another paint. And the median itself (as candle
# light and open shade do).
MAX_BRIGHTNESS, MAX_CHROMA, MAX_CAST = 1.2, 0.12, 0.45
# Patches along the product's height, and their least side (px).
PATCHES, MIN_PATCH_PX = 14, 8
# A patch follows the sketch where its light is within the limits above, and where its structure has this correlation
# with the photograph's in the middle widths (shares of the product's height), if the photograph has so much of it
# (standard deviation, natural logarithm).
MIN_STRUCTURE_CORRELATION, STRUCTURE_BAND, MIN_STRUCTURE_CONTRAST = 0.25, (0.008, 0.04), 0.03


def apply_log_gain(rgb: np.ndarray, log_gain: np.ndarray) -> np.ndarray:
    """`rgb` (h, w, 3) uint8 under the light of `log_gain` (h, w, 3) float32, as that is measured; uint8."""
    offset = np.float32(DARK_OFFSET)
    return to_bytes((rgb.astype(np.float32) + offset) * cv2.exp(log_gain) - offset)


@dataclass(frozen=True)
class ProductLight:
    """The light on a product.

    log_gain  (h, w, 3) float32, log of the factor on each colour, over the crop that it was measured in
    followed  (h, w) bool, where the generated image shows what was composited there, so that its light is believed
    """

    log_gain: np.ndarray
    followed: np.ndarray

    def followed_share(self, coverage: np.ndarray) -> float:
        """Share 0..1 of what `coverage` (h, w) uint8 covers."""
        inside = coverage > 127
        return float(self.followed[inside].mean()) if inside.any() else 0.0


def find_product_light(
    expected: np.ndarray, generated: np.ndarray, coverage: np.ndarray, height: float
) -> ProductLight:
    """expected, generated (h, w, 3) uint8: the photograph's pixels, and the generated image's at the same places of the
    product; coverage (h, w) uint8; `height` of the product, pixels."""
    inside = _interior(coverage, height)
    if not inside.any():
        inside = (coverage / np.float32(255)).astype(np.float32)
    sigma = max(MIN_SIGMA, SIGMA_SHARE * height)
    window = partial(blur, sigma=sigma)
    ratio: np.ndarray = log_ratio(_smooth(expected, inside), _smooth(generated, inside), DARK_OFFSET)
    seen = inside > 0
    middle: np.ndarray = _limited_gain(np.median(ratio[seen], axis=0) if seen.any() else np.zeros(3))
    followed = _follows_sketch(expected, generated, ratio, coverage, middle, height)
    weight = inside * (followed.astype(np.float32) + np.float32(1e-3))
    field = np.broadcast_to(middle.astype(np.float32), ratio.shape).copy()
    for breadth in OUTLIER_SCALES:
        trust = weight / (1 + (max_channel(np.abs(ratio - field)) / breadth) ** 2) ** 2
        # Where nothing near is believed the light of the whole product stands in.
        mean = masked_mean(trust, window, added=1e-3)
        field = mean(ratio - middle.astype(np.float32)) + middle.astype(np.float32)
    return ProductLight(_limited(field, middle), followed)


def _interior(coverage: np.ndarray, height: float) -> np.ndarray:
    """(h, w) float32: 1 off the rim, at which the generated image's outline may lie elsewhere and show the scene; of a
    thin product, 1 but for the outline itself."""
    rim = 2 * max(1, round(RIM_SHARE * height)) + 1
    covered, interior, inner = (cv2.erode(coverage, np.ones((side, side), np.uint8)) > 200 for side in (1, rim, 3))
    kept = interior if np.count_nonzero(interior) >= MIN_INTERIOR * np.count_nonzero(covered) else inner
    return kept.astype(np.float32)


def _smooth(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Over one pixel, without what lies outside of the product."""
    mean = masked_mean(weight, partial(blur, sigma=1.0), added=1e-3)
    result: np.ndarray = np.maximum(mean(picture.astype(np.float32)), 0)
    return result


def _limited_gain(gain: np.ndarray) -> np.ndarray:
    """A log gain (3,) with a cast and brightness that light can have."""
    level = float(np.clip(gain.mean(), -MAX_BRIGHTNESS, MAX_BRIGHTNESS))
    result: np.ndarray = level + np.clip(gain - gain.mean(), -MAX_CAST, MAX_CAST)
    return result


def _limited(field: np.ndarray, middle: np.ndarray) -> np.ndarray:
    away = field - middle.astype(np.float32)
    level = away.mean(axis=2)
    chroma = np.clip(away - to_three_channels(level), -MAX_CHROMA, MAX_CHROMA)
    level = np.clip(level, -MAX_BRIGHTNESS, MAX_BRIGHTNESS)
    result: np.ndarray = (middle.astype(np.float32) + chroma + to_three_channels(level)).astype(np.float32)
    return result


def _follows_sketch(
    expected: np.ndarray,
    generated: np.ndarray,
    ratio: np.ndarray,
    coverage: np.ndarray,
    middle: np.ndarray,
    height: float,
) -> np.ndarray:
    """(h, w) bool, patch by patch."""
    side = max(MIN_PATCH_PX, round(height / PATCHES)) | 1
    inside = (coverage > 127).astype(np.float32)
    mean = masked_mean(inside, lambda image: cv2.blur(image, (side, side)), added=1e-3)
    away = mean(ratio - middle.astype(np.float32))
    level = away.mean(axis=2)
    chroma = max_channel(np.abs(away - to_three_channels(level)))
    lit = (np.abs(level) < MAX_BRIGHTNESS) & (chroma < 2 * MAX_CHROMA)
    bands = [_band(picture, inside, height) for picture in (expected, generated)]
    power = [np.maximum(mean(band * band), 0) for band in bands]
    band_correlation = mean(bands[0] * bands[1]) / np.sqrt(np.maximum(power[0] * power[1], 1e-9))
    structured = np.sqrt(power[0]) > MIN_STRUCTURE_CONTRAST
    result: np.ndarray = lit & (~structured | (band_correlation > MIN_STRUCTURE_CORRELATION)) & (coverage > 0)
    return result


def _band(picture: np.ndarray, inside: np.ndarray, height: float) -> np.ndarray:
    tone = cv2.log(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) + DARK_OFFSET)
    means = [
        masked_mean(inside, partial(blur, sigma=max(least, share * height)), added=1e-3)(tone)
        for share, least in zip(STRUCTURE_BAND, (0.8, 3.0), strict=True)
    ]
    result: np.ndarray = (means[0] - means[1]) * inside
    return result
