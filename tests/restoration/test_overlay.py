"""The photograph over the scene explains an answer that shows it, and leads back to where it stands."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.overlay import Overlay, premultiplied

MATRIX = np.array([[0.5, 0, 90.0], [0, 0.5, 50.0]])  # the photograph at half its size


def photograph() -> np.ndarray:
    """(160, 120, 4) uint8: a red plate with two openings and a stripe."""
    rgba = np.zeros((160, 120, 4), np.uint8)
    cv2.rectangle(rgba, (10, 10), (109, 149), (180, 50, 40, 255), -1)
    cv2.rectangle(rgba, (10, 120), (109, 130), (240, 220, 60, 255), -1)
    cv2.circle(rgba, (60, 50), 20, (0, 0, 0, 0), -1)
    cv2.rectangle(rgba, (30, 85), (60, 110), (0, 0, 0, 0), -1)
    return rgba


def scene() -> np.ndarray:
    """(200, 260, 3) uint8: soft grey spots."""
    coarse = np.random.default_rng(1).integers(120, 200, (20, 26, 1)).astype(np.uint8)
    return np.repeat(cv2.resize(coarse, (260, 200), interpolation=cv2.INTER_CUBIC)[..., None], 3, axis=2)


def shown(light: float = 1.0) -> np.ndarray:
    """The photograph in the scene at `MATRIX`."""
    over = cv2.warpAffine(cv2.GaussianBlur(premultiplied(photograph()), (0, 0), 0.8), MATRIX, (260, 200))
    share = over[..., 3:] / 255
    return np.clip(scene() * (1 - share) + light * over[..., :3], 0, 255).astype(np.uint8)


def overlay(generated: np.ndarray, matrix: np.ndarray = MATRIX, unknown: np.ndarray | None = None) -> Overlay | None:
    return Overlay.of(premultiplied(photograph()), unknown, scene(), generated, matrix, 320)


def moved(across: float, down: float) -> np.ndarray:
    return MATRIX + np.array([[0, 0, across], [0, 0, down]])


@pytest.mark.parametrize("light", [1.0, 0.6])
def test_the_place_where_it_stands_explains_the_answer_under_any_light(light):
    found = overlay(shown(light))
    assert found.explained(MATRIX) > 0.9
    assert found.explained(moved(0, 8)) < 0.8 and found.explained(moved(-8, 0)) < 0.8


def test_an_answer_that_changed_nothing_explains_nothing():
    assert overlay(scene()).explained(MATRIX) == 0


def test_a_card_over_the_openings_is_less_explained():
    card = shown()
    card[50:130, 90:150] = (180, 50, 40)
    assert overlay(card).explained(MATRIX) < 0.8 < overlay(shown()).explained(MATRIX)


@pytest.mark.parametrize("shift", [(3, 0), (0, -3), (2, 2)])
def test_alignment_leads_back_to_the_place(shift):
    corners = np.array([[10, 110, 10], [10, 10, 150], [1, 1, 1]])
    found = overlay(shown(), moved(*shift)).aligned(moved(*shift))
    assert np.abs(found @ corners - MATRIX @ corners).max() < 0.3


def test_what_is_unknown_is_not_held_against_the_answer():
    other = shown()
    other[90:130, 90:150] = 255  # the lower half looks otherwise
    unknown = np.zeros((160, 120), np.uint8)
    unknown[76:] = 255
    assert overlay(other, unknown=unknown).explained(MATRIX) > 0.9 > overlay(other).explained(MATRIX) + 0.2


def test_a_place_outside_of_the_answer_has_no_surroundings():
    assert overlay(shown(), moved(400, 0)) is None


def test_colours_are_multiplied_by_their_coverage_and_the_coverage_stays():
    rgba = np.uint8([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 51]]])
    assert premultiplied(rgba).tolist() == [[[200, 100, 50, 255], [0, 0, 0, 0], [40, 20, 10, 51]]]
