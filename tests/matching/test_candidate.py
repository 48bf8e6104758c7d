"""Candidates: the photograph in the answer as a plane or as a body of revolution, once or twice."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching import features
from function.matching.candidate import find_candidates, pose_models
from function.matching.reference_template import ReferenceTemplate
from tests.matching.samples import cut_out, flat_pose, label, room, stand


def candidates(answer: np.ndarray, template: ReferenceTemplate, min_correlation: float = 0.25, min_inliers: float = 0):
    keypoints = features.detect(cv2.cvtColor(answer, cv2.COLOR_RGB2GRAY))
    return find_candidates(template, answer, keypoints, min_correlation, min_inliers)


def test_a_flat_front_is_found_as_a_plane_where_it_stands():
    answer, (x, y) = stand(room(), label(), flat_pose())
    (found,) = candidates(answer, ReferenceTemplate.of(cut_out(label())))
    assert found.kind == "plane" and found.correlation > 0.8
    assert np.median(found.surface_maps[0][0]) == pytest.approx(np.median(x), abs=1)
    assert np.median(found.surface_maps[0][1]) == pytest.approx(np.median(y), abs=1)


def test_what_must_be_better_than_it_is_is_no_candidate():
    answer, _ = stand(room(), label(), flat_pose())
    template = ReferenceTemplate.of(cut_out(label()))
    assert candidates(answer, template, min_correlation=0.999) == []
    assert candidates(answer, template, min_inliers=100_000) == []


def test_only_what_has_an_axis_may_be_round():
    assert [kind for kind, _, _ in pose_models(np.full((200, 120), 255, np.uint8))] == ["plane", "round"]
    slanted = np.zeros((200, 300), np.uint8)
    for row in range(200):
        slanted[row, row : row + 60] = 255
    assert [kind for kind, _, _ in pose_models(slanted)] == ["plane"]
