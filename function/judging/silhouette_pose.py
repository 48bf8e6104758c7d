"""How a product stands and how wide it is whose photograph was not found again: its silhouette against the
photograph's.

The affine map between two shapes is known from their second moments up to a turn (Hu, "Visual pattern recognition by
moment invariants", IRE Transactions on Information Theory 8, 1962, doi:10.1109/TIT.1962.1057692): a few turns are
tried, and that counts under which the shapes overlap most. Another view of a product has another silhouette and
overlaps less: then nothing is said. A silhouette that fills its box tells nothing either, for a box that is turned
about its own axis only gets narrower. Of rendered products that stand, those that overlapped enough leaned by up to
4.4 degrees and had .86 to 1.13 times their width; of those that lean by 8 and 14 degrees it read 6.8 and more.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import fill_holes, largest_component
from function.judging.product_view import ProductView
from function.matching.photograph import photograph_alpha

# Longest side of both silhouettes, px, and the room around them.
SIDE_PX, ROOM_PX = 96, 24
# Turns that are tried, degrees.
TURNS_DEG = np.arange(-40.0, 41.0, 2.0)
# Intersection over union from which both are one shape, and the shear up to which that is no other view of it.
MIN_OVERLAP, MAX_SHEAR = 0.86, 0.12
# A photograph's silhouette that fills its box by more has no shape that tells.
MAX_FILLED = 0.8
# Fewer pixels have no shape.
MIN_PX = 200


@dataclass(frozen=True)
class SilhouettePose:
    """lean_deg      degrees by which the photograph's verticals lean, their tops to the right where positive
    aspect_change  width over height against the photograph's"""

    lean_deg: float
    aspect_change: float


def silhouette_pose(photograph: np.ndarray, view: ProductView) -> SilhouettePose | None:
    """Of the product in `view`, its shadow taken out of it; None where its silhouette is not that of the `photograph`
    (ph, pw, 4) uint8."""
    solid = ((view.cover > 0.5) & (view.put_in > 0.5)).astype(np.uint8)
    found = largest_component(cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0)
    given = (photograph_alpha(photograph) > 127).astype(np.uint8)
    if found is None or given.sum() < MIN_PX or found[0].sum() < MIN_PX:
        return None
    own, shown = _shrunk(given), _shrunk(found[0].astype(np.uint8))
    if own.mean() > MAX_FILLED:
        return None
    shape = _best_shape(own, shown)
    if shape is None:
        return None
    across, down = shape[:, 0], shape[:, 1]
    wide, tall = float(np.hypot(*across)), float(np.hypot(*down))
    if abs(float(across @ down)) > MAX_SHEAR * wide * tall:
        return None
    return SilhouettePose(float(np.degrees(np.arctan2(-down[0], down[1]))), wide / tall)


def _shrunk(solid: np.ndarray) -> np.ndarray:
    """(h, w) uint8 0 or 1 of `SIDE_PX`: the box that `solid` (h', w') uint8 fills, its holes closed."""
    x, y, wide, tall = cv2.boundingRect(solid)
    share = SIDE_PX / max(wide, tall)
    size = max(6, round(wide * share)), max(6, round(tall * share))
    small = cv2.resize(solid[y : y + tall, x : x + wide] * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    closed: np.ndarray = fill_holes((small > 127).astype(np.uint8))
    return closed


def _best_shape(own: np.ndarray, shown: np.ndarray) -> np.ndarray | None:
    """(2, 2) float64 that lays `own` on `shown`, both (h, w) uint8 0 or 1; None where they do not overlap enough."""
    (own_middle, own_spread), (middle, spread) = _moments(own), _moments(shown)
    there, back = _root(spread), np.linalg.inv(_root(own_spread))
    target = np.pad(shown, ROOM_PX) > 0
    best, overlap = None, MIN_OVERLAP
    for turn in np.radians(TURNS_DEG):
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        shape = there @ rotation @ back
        matrix = np.column_stack([shape, middle + ROOM_PX - shape @ own_middle])
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


def _root(spread: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance (2, 2)."""
    values, vectors = np.linalg.eigh(spread)
    root: np.ndarray = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    return root
