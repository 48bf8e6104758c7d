"""SIFT keypoints of photograph and generated image, their matches, and an affine map from them.

SIFT (Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60, 2004,
doi:10.1023/B:VISI.0000029664.99615.94) with RootSIFT descriptors (Arandjelovic and Zisserman, "Three things everyone
should know to improve object retrieval", CVPR 2012, doi:10.1109/CVPR.2012.6248018) and Lowe's ratio test, made from the
generated image's side so that two instances both match. The affine map is found by consensus as in Lowe's section 7:
each match alone proposes a similarity from its keypoints' locations, scales and orientations; the one with most support
is refined by least squares.

In: luma (h, w) uint8. Out: `Features`; indices of matches; an affine map (2, 3). MAGSAC was compared
on three cases: as many inliers, corners within 7 px of these. `python -m tests.bench.fidelity`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Lowe's ratio. It is loose, because the generated texture is guessed: the consensus rejects outliers.
MATCH_RATIO = 0.88
# SIFT's contrast threshold, half of the usual: generated small print is faint.
CONTRAST_THRESHOLD = 0.02
MAX_FEATURES = 2500
# Least area of the inliers' convex hull, as a share of that of all keypoints: a wordmark that the scene shows by
# itself, or one ornament, is no match of the product.
MIN_HULL_SHARE = 0.01
# Keypoints within about this distance (px) share a location.
SAME_LOCATION_PX = 3
# Fewest distinct locations of inliers: 5 or 6 agree by chance in a busy scene.
MIN_INLIERS = 8
# So many proposals with the most support are refined.
MAX_SEEDS = 8
# Residuals of the similarity and of the affine map up to which a match is an inlier, shares of the product's height: a
# rotated can is no plane, and the scales and orientations of keypoints are rough.
SIMILARITY_TOLERANCE = 0.08
AFFINE_TOLERANCE = 0.04
# Differences in the logarithm of scale and in orientation (radians) up to which two matches support each other.
SCALE_TOLERANCE = 0.45
ROTATION_TOLERANCE = 0.45


@dataclass(frozen=True)
class Features:
    """Keypoints: locations (n, 2) float32 in pixels (centre of the first pixel is 0.5, 0.5), sizes (n,) in pixels,
    orientations (n,) in degrees, and RootSIFT descriptors (n, 128).
    """

    points: np.ndarray
    sizes: np.ndarray
    angles: np.ndarray
    descriptors: np.ndarray


def detect(grey: np.ndarray, mask: np.ndarray | None = None, max_features: int = MAX_FEATURES) -> Features:
    """SIFT keypoints of `grey` (h, w) uint8 where `mask` (h, w) uint8 is not zero; the strongest `max_features`."""
    sift = cv2.SIFT.create(nfeatures=max_features, contrastThreshold=CONTRAST_THRESHOLD)
    keypoints, descriptors = sift.detectAndCompute(grey, mask)
    if descriptors is None or len(keypoints) < 2:
        return Features(*(np.zeros(shape, np.float32) for shape in ((0, 2), 0, 0, (0, 128))))
    descriptors = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6))
    points = np.asarray(cv2.KeyPoint.convert(keypoints)) + np.float32(0.5)
    sizes, angles = np.array([(point.size, point.angle) for point in keypoints], np.float32).T
    return Features(points, sizes, angles, descriptors)


def mirrored(features: Features, width: int) -> Features:
    """The keypoints of the image, `width` pixels wide, with left and right exchanged.

    A descriptor is 4 rows and 4 columns of 8 directions along its keypoint's own orientation: a mirror reverses rows
    and directions and leaves the columns.
    """
    points = features.points * np.array([-1, 1], np.float32) + np.array([width, 0], np.float32)
    rows = features.descriptors.reshape(-1, 4, 4, 8)[:, ::-1]
    descriptors = np.roll(rows[..., ::-1], 1, axis=-1).reshape(-1, 128)
    return Features(points, features.sizes, (180 - features.angles) % 360, descriptors)


def match_ratio_test(reference: Features, generated: Features) -> tuple[np.ndarray, np.ndarray]:
    """Indices (reference, generated) of matching keypoints, by Lowe's ratio test.

    The nearest neighbour is searched for each keypoint of the generated image, not the other way round: a product that
    is there twice then matches both times.
    """
    if len(reference.points) < 2 or len(generated.points) < 2:
        return np.zeros(0, int), np.zeros(0, int)
    similarity = generated.descriptors @ reference.descriptors.T
    nearest = similarity.argmax(axis=1)
    rows = np.arange(len(nearest))
    best = similarity[rows, nearest]
    # A second neighbour at the same location (another orientation or scale of one corner) does not count.
    location = reference.points
    similarity[rows, nearest] = -1
    for _ in range(2):
        second = similarity.argmax(axis=1)
        same = np.abs(location[second] - location[nearest]).max(axis=1) < 2
        similarity[rows[same], second[same]] = -1
    second_best = similarity.max(axis=1)
    good = (2 - 2 * best) < MATCH_RATIO**2 * (2 - 2 * second_best)
    return nearest[good], rows[good]


def estimate_affine(
    reference: Features, generated: Features, pairs: tuple[np.ndarray, np.ndarray], height: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Affine map (2, 3) from reference to generated image, and which `pairs` are its inliers (n,) bool; or None.

    Every match proposes a similarity from its keypoints' locations, sizes and orientations; the ones with most support
    are refined by least squares. With so few unknowns a handful of right matches among many outliers is enough.
    `height` is the photograph's, in its pixels; tolerances are shares of it.
    """
    first, second = pairs
    if len(first) < MIN_INLIERS:
        return None
    source, target = reference.points[first], generated.points[second]
    scale = generated.sizes[second] / reference.sizes[first]
    rotation = np.deg2rad(generated.angles[second] - reference.angles[first])
    cosine, sine = scale * np.cos(rotation), scale * np.sin(rotation)
    dx, dy = (source[None, :, axis] - source[:, None, axis] for axis in (0, 1))
    miss_x = cosine[:, None] * dx - sine[:, None] * dy - (target[None, :, 0] - target[:, None, 0])
    miss_y = sine[:, None] * dx + cosine[:, None] * dy - (target[None, :, 1] - target[:, None, 1])
    near = miss_x**2 + miss_y**2 < (SIMILARITY_TOLERANCE * height * scale[:, None]) ** 2
    same_pose = np.abs(np.log(scale[None, :] / scale[:, None])) < SCALE_TOLERANCE
    rotation_difference = np.abs(rotation[None, :] - rotation[:, None]) % (2 * np.pi)
    same_pose &= np.minimum(rotation_difference, 2 * np.pi - rotation_difference) < ROTATION_TOLERANCE
    support = near & same_pose
    min_area = MIN_HULL_SHARE * hull_area(reference.points)
    best = None
    for seed in np.argsort(-support.sum(axis=1), kind="stable")[:MAX_SEEDS]:
        inliers = support[seed]
        for tolerance in (SIMILARITY_TOLERANCE, AFFINE_TOLERANCE, AFFINE_TOLERANCE):
            if distinct_locations(source[inliers]) < MIN_INLIERS:
                break
            affine = np.linalg.lstsq(np.c_[source[inliers], np.ones(inliers.sum())], target[inliers], rcond=None)[0].T
            miss = np.hypot(*(source @ affine[:, :2].T + affine[:, 2] - target).T)
            inliers = same_pose[seed] & (miss < tolerance * height * np.sqrt(max(np.linalg.det(affine[:, :2]), 0)))
        else:
            count = distinct_locations(source[inliers])
            spread = hull_area(source[inliers]) >= min_area
            if is_valid_affine(affine) and spread and count >= MIN_INLIERS and (best is None or count > best[0]):
                best = count, affine, inliers
    return None if best is None else (best[1], best[2])


def hull_area(points: np.ndarray) -> float:
    """Area of the convex hull of `points` (n, 2) float32."""
    return float(cv2.contourArea(cv2.convexHull(points))) if len(points) > 2 else 0.0


def distinct_locations(points: np.ndarray) -> int:
    """How many distinct locations `points` (n, 2) have; matches that share a corner count once."""
    across, down = np.round(points / SAME_LOCATION_PX).astype(np.int64).T
    return len(np.unique(across * 2**20 + down))


def is_valid_affine(affine: np.ndarray) -> bool:
    """Whether `affine` (2, 3) is unmirrored and stretches one direction at most twice as much as another."""
    stretch = np.linalg.svd(affine[:, :2], compute_uv=False)
    return bool(np.linalg.det(affine[:, :2]) > 0 and stretch[1] > 0.02 and stretch[0] < 2 * stretch[1])
