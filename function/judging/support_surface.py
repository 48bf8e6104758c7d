"""The support right below the product's base: whether it is a surface that continues to the sides.

A product stands on something that goes on beside it; a hand or a hip does not. The colours of the scene below the base
are looked up among those to the left and right of it, in CIELAB: when enough of them have a neighbour within a
distance, the surface continues. Comparing sets of colours, not places, tolerates veins of marble and falling light.

In: scene (H, W, 3) uint8 and `ProductCrop`. Out: bool, True where the image ends below the base.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.product_crop import ProductCrop
from function.restoration.analysis import SceneAnalysis

# The base is the lowest part of the silhouette, as a share of the product's height; the outermost columns on each side,
# as a share of its width, are left out, for there the silhouette turns upwards.
BASE_SHARE, CORNER_SHARE = 0.15, 1 / 12
# Soft pixels along the edge that are skipped.
EDGE_PX = 4
# Depth of the strip below the base, as a share of the height, and in rows at least.
DEPTH_SHARE, MIN_ROWS = 0.1, 6
# Width of the strips beside the base as a share of its width, and the colours sampled in each. The surface continues
# when the third share of its colours has a neighbour on one side within the distance (Lab, 8-bit scale).
BESIDE_SHARE, MAX_SAMPLES, MIN_CONTINUED, MAX_LAB_DISTANCE = 0.5, 300, 0.5, 15.0


def surface_continues(scene: SceneAnalysis, crop: ProductCrop) -> bool:
    """Whether the scene right below the base continues to its left or right. True where the image ends there."""
    columns, lowest = _base(crop)
    if not len(columns):
        return True
    top = int(lowest.max()) + EDGE_PX
    rows = slice(top, top + max(MIN_ROWS, int(DEPTH_SHARE * crop.height)))
    width = max(MIN_ROWS, int(BESIDE_SHARE * (columns[-1] - columns[0])))
    below = _colours(scene.image[rows, columns[0] : columns[-1] + 1])
    outer = np.flatnonzero((crop.product_mask > 0.5).any(axis=0)) + crop.box[0]
    left, right = int(outer[0]), int(outer[-1])
    beside = slice(max(0, left - width), left), slice(right + 1, right + 1 + width)
    sides = [side for side in (_colours(scene.image[rows, part]) for part in beside) if len(side)]
    if not len(below) or not sides:
        return True
    continued = [np.linalg.norm(below[:, None] - side[None], axis=2).min(axis=1) < MAX_LAB_DISTANCE for side in sides]
    return max(float(found.mean()) for found in continued) >= MIN_CONTINUED


def _colours(patch: np.ndarray) -> np.ndarray:
    """(n, 3) float32 Lab, 8-bit scale: colours sampled evenly over `patch` (h, w, 3) uint8."""
    if patch.size == 0:
        return np.zeros((0, 3), np.float32)
    lab = cv2.cvtColor(cv2.blur(patch, (3, 3)), cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    return lab[:: max(1, len(lab) // MAX_SAMPLES)]


def _base(crop: ProductCrop) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the base, and the lowest row of the silhouette in each, analysis pixels."""
    solid = crop.product_mask > 0.5
    columns = np.flatnonzero(solid.any(axis=0))
    if not len(columns):
        return columns, columns
    lowest = len(solid) - 1 - solid[::-1, columns].argmax(axis=0)
    base = lowest > lowest.max() - BASE_SHARE * crop.height
    columns, lowest = columns[base], lowest[base]
    cut = int(CORNER_SHARE * len(columns))
    inner = slice(cut, len(columns) - cut)
    return columns[inner] + crop.box[0], lowest[inner] + crop.box[1]
