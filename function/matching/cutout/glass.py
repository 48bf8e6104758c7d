"""Glass before a backdrop: a faint inside within a stronger rim, through which the backdrop is seen."""

from __future__ import annotations

import cv2
import numpy as np

# Glass differs from the backdrop by no more than so many levels of luma and of chroma; in its inside this share does.
MAX_LUMA, MAX_CHROMA, MIN_FAINT = 60.0, 60.0, 0.6
# Rim and inside, px of the small picture from the outline: the outermost is mixed with the backdrop.
RIM_PX, BEYOND_RIM_PX, INSIDE_PX = (2, 8), (14, 20), 20
# The inside differs by no more than so many levels. The rim differs by so many times as much and by so
# many levels more, and ends at once: beyond it no more than so many times. Shade on a pale body goes over softly.
FAINTEST, MIN_RIM, MIN_RIM_LEVELS, MAX_BEYOND = 45.0, 1.5, 12.0, 1.3
# Less of the picture is a highlight or print.
MIN_SHARE = 0.005


def find_glass(luma: np.ndarray, chroma: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """(h, w) bool: where the backdrop is seen through the product.

    luma, chroma (h, w) float32: how the photograph differs from its backdrop, levels; outside (h, w) bool.
    """
    strength = np.abs(luma) + chroma
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~outside).astype(np.uint8), connectivity=8)
    found = np.zeros(outside.shape, bool)
    for label in range(1, count):
        x, y, width, height, area = (int(side) for side in stats[label])
        if area < MIN_SHARE * outside.size:
            continue
        box = np.s_[y : y + height, x : x + width]
        body, own = labels[box] == label, strength[box]
        depth = cv2.distanceTransform(np.pad(body.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        rim, beyond = (own[(depth > low) & (depth <= high)] for low, high in (RIM_PX, BEYOND_RIM_PX))
        inside = own[depth > INSIDE_PX]
        if len(inside) < MIN_SHARE * outside.size or not len(beyond) or (inside < FAINTEST).mean() < MIN_FAINT:
            continue
        level = np.median(inside)
        strong = np.median(rim) >= max(MIN_RIM * level, level + MIN_RIM_LEVELS)
        if strong and np.median(beyond) <= MAX_BEYOND * level:
            found[box] |= body & (np.abs(luma[box]) < MAX_LUMA) & (chroma[box] < MAX_CHROMA)
    return found
