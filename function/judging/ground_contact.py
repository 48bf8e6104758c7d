"""The surface right below the product's base: whether anything stands on it."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.photometry import log2_levels
from function.judging.product_view import ProductView
from function.restoration.analysis import SceneAnalysis

# The base is the lowest part of the outline, as a share of the product's height; of its columns the outermost share
# on each side is left out, where the outline turns upwards.
BASE_SHARE, OUTERMOST = 0.15, 1 / 12
# The outline may miss the product's edge by this share of the height and so many pixels. Down to there the edge is
# where the answer last differs from the scene half as much as the product itself does, and by so many stops at least.
EDGE_SHARE, EDGE_PX, PRODUCT_PART, LEAST_DIFFERENCE = 0.05, 4, 0.5, 0.06
# Columns whose edges are smoothed together (median), rows inside of the outline that show the product.
EDGE_COLUMNS, INSIDE_PX = 9, 8
# Soft pixels of the edge itself are passed over.
SOFT_PX = 4
# The surface is read down to this share of the height, and its middle tone over so many parts of the base.
DEPTH_SHARE, PARTS = 0.3, 5
# Contact shows within this share of the height, and in so many rows at least.
CONTACT_SHARE, LEAST_ROWS = 0.1, 6
# A step of the shadow is looked for over this share of the height.
STEP_SHARE = 0.03
# Beside the product the surface is looked at over this share of the base's width. It goes on there when this share of
# its colours is found on one side, each within this distance (Lab, 8-bit scale): veins of marble and light that falls
# off are found, skin and trousers before a wall are not.
BESIDE_SHARE, BESIDE_SAMPLE, GOES_ON, SAME_COLOUR = 0.5, 300, 0.5, 15.0
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 12.0


def surface_below(scene: SceneAnalysis, view: ProductView) -> np.ndarray | None:
    """(parts, rows) float32: stops by which the answer is darker than the scene, from just below the product's edge
    downwards, the median over each part of the base. None where the picture ends there.
    """
    columns, lowest = _base(view)
    if len(columns) < PARTS:
        return None
    left, top = int(columns[0]), max(0, int(lowest.min()) - INSIDE_PX)
    search = int(EDGE_SHARE * view.height) + EDGE_PX
    end = int(lowest.max()) + search + SOFT_PX + int(DEPTH_SHARE * view.height) + 1
    crop = np.s_[top:end, left : int(columns[-1]) + 1]
    lowest, columns = lowest - top, columns - left
    edge = lowest + _edge(_stops(scene.image[crop]) - _stops(scene.answer[crop]), columns, lowest, search)
    grey = [_stops(cv2.cvtColor(p[crop], cv2.COLOR_RGB2GRAY)) for p in (scene.image, scene.answer)]
    rows = (edge + SOFT_PX)[:, None] + np.arange(int(DEPTH_SHARE * view.height))
    inside = rows < len(grey[0])
    kept = int(np.count_nonzero(inside.mean(axis=0) > 0.5))
    if kept < LEAST_ROWS:
        return None
    darker = (grey[0] - grey[1])[np.minimum(rows, len(grey[0]) - 1), columns[:, None]][:, :kept]
    return np.stack([np.median(part, axis=0) for part in np.array_split(darker, PARTS, axis=0)])


def touched(surface: np.ndarray, height: float) -> float:
    """Stops (root mean square) by which the surface near the base differs from the scene where it does most.

    Where a product stands, contact shadow or reflection change it; under one in the air it is as it was.
    """
    near = surface[:, : max(LEAST_ROWS, int(CONTACT_SHARE * height))]
    return float(np.sqrt((near * near).mean(axis=1)).max())


def gap(surface: np.ndarray, height: float) -> float:
    """Stops by which the surface some way below the base is darkened more than right below it."""
    middle = np.median(surface, axis=0)
    span = max(4, int(STEP_SHARE * height))
    if len(middle) < 2 * span:
        return 0.0
    smooth = np.convolve(middle, np.full(span, 1 / span), "valid")
    # A bright reflection right below is no gap: only what is darker than the scene counts.
    return float(smooth.max() - max(0.0, float(smooth[0])))


def goes_on_beside(scene: SceneAnalysis, view: ProductView) -> bool:
    """Whether what lies right below the base in the scene goes on to its left or right: a surface to stand on does, a
    hand or a hip does not. True where the picture ends there.
    """
    columns, lowest = _base(view)
    if not len(columns):
        return True
    top = int(lowest.max()) + SOFT_PX
    rows = slice(top, top + max(LEAST_ROWS, int(CONTACT_SHARE * view.height)))
    width = max(LEAST_ROWS, int(BESIDE_SHARE * (columns[-1] - columns[0])))
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


def _edge(difference: np.ndarray, columns: np.ndarray, lowest: np.ndarray, search: int) -> np.ndarray:
    """Rows from the outline down to the product's edge in each column; `difference` (h, w, 3) in stops."""
    rows = np.clip(lowest[:, None] + np.arange(-INSIDE_PX, search + 1), 0, len(difference) - 1)
    strength = np.abs(difference[rows, columns[:, None]]).max(axis=2)
    product = np.quantile(strength[:, : INSIDE_PX + 1], 0.75, axis=1)
    above = strength >= np.maximum(LEAST_DIFFERENCE, PRODUCT_PART * product)[:, None]
    last = above.shape[1] - 1 - above[:, ::-1].argmax(axis=1)
    last[~above.any(axis=1)] = INSIDE_PX
    window = min(EDGE_COLUMNS, len(last) - 1 + len(last) % 2)
    padded = np.pad(last, window // 2, mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1)[: len(last)]
    return smooth.astype(int) + 1 - INSIDE_PX


def _stops(picture: np.ndarray) -> np.ndarray:
    """Logarithm (base 2) of `picture` (h, w) or (h, w, 3) uint8, lightly smoothed."""
    return log2_levels(cv2.GaussianBlur(picture, (0, 0), 0.7), DARK_OFFSET)
