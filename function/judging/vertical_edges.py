"""The lean of a product without matched keypoints: its vertical edges against the photograph's.

What stands keeps its vertical edges upright however it is turned about its own axis: the legs of a chair, the sides of
a bottle. Gradient orientations near the vertical are counted in both images (a histogram weighted by the gradient's
magnitude, as in Dalal and Triggs, "Histograms of oriented gradients for human detection", CVPR 2005,
doi:10.1109/CVPR.2005.177). The lean is the shift that maximises the correlation of the histograms. It counts only where
both have one clear peak and the peaks say the same: soft toys, plants and glass have none.

In: photograph (ph, pw, 4) uint8, `ProductCrop`. Out: degrees. Of eight rendered products in two sets, those that stand
and could be measured had up to 2 degrees, those that lean by 8 and 14 degrees 6 and more; real images that stand had up
to 5.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.product_crop import ProductCrop
from function.matching.reference_image import photograph_alpha

# Range of the histogram, degrees from the vertical, and the width of a bin.
REACH_DEG, BIN_DEG = 30.0, 0.5
# Largest lean that is tried.
MAX_SHIFT_DEG = 20.0
# Smoothing of the histogram, degrees, and of the images, pixels.
SMOOTHING_DEG, SMOOTHING_PX = 1.0, 1.2
# Least peak over the median of the histogram, of the photograph and of the generated image.
MIN_REFERENCE_PEAK, MIN_GENERATED_PEAK = 4.0, 3.0
# Largest lean of the photograph's own verticals, and largest difference between shift and peaks, degrees.
UPRIGHT_DEG, AGREE_DEG = 3.0, 3.0
# Gradient magnitudes are clipped at this quantile: one dark rim must not decide.
MAGNITUDE_QUANTILE = 0.98
# Edges of the silhouette lie up to so many pixels outside of it.
OUTLINE_PX = 5


def edge_lean_deg(photograph: np.ndarray, crop: ProductCrop, body: np.ndarray) -> float | None:
    """Degrees by which the product's vertical edges lean, their tops to the right where positive; None where there is
    no clear direction.

    photograph (ph, pw, 4) uint8 RGBA; body (h, w) bool, the product in `crop`, without its shadow.
    """
    given = _reference_histogram(photograph, crop.height)
    if given is None or not body.any():
        return None
    shown = _histogram(cv2.cvtColor(crop.generated, cv2.COLOR_RGB2GRAY), body)
    own, seen = _peak(given), _peak(shown)
    if own[1] < MIN_REFERENCE_PEAK or abs(own[0]) > UPRIGHT_DEG or seen[1] < MIN_GENERATED_PEAK:
        return None
    max_shift = round(MAX_SHIFT_DEG / BIN_DEG)
    padded = np.pad(given, max_shift)
    overlap = [
        float((padded[max_shift - shift : len(padded) - max_shift - shift] * shown).sum())
        for shift in range(-max_shift, max_shift + 1)
    ]
    shift, moved = BIN_DEG * (int(np.argmax(overlap)) - max_shift), seen[0] - own[0]
    return min(shift, moved, key=abs) if abs(shift - moved) <= AGREE_DEG else None


def _reference_histogram(photograph: np.ndarray, height: float) -> np.ndarray | None:
    """The histogram of the cut-out at the size of the generated image; None where it has no outline to be cut out
    by."""
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
    strength = np.minimum(strength, np.quantile(strength, MAGNITUDE_QUANTILE))
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
