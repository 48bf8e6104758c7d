"""Feature matches between the product photograph and the answer, and a first affine view from them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Lowe's ratio; loose, because the answer's texture is guessed. Wrong pairs are left to the geometry to
# reject.
MATCH_RATIO = 0.88
# SIFT's contrast threshold, half of the usual: the answer's small print is faint.
CONTRAST_THRESHOLD = 0.02
MAX_FEATURES = 2500
# Agreeing pairs lie over at least this share of the area that the photograph's features take: a wordmark that the scene
# shows by itself, or one ornament, is no view of the product.
MIN_SPREAD = 0.01
# Fewest places whose pairs agree on one view before it counts: 5 or 6 agree by chance in a busy scene.
MIN_INLIERS = 8
# Pairs may miss a similarity, or the affine view, by this share of the product's height: features' own sizes
# and directions are rough, and a turned can is no plane.
SIMILARITY_TOLERANCE = 0.08
AFFINE_TOLERANCE = 0.04
# Agreeing pairs have the same size ratio (as a logarithm) and turn (radians) within this.
SCALE_TOLERANCE = 0.45
TURN_TOLERANCE = 0.45


@dataclass(frozen=True)
class Features:
    """Positions (n, 2) float32 in pixels (centre of the first pixel is 0.5, 0.5), sizes (n,) in pixels,
    directions (n,) in degrees, and RootSIFT descriptors (n, 128).
    """

    points: np.ndarray
    sizes: np.ndarray
    angles: np.ndarray
    descriptors: np.ndarray


def detect(grey: np.ndarray, mask: np.ndarray | None = None, max_features: int = MAX_FEATURES) -> Features:
    """SIFT features of `grey` (h, w) uint8, where `mask` (h, w) uint8 is not zero; the strongest `max_features`."""
    sift = cv2.SIFT.create(nfeatures=max_features, contrastThreshold=CONTRAST_THRESHOLD)
    keypoints, descriptors = sift.detectAndCompute(grey, mask)
    if descriptors is None or len(keypoints) < 2:
        return Features(*(np.zeros(shape, np.float32) for shape in ((0, 2), 0, 0, (0, 128))))
    descriptors = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6))
    points = np.asarray(cv2.KeyPoint.convert(keypoints)) + np.float32(0.5)
    sizes, angles = np.array([(point.size, point.angle) for point in keypoints], np.float32).T
    return Features(points, sizes, angles, descriptors)


def mirrored(features: Features, width: int) -> Features:
    """The features of the picture, `width` pixels wide, with left and right exchanged.

    A descriptor is 4 rows and 4 columns of 8 directions, seen along its feature's own direction (Lowe, Distinctive
    image features, 2004): a mirror turns rows and directions round and leaves the columns.
    """
    points = features.points * np.array([-1, 1], np.float32) + np.array([width, 0], np.float32)
    rows = features.descriptors.reshape(-1, 4, 4, 8)[:, ::-1]
    descriptors = np.roll(rows[..., ::-1], 1, axis=-1).reshape(-1, 128)
    return Features(points, features.sizes, (180 - features.angles) % 360, descriptors)


def pair_up(photograph: Features, answer: Features) -> tuple[np.ndarray, np.ndarray]:
    """Indices (photograph, answer) of matching features.

    Each of the answer's features looks for its like in the photograph, not the other way round: a product
    that stands twice in the answer then still matches, both times.
    """
    if len(photograph.points) < 2 or len(answer.points) < 2:
        return np.zeros(0, int), np.zeros(0, int)
    similarity = answer.descriptors @ photograph.descriptors.T
    nearest = similarity.argmax(axis=1)
    rows = np.arange(len(nearest))
    best = similarity[rows, nearest]
    # A rival at the same place (another orientation or scale of one corner) is no rival.
    place = photograph.points
    similarity[rows, nearest] = -1
    for _ in range(2):
        second = similarity.argmax(axis=1)
        same = np.abs(place[second] - place[nearest]).max(axis=1) < 2
        similarity[rows[same], second[same]] = -1
    rival = similarity.max(axis=1)
    good = (2 - 2 * best) < MATCH_RATIO**2 * (2 - 2 * rival)
    return nearest[good], rows[good]


def first_view(
    photograph: Features, answer: Features, pairs: tuple[np.ndarray, np.ndarray], height: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Affine view (2, 3) of the photograph in the answer, and which `pairs` agree with it (n,) bool; or None.

    Every pair alone proposes a similarity, from its two features' places, sizes and directions; the one that
    most pairs share wins, and an affine view is fitted to them. With so few unknowns a handful of right pairs
    among many wrong ones is enough. `height` is the photograph's, in its pixels; tolerances are shares of it.
    """
    first, second = pairs
    if len(first) < MIN_INLIERS:
        return None
    source, target = photograph.points[first], answer.points[second]
    scale = answer.sizes[second] / photograph.sizes[first]
    turn = np.deg2rad(answer.angles[second] - photograph.angles[first])
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    dx, dy = (source[None, :, axis] - source[:, None, axis] for axis in (0, 1))
    miss_x = cosine[:, None] * dx - sine[:, None] * dy - (target[None, :, 0] - target[:, None, 0])
    miss_y = sine[:, None] * dx + cosine[:, None] * dy - (target[None, :, 1] - target[:, None, 1])
    near = miss_x**2 + miss_y**2 < (SIMILARITY_TOLERANCE * height * scale[:, None]) ** 2
    alike = np.abs(np.log(scale[None, :] / scale[:, None])) < SCALE_TOLERANCE
    turned = np.abs(turn[None, :] - turn[:, None]) % (2 * np.pi)
    alike &= np.minimum(turned, 2 * np.pi - turned) < TURN_TOLERANCE
    support = near & alike
    least_area = MIN_SPREAD * hull_area(photograph.points)
    best = None
    for seed in np.argsort(-support.sum(axis=1), kind="stable")[:8]:
        chosen = support[seed]
        for tolerance in (SIMILARITY_TOLERANCE, AFFINE_TOLERANCE, AFFINE_TOLERANCE):
            if places(source[chosen]) < MIN_INLIERS:
                break
            view = np.linalg.lstsq(np.c_[source[chosen], np.ones(chosen.sum())], target[chosen], rcond=None)[0].T
            miss = np.hypot(*(source @ view[:, :2].T + view[:, 2] - target).T)
            chosen = alike[seed] & (miss < tolerance * height * np.sqrt(max(np.linalg.det(view[:, :2]), 0)))
        else:
            count = places(source[chosen])
            spread = hull_area(source[chosen]) >= least_area
            if plausible(view) and spread and count >= MIN_INLIERS and (best is None or count > best[0]):
                best = count, view, chosen
    return None if best is None else (best[1], best[2])


def hull_area(points: np.ndarray) -> float:
    """Area of the convex hull of `points` (n, 2) float32."""
    return float(cv2.contourArea(cv2.convexHull(points))) if len(points) > 2 else 0.0


def places(points: np.ndarray) -> int:
    """How many distinct places `points` (n, 2) are; pairs that share a corner are one witness."""
    across, down = np.round(points / 3).astype(np.int64).T
    return len(np.unique(across * 2**20 + down))


def plausible(view: np.ndarray) -> bool:
    """Whether an affine `view` (2, 3) is unmirrored and stretches one direction at most twice as much as
    another.
    """
    stretch = np.linalg.svd(view[:, :2], compute_uv=False)
    return bool(np.linalg.det(view[:, :2]) > 0 and stretch[1] > 0.02 and stretch[0] < 2 * stretch[1])
