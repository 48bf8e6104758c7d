"""A part of a picture that is there twice: matches of its features among themselves (copy-move detection).

A product that stands twice shows the same texture at two places, whatever its photograph shows of it: a view from
another side is a copy of itself all the same. Features of one picture are matched with those of the same picture that
lie well apart, and the pairs have to agree on one similarity, as between photograph and answer (`features.py`). The
method is that of Amerini et al., "A SIFT-based forensic method for copy-move attack detection", IEEE TIFS 6, 2011,
doi:10.1109/TIFS.2011.2129512. A mirror image in a glossy surface is none: its descriptors are turned over.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.features import MATCH_RATIO, detect, first_view, hull_area

# Longest side (px) at which the part is looked at, and the most features: matching takes their square.
LOOKED_AT_PX, MAX_FEATURES = 720, 700
# Parts nearer than this share of the root of the area are the pattern of one thing: rungs of a chair, a brand's
# repeated mark.
MIN_APART = 0.35
# Features at so many pixels from each other are one place.
SAME_PLACE_PX = 3.0
# Both parts may share this much of the smaller one.
MAX_SHARED = 0.1


def repeated_share(rgb: np.ndarray, mask: np.ndarray) -> float:
    """Share 0..1 of the area of `mask` (h, w) uint8 that the smaller of two like parts of `rgb` (h, w, 3) uint8 takes;
    0 where no part is there twice."""
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return 0.0
    scale = min(1.0, LOOKED_AT_PX / max(width, height))
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
    view = first_view(features, features, pairs, float(size[1]))
    if view is None:
        return 0.0
    parts = [features.points[part[view[1]]] for part in pairs]
    smaller = min(hull_area(points) for points in parts)
    shared, _ = cv2.intersectConvexConvex(*(cv2.convexHull(points) for points in parts))
    return 0.0 if shared > MAX_SHARED * smaller else smaller / area


def _pairs_apart(points: np.ndarray, descriptors: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n,) of features and of the like of each that lies at least `apart` pixels away, and has no rival."""
    similarity = descriptors @ descriptors.T
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    similarity[distance < apart] = -1
    rows = np.arange(len(points))
    nearest = similarity.argmax(axis=1)
    best = similarity[rows, nearest]
    rival = np.where(distance[nearest] < SAME_PLACE_PX, -1, similarity).max(axis=1)
    good = (best > 0) & ((2 - 2 * best) < MATCH_RATIO**2 * (2 - 2 * rival))
    return rows[good], nearest[good]
