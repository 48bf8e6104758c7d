"""A part of an image that is there twice: keypoints matched among themselves (copy-move detection).

A product that is inserted twice shows the same texture at two places, whatever its photograph shows of it. Keypoints of
one image are matched with those of the same image that lie well apart, and the pairs have to agree on one affine map,
as between photograph and generated image (`features.py`). The method is that of Amerini et al., "A SIFT-based forensic
method for copy-move attack detection and transformation recovery", IEEE TIFS 6, 2011, doi:10.1109/TIFS.2011.2129512. A
mirror image in a glossy surface does not match: its descriptors are turned over.

In: (h, w, 3) uint8, mask (h, w) uint8. Out: share 0..1 of the mask. `tests/matching/test_self_similarity.py`.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.features import MATCH_RATIO, detect, estimate_affine, hull_area

# Longest side (px) at which the masked part is analysed, and the most keypoints: matching takes their square.
ANALYSIS_PX, MAX_FEATURES = 720, 700
# Least distance of two parts, as a share of the root of the area: nearer ones are the pattern of one thing, such as the
# rungs of a chair.
MIN_APART = 0.35
# Keypoints nearer to each other than this are one location.
SAME_LOCATION_PX = 3.0
# Largest overlap of both parts, as a share of the smaller one.
MAX_SHARED = 0.1


def repeated_share(rgb: np.ndarray, mask: np.ndarray) -> float:
    """Area of the smaller of two matching parts of `rgb` (h, w, 3) uint8, as a share 0..1 of `mask` (h, w) uint8; 0
    where nothing is repeated."""
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return 0.0
    scale = min(1.0, ANALYSIS_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    grey, inside = (
        cv2.resize(part[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA)
        for part in (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), mask)
    )
    inside = cv2.inRange(inside, 128, 255)
    area = float(cv2.countNonZero(inside))
    features = detect(grey, inside, MAX_FEATURES)
    if len(features.points) < 2 or area == 0:
        return 0.0
    pairs = _pairs_apart(features.points, features.descriptors, MIN_APART * float(np.sqrt(area)))
    estimate = estimate_affine(features, features, pairs, float(size[1]))
    if estimate is None:
        return 0.0
    parts = [features.points[part[estimate[1]]] for part in pairs]
    smaller = min(hull_area(points) for points in parts)
    overlap, _ = cv2.intersectConvexConvex(*(cv2.convexHull(points) for points in parts))
    return 0.0 if overlap > MAX_SHARED * smaller else smaller / area


def _pairs_apart(points: np.ndarray, descriptors: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n,) of keypoints, and of the match of each at least `apart` pixels away that passes the ratio test."""
    similarity = descriptors @ descriptors.T
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    similarity[distance < apart] = -1
    rows = np.arange(len(points))
    nearest = similarity.argmax(axis=1)
    best = similarity[rows, nearest]
    second_best = np.where(distance[nearest] < SAME_LOCATION_PX, -1, similarity).max(axis=1)
    good = (best > 0) & ((2 - 2 * best) < MATCH_RATIO**2 * (2 - 2 * second_best))
    return rows[good], nearest[good]
