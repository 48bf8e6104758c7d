"""Candidates: the photograph in the answer as a plane or as a body of revolution, once or twice."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching import features
from function.matching.candidate import Sought, find_sightings, views
from tests.matching.samples import cut_out, flat_view, label, room, stand


def sightings(answer: np.ndarray, sought: Sought, least: float = 0.25, least_inliers: float = 0):
    seen = features.detect(cv2.cvtColor(answer, cv2.COLOR_RGB2GRAY))
    return find_sightings(sought, answer, seen, least, least_inliers)


def test_a_flat_front_is_sighted_as_a_plane_where_it_stands():
    answer, (x, y) = stand(room(), label(), flat_view())
    (found,) = sightings(answer, Sought.of(cut_out(label())))
    assert found.kind == "plane" and found.correlation > 0.8
    assert np.median(found.sheets[0][0]) == pytest.approx(np.median(x), abs=1)
    assert np.median(found.sheets[0][1]) == pytest.approx(np.median(y), abs=1)


def test_what_must_be_better_than_it_is_is_no_sighting():
    answer, _ = stand(room(), label(), flat_view())
    sought = Sought.of(cut_out(label()))
    assert sightings(answer, sought, least=0.999) == []
    assert sightings(answer, sought, least_inliers=100_000) == []


def test_mirrored_twice_is_the_photograph_again():
    sought = Sought.of(cut_out(label()))
    again = sought.mirrored().mirrored()
    assert np.array_equal(again.photograph.rgb, sought.photograph.rgb)
    assert np.abs(again.features.points - sought.features.points).max() < 1e-3
    assert np.array_equal(again.features.descriptors, sought.features.descriptors)


@pytest.mark.parametrize("shape", [(3, 400, 4), (10, 10, 4)])
def test_a_photograph_of_a_few_pixels_shows_nothing_to_look_for(shape):
    assert Sought.of(np.full(shape, 255, np.uint8)) is None


def test_only_what_has_an_axis_may_be_round():
    assert [kind for kind, _, _ in views(np.full((200, 120), 255, np.uint8))] == ["plane", "round"]
    slanted = np.zeros((200, 300), np.uint8)
    for row in range(200):
        slanted[row, row : row + 60] = 255
    assert [kind for kind, _, _ in views(slanted)] == ["plane"]
