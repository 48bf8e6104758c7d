"""Whether a product photograph shows print: letters, numerals, logos. Knit, weave, seams, pores and shading are none.

Print is ink on paper: two flat tones that alternate many times within a letter, in all directions. In square windows of
three sizes the image is split in two at its local mean (as in Niblack's local thresholding, 1986). Print is where the
two tones are distinct (separability: Otsu, "A threshold selection method from gray-level histograms", IEEE SMC 9, 1979,
doi:10.1109/TSMC.1979.4310076), far apart, with many edges between them, in more than one direction (eigenvalues of the
structure tensor). A fold and a weave have no two tones; a seam and a stripe have few edges, in parallel.

In: (h, w, 3 or 4) uint8. Out: share 0..1 of the product. Labels, cans, boxes and mugs have .06 to .3; bags, furniture,
garments and a glazed pot reached .034 by buckles, zips and corners. `tests/matching/test_print_detection.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from function.matching.reference_image import ReferenceImage, prepare_reference
from function.matching.text_lines import has_text, text_mask

# Longest side (px) of the product when its print is looked for, and the windows (px): from small print to a wordmark
# across the product.
SIDE_PX, WINDOWS_PX = 1000, (15, 31, 61)
# The largest window looks at large letters: grain on them is smoothed by this standard deviation (px).
GRAIN_SIGMA_PX = 1.5
# Least separability, the share of a window's variance between its two tones. A ramp has .75, noise .64, letters .8 to
# 1.
MIN_SEPARABILITY = 0.8
# Least difference of the two tones, 8-bit levels.
MIN_CONTRAST = 45.0
# Least length of the edges between the two tones over the window's side. One straight edge has 1, a stripe 2.
MIN_EDGES = 4.0
# Least ratio of the structure tensor's two eigenvalues: 0 where all edges are parallel.
MIN_ISOTROPY = 0.25
# Least share of the window that either tone takes.
MIN_TONE = 0.12
# Pixels along the outline that are left out: they are mixed with what lies behind the product.
RIM_PX = 9
# Share of the product that print covers, from which it counts. Labels, cans, boxes and mugs have .06 to .3; bags, a
# backpack, furniture, garments and a glazed pot reached .034 by buckles, zips and corners.
MIN_SHARE = 0.045


def has_print(product: np.ndarray) -> bool:
    """Whether the photograph (h, w, 3 or 4) uint8 bears print inside its outline."""
    photograph = prepare_reference(product, SIDE_PX)
    return photograph is not None and bears_print(photograph)


def bears_print(photograph: ReferenceImage) -> bool:
    """Whether print covers some of the product, or lines of letters are on it, which may be small or pale."""
    return reference_print_share(photograph) >= MIN_SHARE or has_text(photograph)


def print_share(product: np.ndarray) -> float:
    """Share 0..1 of the product in a photograph (h, w, 3 or 4) uint8 that is covered with print."""
    photograph = prepare_reference(product, SIDE_PX)
    return 0.0 if photograph is None else reference_print_share(photograph)


def print_mask(product: np.ndarray) -> np.ndarray:
    """(h, w) uint8, 255 where print covers the product in a photograph (h, w, 3 or 4) uint8."""
    mask = np.zeros(product.shape[:2], np.uint8)
    photograph = prepare_reference(product, SIDE_PX)
    if photograph is not None:
        height, width = product.shape[0], product.shape[1]
        rows, columns = photograph.alpha.shape
        left, top = round(photograph.origin[0] * width), round(photograph.origin[1] * height)
        wide, tall = round(photograph.step[0] * columns * width), round(photograph.step[1] * rows * height)
        covered = cv2.max(_covered_by_print(photograph)[0], text_mask(photograph))
        mask[top : top + tall, left : left + wide] = cv2.resize(covered, (wide, tall), interpolation=cv2.INTER_NEAREST)
    return mask


def reference_print_share(photograph: ReferenceImage) -> float:
    """Share 0..1 of the product alone that is covered with print."""
    covered, area = _covered_by_print(photograph.downscaled(SIDE_PX))
    return cv2.countNonZero(covered) / area if area else 0.0


def _covered_by_print(photograph: ReferenceImage) -> tuple[np.ndarray, int]:
    """(h, w) uint8, 255 where there is print; and the pixels in which it was looked for."""
    tones = cv2.cvtColor(photograph.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = cv2.erode(cv2.inRange(photograph.alpha, 201, 255), np.ones((RIM_PX, RIM_PX), np.uint8))
    covered = np.zeros_like(inside)
    for window in WINDOWS_PX:
        within = cv2.erode(inside, np.ones((window, window), np.uint8))
        hits: np.ndarray = np.where(_print_centres(tones, window), within, 0).astype(np.uint8)
        hits = cv2.morphologyEx(hits, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        half = window // 2
        covered = cv2.max(covered, cv2.dilate(hits, np.ones((half, half), np.uint8)))
    return covered, cv2.countNonZero(inside)


def _print_centres(tones: np.ndarray, window: int) -> np.ndarray:
    """(h, w) bool: where the window around a pixel of `tones` (h, w) float32 shows print."""

    def mean(image: np.ndarray) -> np.ndarray:
        return cv2.blur(image, (window, window), borderType=cv2.BORDER_REFLECT)

    # Grain on large letters is no edge.
    smooth = cv2.GaussianBlur(tones, (0, 0), GRAIN_SIGMA_PX) if window == WINDOWS_PX[-1] else tones
    bright = (smooth > mean(smooth)).astype(np.float32)
    share = mean(bright)
    split = [(bright, np.maximum(share, 1e-3)), (1 - bright, np.maximum(1 - share, 1e-3))]
    upper, lower = (mean(part * smooth) / weight for part, weight in split)
    spread = [mean(part * smooth * smooth) for part, _ in split]
    within = spread[0] - share * upper * upper + spread[1] - (1 - share) * lower * lower
    between = share * (1 - share) * (upper - lower) ** 2
    edges = np.zeros_like(bright)
    edges[:, 1:] += bright[:, 1:] != bright[:, :-1]
    edges[1:] += bright[1:] != bright[:-1]
    result: np.ndarray = (
        (between > MIN_SEPARABILITY * np.maximum(within + between, 1.0))
        & (upper - lower > MIN_CONTRAST)
        & (mean(edges) * window > MIN_EDGES)
        & (np.abs(share - 0.5) < 0.5 - MIN_TONE)
        & (_isotropy(smooth, mean) > MIN_ISOTROPY)
    )
    return result


def _isotropy(tones: np.ndarray, mean: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(h, w) float32 0..1: smaller over larger eigenvalue of the structure tensor, averaged by `mean`."""
    across, down = (cv2.Sobel(tones, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    xx, yy, xy = mean(across * across), mean(down * down), mean(across * down)
    root = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    result: np.ndarray = (xx + yy - root) / np.maximum(xx + yy + root, 1.0)
    return result
