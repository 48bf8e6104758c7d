"""How far an answer to a sketch moved, turned or reshaped the product that was laid into it.

Both pictures are compared in a band of widths, in which a smooth light has no part: first by the best shift, then by an
affine fit that maximises their correlation (Evangelidis and Psarakis, "Parametric image alignment using enhanced
correlation coefficient maximization", IEEE TPAMI 30(10), 2008).
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox

# Products are compared at this height at the most (pixels): a hundredth of it is 2.4.
COMPARED_PX = 240
# The band, standard deviations of its two Gaussians at that size: finer is texture and print, wider is light.
BAND = 1.2, 7.0
# Keeps logarithms of dark pixels finite, 8-bit levels.
DARK_OFFSET = 12.0
# A product is looked for within this share of its height around its place.
REACH = 0.09
# Pixels around the outline that are compared too: for a plain product the outline is all there is.
RIM_SHARE = 0.04
# Correlation in the band from which a fit is believed: kept products reach .55 to .95, misshapen and turned ones .35 to
# .65, other pictures up to .2.
MIN_CORRELATION = 0.3
ECC_STEPS, ECC_EPSILON, ECC_SMOOTHING = 60, 1e-4, 5


@dataclass(frozen=True)
class Departure:
    """Where the answer shows what was laid.

    matrix        (2, 3) float64, analysis pixels: a place in the sketch -> where the answer shows it
    moved         share of the product's height by which its middle lies elsewhere
    scale_x, scale_y  its size in the answer over that in the sketch
    turned_deg    by how much it leans
    correlation   -1..1 of both there
    """

    matrix: np.ndarray
    moved: float
    scale_x: float
    scale_y: float
    turned_deg: float
    correlation: float

    @property
    def is_found(self) -> bool:
        """Whether the answer shows it near its place at all; else there is no departure to speak of."""
        return self.correlation >= MIN_CORRELATION


NONE = Departure(np.eye(2, 3), 0.0, 1.0, 1.0, 0.0, 0.0)


def measure_departure(sketch: np.ndarray, answer: np.ndarray, coverage: np.ndarray, box: PixelBox) -> Departure:
    """Of `answer` from `sketch`, both (h, w, 3) uint8 at analysis size; `coverage` (h, w) uint8 of the product, which
    takes `box`."""
    height, width = coverage.shape
    scale = min(1.0, COMPARED_PX / max(1, box[3]))
    pad = round((REACH + RIM_SHARE + 0.05) * box[3]) + 4
    left, top = max(0, box[0] - pad), max(0, box[1] - pad)
    right, bottom = min(width, box[0] + box[2] + pad), min(height, box[1] + box[3] + pad)
    inner = np.s_[top:bottom, left:right]
    first, second, covered = (_shrunk(picture[inner], scale) for picture in (sketch, answer, coverage))
    rim = 2 * max(1, round(RIM_SHARE * box[3] * scale)) + 1
    mask = (cv2.dilate(covered, np.ones((rim, rim), np.uint8)) > 127).astype(np.uint8)
    if np.count_nonzero(mask) < 64:
        return NONE
    bands = _band(first), _band(second)
    shift = _best_shift(*bands, mask, max(2, round(REACH * box[3] * scale)))
    fit: np.ndarray = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ECC_STEPS, ECC_EPSILON)
    # It does not converge on what has nothing in common.
    with contextlib.suppress(cv2.error):
        _, fit = cv2.findTransformECC(*bands, fit, cv2.MOTION_AFFINE, criteria, mask * 255, ECC_SMOOTHING)
    seen = cv2.warpAffine(bands[1], fit, mask.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    correlation = _correlation(bands[0], seen, mask)
    corner = np.array([left, top], np.float64) + 0.5 * (1 / scale - 1)
    linear = fit[:, :2].astype(np.float64)
    offset = fit[:, 2].astype(np.float64) / scale + corner - linear @ corner
    middle = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
    away = linear @ middle + offset - middle
    return Departure(
        matrix=np.column_stack([linear, offset]),
        moved=float(np.hypot(*away)) / box[3],
        scale_x=float(np.hypot(*linear[:, 0])),
        scale_y=float(np.hypot(*linear[:, 1])),
        turned_deg=math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])),
        correlation=correlation,
    )


def agreement(sketch: np.ndarray, picture: np.ndarray, coverage: np.ndarray) -> float:
    """Correlation -1..1, in the same band, of what `coverage` (h, w) uint8 covers of both (h, w, 3) uint8."""
    return _correlation(_band(sketch), _band(picture), (coverage > 127).astype(np.uint8))


def _shrunk(picture: np.ndarray, scale: float) -> np.ndarray:
    return picture if scale == 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _band(picture: np.ndarray) -> np.ndarray:
    tone = cv2.log(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) + DARK_OFFSET)
    return cv2.GaussianBlur(tone, (0, 0), BAND[0]) - cv2.GaussianBlur(tone, (0, 0), BAND[1])


def _best_shift(sketch: np.ndarray, answer: np.ndarray, mask: np.ndarray, reach: int) -> tuple[int, int]:
    """(x, y) pixels from the sketch to the answer, up to `reach`."""
    x, y, width, height = cv2.boundingRect(mask)
    template, inside = (picture[y : y + height, x : x + width] for picture in (sketch, mask))
    padded = cv2.copyMakeBorder(answer, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    field = padded[y : y + height + 2 * reach, x : x + width + 2 * reach]
    weighted = template * inside
    score = cv2.matchTemplate(field, weighted, cv2.TM_CCORR)
    power = cv2.matchTemplate(field * field, inside.astype(np.float32), cv2.TM_CCORR)
    score = score / np.sqrt(np.maximum(power, 1e-6))
    _, _, _, (left, top) = cv2.minMaxLoc(score)
    return left - reach, top - reach


def _correlation(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    inside = mask > 0
    a, b = first[inside] - first[inside].mean(), second[inside] - second[inside].mean()
    return float((a * b).sum() / np.sqrt(max(1e-9, float((a * a).sum() * (b * b).sum()))))
