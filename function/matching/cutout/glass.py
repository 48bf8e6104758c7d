"""Finds glass before a backdrop: a faint interior within a stronger rim, through which the backdrop is seen.

For each component of the product, distance from its silhouette separates rim, what lies just inside, and interior;
glass has a faint interior and a rim that ends at once, a pale body shades softly. In: differences from the backdrop (h,
w). Out: (h, w) bool.
"""

from __future__ import annotations

import cv2
import numpy as np

# Largest difference of glass from the backdrop in luma and chroma, levels; least share of its interior that is faint.
MAX_LUMA, MAX_CHROMA, MIN_FAINT = 60.0, 60.0, 0.6
# Depths from the silhouette, px of the small image: rim, just beyond it, and interior. The outermost are mixed pixels.
RIM_PX, BEYOND_RIM_PX, INSIDE_PX = (2, 8), (14, 20), 20
# The interior differs by less than the first (levels). The rim exceeds it by the second as a factor and the third in
# levels, and ends at once: beyond it the factor is below the fourth. Shading on a pale body changes softly.
FAINTEST, MIN_RIM, MIN_RIM_LEVELS, MAX_BEYOND = 45.0, 1.5, 12.0, 1.3
# A smaller share of the image is a highlight or print.
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
