"""How the product's photograph is mapped onto the crop around it.

A mapping is (h, w, 2) float32: for each pixel of the crop the place in the photograph that lies there, either in pixels
of the photograph or in shares 0..1 of its sides. A match knows it only where the product is; an affine map fitted to
those places by least squares carries it on, so that the photograph's backdrop can be compared with what lies around the
product. On a body of revolution the mapping is continued beyond the visible front, where it stands still or folds:
there the determinant of its Jacobian departs from the typical one, and the photograph does not count as visible.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox

# Room kept around the product, as a share of its longer side and in pixels: for rims, bases and shadows.
MARGIN_SHARE, MARGIN_PX = 0.15, 8
# The affine map is fitted to about so many places at most; fewer than the second do not tell it.
MAX_FIT_POINTS, MIN_FIT_POINTS = 2000, 12
# The Jacobian's determinant may be so many times the median one, in size.
MIN_AREA_RATIO, MAX_AREA_RATIO = 0.3, 3.5


def padded_box(box: PixelBox, shape: tuple[int, ...]) -> PixelBox:
    """`box` with room around it, clipped to an image of `shape` (h, w)."""
    pad = round(MARGIN_SHARE * max(box[2:])) + MARGIN_PX
    left, top = max(0, box[0] - pad), max(0, box[1] - pad)
    right, bottom = min(shape[1], box[0] + box[2] + pad), min(shape[0], box[1] + box[3] + pad)
    return left, top, right - left, bottom - top


def box_mapping(fitted: tuple[float, float, float, float], box: PixelBox, alpha: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32, shares: for each pixel of `box` the place in the photograph whose silhouette, that of `alpha`
    (ph, pw) uint8, fills the box `fitted` (x, y, width, height)."""
    outline = cv2.boundingRect((alpha > 127).astype(np.uint8))
    across = (np.arange(box[2]) + box[0] + 0.5 - fitted[0]) / fitted[2] * outline[2] + outline[0]
    down = (np.arange(box[3]) + box[1] + 0.5 - fitted[1]) / fitted[3] * outline[3] + outline[1]
    u, v = np.meshgrid(across / alpha.shape[1], down / alpha.shape[0])
    return np.dstack([u, v]).astype(np.float32)


def extrapolate_affine(mapping: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32: the affine map that fits `mapping` (h, w, 2) best where it is `known` (h, w) bool; -1 where
    too little is known."""
    rows, columns = np.nonzero(known)
    if len(rows) < MIN_FIT_POINTS:
        return np.full_like(mapping, -1)
    step = max(1, len(rows) // MAX_FIT_POINTS)
    here = np.stack([columns[::step], rows[::step], np.ones_like(rows[::step])], axis=1).astype(np.float32)
    affine = np.linalg.lstsq(here, mapping[rows[::step], columns[::step]], rcond=None)[0]
    y, x = np.mgrid[0 : mapping.shape[0], 0 : mapping.shape[1]].astype(np.float32)
    return np.ascontiguousarray(np.dstack([x, y, np.ones_like(x)]) @ affine.astype(np.float32))


def regular_jacobian(mapping: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w) bool: where `mapping` (h, w, 2) stretches the photograph about as it does where `known` (h, w) 0..1."""
    across, down = np.gradient(mapping, axis=1), np.gradient(mapping, axis=0)
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    inside = known > 0.9
    typical = float(np.median(area[inside])) if inside.any() else 1.0
    steady = np.abs(area) > MIN_AREA_RATIO * abs(typical)
    steady &= np.abs(area) < MAX_AREA_RATIO * abs(typical)
    return cv2.erode(steady.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
