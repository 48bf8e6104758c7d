"""What of a change is content: what the scene under other light cannot explain, and so is shown as the model drew it.

Light explains a change only where the scene's own structure goes on under it and the change brings none of its own. So
the scene is relit with the light that was found, and compared with the generated image in structure (two band-pass
images, differences of Gaussians) and in tone (CIELAB, local means). Models repaint texture, so the two differ where
nothing was changed as well: how much, given the texture at a place, is measured on the untouched part of the same
generated image, and content is what differs several times as much. What is known to be the product is left out of all
means, so that its edge is no difference beside it. Where structure of the scene is gone no light explains it, however
well it imitates the tone: that is content without a comparison.

Absolute thresholds were tried first and fail: repainted carpet differs more than a pale lamp on a pale wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import to_three_channels
from function.restoration.change_detection import Evidence

# Band-pass images that structure is compared in: inner and outer standard deviation of the Gaussians, and the side of
# the window that energy is taken over (half-size pixels): cords and print; whole parts without fine detail.
BANDS = ((0.8, 2.5, 9), (2.0, 6.0, 15))
# The generated image may be misregistered by a half-size pixel: the best of these shifts counts.
SHIFTS = ((0, 1), (0, -1), (1, 0), (-1, 0))
# Mismatch of untouched places: this quantile of it, on flat and on textured ground, is what a line is drawn through.
NOISE_QUANTILE, FLAT_QUANTILE, TEXTURED_QUANTILE = 0.75, 0.3, 0.8
# That line is never believed to be lower (8-bit levels; CIELAB), nor to climb less or more steeply with the texture:
# 8-bit rounding and JPEG; texture that is repainted without any likeness has a mismatch of 1.4 times its energy.
MIN_STRUCTURE, MIN_TONE, MIN_FINE, SLOPE = 0.35, 0.8, 0.5, (0.1, 1.2)
# Every fourth half-size pixel tells as much of the noise.
SAMPLED = np.s_[::4, ::4]
# Fewer untouched pixels than this (share of the image) are not enough of noise: then twice the least is believed.
MIN_UNTOUCHED = 0.01
# Content differs this many times as much as untouched places do: in structure, in tone. Set on eleven real images, in
# ten of which nothing is half there, and on rendered cases, whose shadows stay light but for 2 %.
MAX_STRUCTURE_RATIO, MAX_TONE_RATIO = 2.6, 3.0
# Windows reach past what they show: a pixel is content only where it differs itself, this many times the noise.
MAX_FINE_RATIO = 0.9
# Light is smooth: what changes within this width (standard deviation, half-size pixels) is an outline and not light.
LIGHT_SIGMA = 1.8
# Local tone and the windows of single pixels, standard deviations in half-size pixels.
TONE_SIGMA, FINE_SIGMA, TEXTURE_SIGMA, TEXTURE_PX = 2.0, 0.8, 3.0, 9
# From this coverage on a pixel is known to be product; where a window shows less than this besides, it is not enough.
KNOWN, MIN_TOTAL = 0.3, 0.05
# Content lies within this distance of change, is no smaller than this area, and gaps up to this width in it are
# closed (half-size pixels).
REACH_PX, MIN_AREA_PX, GAP_PX = 3, 12, 7


def find_content(evidence: Evidence, light: np.ndarray, product: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(h', w') bool, at half size: content besides the product.

    light (h', w', 3) float32 log ratio; product (h', w') float32 coverage 0..1; inside (h', w') bool, what the
    generated image shows of the scene.
    """
    smooth = cv2.GaussianBlur(light, (0, 0), LIGHT_SIGMA)
    relit = np.clip(evidence.scene * cv2.exp(smooth), 0, 255)
    generated = np.clip(evidence.generated, 0, 255)
    known = cv2.dilate((product > KNOWN).astype(np.uint8), np.ones((3, 3), np.uint8))
    comparison = Comparison(relit, generated, 1 - known.astype(np.float32), _untouched(evidence, inside))
    reach = 2 * REACH_PX + 1
    near = cv2.dilate(evidence.changed.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    differs = comparison.structure_differs() | comparison.tone_differs()
    drawn = differs & comparison.pixel_differs() | evidence.vanished
    return _cleaned(drawn & near & (known == 0), known > 0)


def _untouched(evidence: Evidence, inside: np.ndarray) -> np.ndarray:
    result: np.ndarray = (cv2.dilate(evidence.changed.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0) & inside
    return result


def _cleaned(found: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Specks dropped, gaps closed (towards the known product too), and a pixel of rim for a soft border."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= MIN_AREA_PX
    keep[0] = False
    kept: np.ndarray = keep[labels]
    if not kept.any():
        return kept
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (GAP_PX, GAP_PX))
    closed = cv2.morphologyEx((kept | known).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    # What only belongs to the product is not content: the components that hold none are left out.
    _, labels = cv2.connectedComponents(closed, connectivity=8)
    holds = np.zeros(labels.max() + 1, bool)
    holds[labels[kept]] = True
    holds[0] = False
    rim = cv2.dilate((closed > 0).astype(np.uint8) & holds[labels], np.ones((3, 3), np.uint8)) > 0
    result: np.ndarray = rim & (cv2.erode(known.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)
    return result


@dataclass(frozen=True)
class MismatchModel:
    """Mismatch that is expected at a texture energy: `even + slope * energy`."""

    even: float
    slope: float

    def at(self, texture: np.ndarray) -> np.ndarray:
        return np.float32(self.even) + np.float32(self.slope) * texture


class Comparison:
    """The relit scene and the generated image, (h', w', 3) float32 0..255 each, and what untouched places of them
    differ by.

    `weight` (h', w') float32 is 0 on the known product.
    """

    def __init__(self, relit: np.ndarray, generated: np.ndarray, weight: np.ndarray, untouched: np.ndarray):
        self._greys = tuple(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (relit, generated))
        self._labs = tuple(cv2.cvtColor(p * np.float32(1 / 255), cv2.COLOR_RGB2LAB) for p in (relit, generated))
        self._weight, self._untouched = weight, untouched

    def structure_differs(self, shifts: tuple[tuple[int, int], ...] = SHIFTS) -> np.ndarray:
        """(h', w') bool. `shifts` (rows, columns) are tried besides none."""
        result = np.zeros(self._weight.shape, bool)
        for inner, outer, window in BANDS:
            expected, seen = (
                cv2.GaussianBlur(grey, (0, 0), inner) - cv2.GaussianBlur(grey, (0, 0), outer) for grey in self._greys
            )
            total = self._total(window)
            power = self._power(seen - expected, window)
            for shift in shifts:
                power = cv2.min(power, self._power(seen - np.roll(expected, shift, (0, 1)), window))
            mismatch = np.sqrt(np.maximum(power / total, 0))
            texture = np.sqrt(np.maximum(self._power(expected, window) / total, 0))
            result |= mismatch > MAX_STRUCTURE_RATIO * self._mismatch_model(mismatch, texture, MIN_STRUCTURE).at(
                texture
            )
        return result

    def tone_differs(self) -> np.ndarray:
        """(h', w') bool."""
        total = to_three_channels(np.maximum(cv2.GaussianBlur(self._weight, (0, 0), TONE_SIGMA), MIN_TOTAL))
        weight = to_three_channels(self._weight)
        distance = _distance(*(cv2.GaussianBlur(lab * weight, (0, 0), TONE_SIGMA) / total for lab in self._labs))
        resample = distance[self._untouched][::5]
        usual = float(np.quantile(resample, NOISE_QUANTILE)) if self._knows_noise() else 2 * MIN_TONE
        return distance > MAX_TONE_RATIO * max(MIN_TONE, usual)

    def pixel_differs(self) -> np.ndarray:
        """(h', w') bool."""
        distance = _distance(*(cv2.GaussianBlur(lab, (0, 0), FINE_SIGMA) for lab in self._labs))
        detail = self._greys[0] - cv2.GaussianBlur(self._greys[0], (0, 0), TEXTURE_SIGMA)
        texture = np.sqrt(np.maximum(self._power(detail, TEXTURE_PX) / self._total(TEXTURE_PX), 0))
        return distance > MAX_FINE_RATIO * self._mismatch_model(distance, texture, MIN_FINE).at(texture)

    def _total(self, window: int) -> np.ndarray:
        return np.maximum(cv2.blur(self._weight, (window, window)), MIN_TOTAL)

    def _power(self, band: np.ndarray, window: int) -> np.ndarray:
        result: np.ndarray = cv2.blur(band * band * self._weight, (window, window))
        return result

    def _knows_noise(self) -> bool:
        return bool(np.count_nonzero(self._untouched) > MIN_UNTOUCHED * self._untouched.size)

    def _mismatch_model(self, mismatch: np.ndarray, texture: np.ndarray, least: float) -> MismatchModel:
        """Through flat and textured untouched places."""
        if not self._knows_noise():
            return MismatchModel(2 * least, sum(SLOPE) / 2)
        sampled = self._untouched[SAMPLED]
        mismatch, texture = mismatch[SAMPLED][sampled], texture[SAMPLED][sampled]
        low, high = np.quantile(texture, [FLAT_QUANTILE, TEXTURED_QUANTILE])
        flat, textured = texture <= low, texture >= high
        even = max(least, float(np.quantile(mismatch[flat], NOISE_QUANTILE)))
        climb = float(np.quantile(mismatch[textured], NOISE_QUANTILE)) - even
        run = float(np.median(texture[textured]) - np.median(texture[flat]))
        return MismatchModel(even, float(np.clip(climb / max(run, 1e-3), *SLOPE)))


def _distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    difference = first - second
    return cv2.sqrt(cv2.transform(difference * difference, np.ones((1, 3), np.float32)))
