"""The lean and the aspect of a product without matched keypoints: its silhouette against the photograph's.

The affine map between two shapes is known from their second moments up to a rotation (Hu, "Visual pattern recognition
by moment invariants", IRE Transactions on Information Theory 8, 1962, doi:10.1109/TIT.1962.1057692): some rotations are
tried, and the one with the highest intersection over union counts. Another view of the product has another silhouette
and overlaps less: then nothing is said. A silhouette that fills its box is not used either, for a box that is turned
about its own axis only gets narrower.

In: photograph (ph, pw, 4) uint8, `ProductCrop`. Out: degrees, and width over height as a ratio. Of rendered products
that stand, those that overlapped enough leaned by up to 4.4 degrees and had .86 to 1.13 times their width; of those
that lean by 8 and 14 degrees it read 6.8 and more.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import fill_holes, largest_component
from function.judging.product_crop import ProductCrop
from function.matching.reference_image import photograph_alpha

# Longest side of both silhouettes, px, and the padding around them.
SIDE_PX, PADDING_PX = 96, 24
# Rotations that are tried, degrees.
ROTATIONS_DEG = np.arange(-40.0, 41.0, 2.0)
# Least intersection over union of one shape, and the largest shear of one view.
MIN_IOU, MAX_SHEAR = 0.86, 0.12
# A silhouette that fills its box by more (extent) has no shape to measure.
MAX_EXTENT = 0.8
# Smaller silhouettes are not measured.
MIN_AREA_PX = 200


@dataclass(frozen=True)
class SilhouettePose:
    """lean_deg      degrees by which the photograph's verticals lean, their tops to the right where positive
    aspect_change  width over height against the photograph's"""

    lean_deg: float
    aspect_change: float


def silhouette_pose(photograph: np.ndarray, crop: ProductCrop) -> SilhouettePose | None:
    """The pose of the product in `crop`, whose shadow was removed; None where its silhouette is not that of the
    `photograph` (ph, pw, 4) uint8."""
    solid = ((crop.product_mask > 0.5) & (crop.inserted_mask > 0.5)).astype(np.uint8)
    found = largest_component(cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0)
    given = (photograph_alpha(photograph) > 127).astype(np.uint8)
    if found is None or given.sum() < MIN_AREA_PX or found[0].sum() < MIN_AREA_PX:
        return None
    own, shown = _normalised(given), _normalised(found[0].astype(np.uint8))
    if own.mean() > MAX_EXTENT:
        return None
    shape = _fit_affine(own, shown)
    if shape is None:
        return None
    across, down = shape[:, 0], shape[:, 1]
    wide, tall = float(np.hypot(*across)), float(np.hypot(*down))
    if abs(float(across @ down)) > MAX_SHEAR * wide * tall:
        return None
    return SilhouettePose(float(np.degrees(np.arctan2(-down[0], down[1]))), wide / tall)


def _normalised(solid: np.ndarray) -> np.ndarray:
    """(h, w) uint8 0 or 1: the box of `solid` (h', w') uint8 scaled to `SIDE_PX`, its holes filled."""
    x, y, wide, tall = cv2.boundingRect(solid)
    share = SIDE_PX / max(wide, tall)
    size = max(6, round(wide * share)), max(6, round(tall * share))
    small = cv2.resize(solid[y : y + tall, x : x + wide] * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    closed: np.ndarray = fill_holes((small > 127).astype(np.uint8))
    return closed


def _fit_affine(own: np.ndarray, shown: np.ndarray) -> np.ndarray | None:
    """(2, 2) float64 that lays `own` on `shown`, both (h, w) uint8 0 or 1; None where they do not overlap enough."""
    (own_middle, own_spread), (middle, spread) = _moments(own), _moments(shown)
    there, back = _matrix_sqrt(spread), np.linalg.inv(_matrix_sqrt(own_spread))
    target = np.pad(shown, PADDING_PX) > 0
    best, overlap = None, MIN_IOU
    for angle in np.radians(ROTATIONS_DEG):
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shape = there @ rotation @ back
        matrix = np.column_stack([shape, middle + PADDING_PX - shape @ own_middle])
        laid = cv2.warpAffine(own * np.uint8(255), matrix, target.shape[::-1]) > 127
        common = np.count_nonzero(laid & target) / np.count_nonzero(laid | target)
        if common >= overlap:
            best, overlap = shape, common
    return best


def _moments(solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle (2,) and covariance (2, 2) of the places (x, y) of `solid` (h, w); a line has some width too."""
    rows, columns = np.nonzero(solid)
    places = np.stack([columns, rows]).astype(np.float64)
    return places.mean(axis=1), np.cov(places) + np.eye(2) / 12


def _matrix_sqrt(spread: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance (2, 2)."""
    values, vectors = np.linalg.eigh(spread)
    root: np.ndarray = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    return root
