"""How far a product leans whose photograph was not found again: its upright edges against those of the photograph.

What stands keeps its vertical edges upright however it is turned about its own axis: the legs of a chair, the sides of
a bottle. The orientation of the gradient is counted in both pictures near the vertical (a histogram weighted by the
gradient's magnitude, as in Dalal and Triggs, "Histograms of oriented gradients", CVPR 2005,
doi:10.1109/CVPR.2005.177). The lean is the shift that lays one histogram over the other. It counts only where both
pictures have one clear direction and where the histograms' peaks say the same: soft toys, plants and glass have none.
Of eight rendered products in two sets, those that stand and could be measured had up to 2 degrees, those that lean by
8 and 14 degrees 6 and more; real answers that stand had up to 5.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.product_view import ProductView
from function.matching.photograph import photograph_alpha

# Orientations that are counted, degrees from the vertical, and the width of one bin.
REACH_DEG, BIN_DEG = 30.0, 0.5
# Leans that are tried.
MAX_SHIFT_DEG = 20.0
# Smoothing of the histogram, degrees, and of the pictures, pixels.
SMOOTHING_DEG, SMOOTHING_PX = 1.0, 1.2
# A peak over the median of its histogram that is one clear direction, in the photograph and in the answer.
CLEAR_PHOTOGRAPH, CLEAR_ANSWER = 4.0, 3.0
# The photograph's own verticals stand upright within this, and shift and peaks agree within this, degrees.
UPRIGHT_DEG, AGREE_DEG = 3.0, 3.0
# The strongest edges count no more than this quantile: one dark rim is not all of a product.
STRONGEST = 0.98
# Edges of the outline lie up to so many pixels outside of it.
OUTLINE_PX = 5


def edges_lean_deg(photograph: np.ndarray, view: ProductView, body: np.ndarray) -> float | None:
    """Degrees by which the upright edges of the product lean, their tops to the right where positive; None where there
    are none that tell.

    photograph (ph, pw, 4) uint8 RGBA; body (h, w) bool, the product in the crop of `view`, without its shadow.
    """
    given = _of_photograph(photograph, view.height)
    if given is None or not body.any():
        return None
    shown = _histogram(cv2.cvtColor(view.answer, cv2.COLOR_RGB2GRAY), body)
    own, seen = _peak(given), _peak(shown)
    if own[1] < CLEAR_PHOTOGRAPH or abs(own[0]) > UPRIGHT_DEG or seen[1] < CLEAR_ANSWER:
        return None
    most = round(MAX_SHIFT_DEG / BIN_DEG)
    padded = np.pad(given, most)
    overlap = [
        float((padded[most - shift : len(padded) - most - shift] * shown).sum()) for shift in range(-most, most + 1)
    ]
    shift, moved = BIN_DEG * (int(np.argmax(overlap)) - most), seen[0] - own[0]
    return min(shift, moved, key=abs) if abs(shift - moved) <= AGREE_DEG else None


def _of_photograph(photograph: np.ndarray, height: float) -> np.ndarray | None:
    """The histogram of the cut-out at the size of the answer; None where it has no outline to be cut out by."""
    alpha = photograph_alpha(photograph)
    x, y, wide, tall = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    if min(wide, tall) == 0:
        return None
    size = max(4, round(wide * height / tall)), max(4, round(height))
    rgb, cover = (
        cv2.resize(part[y : y + tall, x : x + wide], size, interpolation=cv2.INTER_AREA)
        for part in (photograph[..., :3], alpha)
    )
    share = cover.astype(np.float32) / 255
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY) * share + 128 * (1 - share)
    # Room for the edges of the outline.
    grey, cover = np.pad(grey.astype(np.uint8), OUTLINE_PX, constant_values=128), np.pad(cover, OUTLINE_PX)
    return _histogram(grey, cover > 127)


def _histogram(grey: np.ndarray, body: np.ndarray) -> np.ndarray:
    """(n,) float: how much of the edges of `grey` (h, w) uint8 in and around `body` (h, w) bool has each direction."""
    around = cv2.dilate(body.astype(np.uint8), np.ones((OUTLINE_PX, OUTLINE_PX), np.uint8)) > 0
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), SMOOTHING_PX)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order)[around] for order in ((1, 0), (0, 1)))
    strength = np.hypot(across, down)
    strength = np.minimum(strength, np.quantile(strength, STRONGEST))
    degrees = np.degrees(np.arctan2(down * np.sign(across), np.abs(across)))
    edges = np.arange(-REACH_DEG - BIN_DEG / 2, REACH_DEG + BIN_DEG, BIN_DEG)
    counted, _ = np.histogram(degrees, bins=edges, weights=strength)
    reach = np.arange(-3 * SMOOTHING_DEG, 3 * SMOOTHING_DEG + BIN_DEG / 2, BIN_DEG)
    smoothed: np.ndarray = np.convolve(counted, np.exp(-0.5 * (reach / SMOOTHING_DEG) ** 2), "same")
    return smoothed / max(float(strength.sum()), 1e-6)


def _peak(histogram: np.ndarray) -> tuple[float, float]:
    """The direction that most edges have, degrees, and how far it stands above the median."""
    at = int(histogram.argmax())
    return BIN_DEG * at - REACH_DEG, float(histogram[at] / max(1e-9, float(np.median(histogram))))
