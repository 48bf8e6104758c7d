"""The surface right below the product's base: whether it is one to stand on."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.product_view import ProductView
from function.restoration.analysis import SceneAnalysis

# The base is the lowest part of the outline, as a share of the product's height; of its columns the outermost share
# on each side is left out, where the outline turns upwards.
BASE_SHARE, OUTERMOST = 0.15, 1 / 12
# The edge's soft pixels are passed over.
SOFT_PX = 4
# It is read over this share of the height, and in so many rows at least.
CONTACT_SHARE, MIN_ROWS = 0.1, 6
# Beside the product the surface is looked at over this share of the base's width. It goes on there when this share of
# its colours is found on one side, each within this distance (Lab, 8-bit scale): veins of marble and light that falls
# off are found, skin and trousers before a wall are not.
BESIDE_SHARE, BESIDE_SAMPLE, GOES_ON, SAME_COLOUR = 0.5, 300, 0.5, 15.0


def goes_on_beside(scene: SceneAnalysis, view: ProductView) -> bool:
    """Whether what lies right below the base in the scene goes on to its left or right: a surface to stand on does, a
    hand or a hip does not. True where the picture ends there.
    """
    columns, lowest = _base(view)
    if not len(columns):
        return True
    top = int(lowest.max()) + SOFT_PX
    rows = slice(top, top + max(MIN_ROWS, int(CONTACT_SHARE * view.height)))
    width = max(MIN_ROWS, int(BESIDE_SHARE * (columns[-1] - columns[0])))
    below = _colours(scene.image[rows, columns[0] : columns[-1] + 1])
    outer = np.flatnonzero((view.cover > 0.5).any(axis=0)) + view.box[0]
    left, right = int(outer[0]), int(outer[-1])
    beside = slice(max(0, left - width), left), slice(right + 1, right + 1 + width)
    sides = [side for side in (_colours(scene.image[rows, part]) for part in beside) if len(side)]
    if not len(below) or not sides:
        return True
    alike = [np.linalg.norm(below[:, None] - side[None], axis=2).min(axis=1) < SAME_COLOUR for side in sides]
    return max(float(found.mean()) for found in alike) >= GOES_ON


def _colours(patch: np.ndarray) -> np.ndarray:
    """(n, 3) float32 Lab, 8-bit scale: colours of `patch` (h, w, 3) uint8, evenly over its area."""
    if patch.size == 0:
        return np.zeros((0, 3), np.float32)
    lab = cv2.cvtColor(cv2.blur(patch, (3, 3)), cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    return lab[:: max(1, len(lab) // BESIDE_SAMPLE)]


def _base(view: ProductView) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the base and the outline's lowest row in each, analysis pixels."""
    solid = view.cover > 0.5
    columns = np.flatnonzero(solid.any(axis=0))
    if not len(columns):
        return columns, columns
    lowest = len(solid) - 1 - solid[::-1, columns].argmax(axis=0)
    base = lowest > lowest.max() - BASE_SHARE * view.height
    columns, lowest = columns[base], lowest[base]
    cut = int(OUTERMOST * len(columns))
    inner = slice(cut, len(columns) - cut)
    return columns[inner] + view.box[0], lowest[inner] + view.box[1]
