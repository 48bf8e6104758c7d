"""How far the generated image departs from the sketch: the product's translation, scale, lean and correlation.

Both are compared in a band-pass of the logarithm, in which a smooth light has no part: first by the best translation
(normalised cross-correlation), then by an affine fit that maximises the enhanced correlation coefficient (Evangelidis
and Psarakis, "Parametric image alignment using enhanced correlation coefficient maximization", PAMI 30, 2008,
doi:10.1109/TPAMI.2008.113).

In: sketch and image (h, w, 3) uint8, coverage (h, w) uint8. Out: a `Departure`, shares of the product's height. Kept
products correlate by .55 to .95, misshapen and rotated ones by .35 to .65, other images up to .2:
`python -m tests.bench.identity`.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox

# Largest height at which products are compared (px): a hundredth of it is 2.4.
COMPARED_HEIGHT_PX = 240
# Band-pass, standard deviations of its Gaussians (px): finer is texture and print, wider is light.
BAND = 1.2, 7.0
# Keeps logarithms of dark pixels finite, 8-bit levels.
DARK_OFFSET = 12.0
# Range of the translation search, a share of the product's height.
SEARCH_SHARE = 0.09
# Width of the rim around the silhouette that is compared too: of a plain product it is all there is.
RIM_SHARE = 0.04
# Least correlation in the band: kept products reach .55 to .95, misshapen and turned ones .35 to
# .65, other images up to .2.
MIN_CORRELATION = 0.3
ECC_STEPS, ECC_EPSILON, ECC_SMOOTHING = 60, 1e-4, 5


@dataclass(frozen=True)
class Departure:
    """Where the generated image shows what was composited.

    matrix            (2, 3) float64, analysis pixels: a place in the sketch -> where the generated image shows it
    moved             share of the product's height by which its middle lies elsewhere
    scale_x, scale_y  its size in the generated image over that in the sketch
    turned_deg        by how much it leans
    correlation       -1..1 of both there
    """

    matrix: np.ndarray
    moved: float
    scale_x: float
    scale_y: float
    turned_deg: float
    correlation: float

    @property
    def is_found(self) -> bool:
        """Whether the generated image shows it near its place at all; else there is no departure to speak of."""
        return self.correlation >= MIN_CORRELATION


NO_DEPARTURE = Departure(np.eye(2, 3), 0.0, 1.0, 1.0, 0.0, 0.0)


def measure_departure(sketch: np.ndarray, generated: np.ndarray, coverage: np.ndarray, box: PixelBox) -> Departure:
    """Of `generated` from `sketch`, both (h, w, 3) uint8 at analysis size; `coverage` (h, w) uint8 of the product,
    which takes `box`."""
    height, width = coverage.shape
    scale = min(1.0, COMPARED_HEIGHT_PX / max(1, box[3]))
    pad = round((SEARCH_SHARE + RIM_SHARE + 0.05) * box[3]) + 4
    left, top = max(0, box[0] - pad), max(0, box[1] - pad)
    right, bottom = min(width, box[0] + box[2] + pad), min(height, box[1] + box[3] + pad)
    inner = np.s_[top:bottom, left:right]
    first, second, covered = (_downscaled(image[inner], scale) for image in (sketch, generated, coverage))
    rim = 2 * max(1, round(RIM_SHARE * box[3] * scale)) + 1
    mask = (cv2.dilate(covered, np.ones((rim, rim), np.uint8)) > 127).astype(np.uint8)
    if np.count_nonzero(mask) < 64:
        return NO_DEPARTURE
    bands = _band(first), _band(second)
    shift = _best_shift(*bands, mask, max(2, round(SEARCH_SHARE * box[3] * scale)))
    fit: np.ndarray = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ECC_STEPS, ECC_EPSILON)
    # It does not converge on what has nothing in common.
    with contextlib.suppress(cv2.error):
        _, fit = cv2.findTransformECC(*bands, fit, cv2.MOTION_AFFINE, criteria, mask * 255, ECC_SMOOTHING)
    registered = cv2.warpAffine(bands[1], fit, mask.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    correlation = _correlation(bands[0], registered, mask)
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


def band_correlation(sketch: np.ndarray, image: np.ndarray, coverage: np.ndarray) -> float:
    """Correlation -1..1, in the same band, of what `coverage` (h, w) uint8 covers of both (h, w, 3) uint8."""
    return _correlation(_band(sketch), _band(image), (coverage > 127).astype(np.uint8))


def _downscaled(image: np.ndarray, scale: float) -> np.ndarray:
    return image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _band(image: np.ndarray) -> np.ndarray:
    tone = cv2.log(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) + DARK_OFFSET)
    return cv2.GaussianBlur(tone, (0, 0), BAND[0]) - cv2.GaussianBlur(tone, (0, 0), BAND[1])


def _best_shift(sketch: np.ndarray, generated: np.ndarray, mask: np.ndarray, reach: int) -> tuple[int, int]:
    """(x, y) pixels from the sketch to the generated image, up to `reach`."""
    x, y, width, height = cv2.boundingRect(mask)
    template, inside = (image[y : y + height, x : x + width] for image in (sketch, mask))
    padded = cv2.copyMakeBorder(generated, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
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
