"""Features: mirrored without looking again, paired by likeness, and agreeing on one view."""

from __future__ import annotations

import cv2
import numpy as np

from function.matching import features
from tests.matching.samples import label


def test_features_are_mirrored_as_if_found_in_the_mirror_image():
    grey = cv2.cvtColor(label(), cv2.COLOR_RGB2GRAY)
    found = features.detect(np.ascontiguousarray(grey[:, ::-1]))
    made = features.mirrored(features.detect(grey), grey.shape[1])
    away = np.hypot(*(found.points[:, None] - made.points[None]).transpose(2, 0, 1))
    turned = np.abs((found.angles[:, None] - made.angles[None] + 180) % 360 - 180)
    alike = (away < 1) & (turned < 10) & (np.abs(np.log(found.sizes[:, None] / made.sizes[None])) < 0.1)
    pairs = np.argwhere(alike)
    assert len(np.unique(pairs[:, 0])) > 0.6 * len(found.points)
    similarity = (found.descriptors[pairs[:, 0]] * made.descriptors[pairs[:, 1]]).sum(axis=1)
    assert np.median(similarity) > 0.99


def test_the_view_that_pairs_agree_on_is_found_among_wrong_pairs():
    grey = cv2.cvtColor(label(), cv2.COLOR_RGB2GRAY)
    matrix = np.array([[0.62, -0.11, 80], [0.11, 0.62, 30]])
    answer = cv2.warpAffine(grey, matrix, (500, 420), flags=cv2.INTER_AREA, borderValue=128)
    known, seen = features.detect(grey), features.detect(answer)
    first, second = features.match_ratio_test(known, seen)
    wrong = np.random.default_rng(0).permutation(len(known.points))[: len(first) // 2]
    pairs = np.concatenate([first, wrong]), np.concatenate([second, np.arange(len(wrong)) % len(seen.points)])
    affine, chosen = features.estimate_affine(known, seen, pairs, grey.shape[0])
    corners = np.array([[0, 0, 1], [360, 0, 1], [0, 480, 1], [360, 480, 1]], float)
    # Features count from the first pixel's corner, OpenCV's matrices from its middle: half a pixel less its share.
    assert np.abs(corners @ affine.T - corners @ matrix.T).max() < 2
    assert chosen.sum() >= features.MIN_INLIERS


def test_too_few_pairs_are_no_view():
    nothing = features.detect(np.full((50, 50), 128, np.uint8))
    assert len(nothing.points) == 0
    assert features.estimate_affine(nothing, nothing, features.match_ratio_test(nothing, nothing), 50) is None


def test_points_that_share_a_corner_are_one_place():
    assert features.distinct_locations(np.array([[10.0, 10.0], [10.4, 9.8], [40.0, 10.0]])) == 2


def test_a_mirrored_or_squashed_view_is_not_valid():
    assert features.is_valid_affine(np.array([[1.0, 0, 5], [0, 0.7, 5]]))
    assert not features.is_valid_affine(np.array([[-1.0, 0, 5], [0, 1, 5]]))
    assert not features.is_valid_affine(np.array([[1.0, 0, 5], [0, 0.4, 5]]))


def test_pairs_on_a_tiny_part_of_the_photograph_are_no_view():
    rng = np.random.default_rng(0)
    far = rng.uniform(0, 400, (60, 2))
    spread, tiny = rng.uniform(100, 300, (12, 2)), rng.uniform(100, 125, (12, 2))
    for places, found in ((spread, True), (tiny, False)):
        points = np.vstack([places, far]).astype(np.float32)
        count = len(points)
        known = features.Features(points, np.full(count, 5.0), np.zeros(count), np.zeros((count, 128)))
        seen = features.Features(0.5 * points + 40, np.full(count, 2.5), np.zeros(count), np.zeros((count, 128)))
        pairs = np.arange(12), np.arange(12)
        assert (features.estimate_affine(known, seen, pairs, 400) is not None) == found
