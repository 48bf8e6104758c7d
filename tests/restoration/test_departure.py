"""How far an answer moved, reshaped or turned what was laid into its scene."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.place import Place
from function.restoration.departure import measure_departure
from function.restoration.placed_reference import PlacedReference
from tests.support import product_array, scene_array

SIZE = (672, 378)
PLACE = Place(0.42, 0.2, 0.12, 0.6)


def drawn(matrix: np.ndarray | None = None, light: float = 1.0) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """The scene with the product moved by `matrix` (2, 3) in pixels, what it covers unmoved, and the box of that."""
    laid = PlacedReference.of(product_array(), PLACE, SIZE)
    coverage, colours = laid.coverage((0, 0, *SIZE)), laid.colours((0, 0, *SIZE))
    shown, over = coverage, colours
    if matrix is not None:
        shown, over = (cv2.warpAffine(p, np.float32(matrix), SIZE) for p in (coverage, colours))
    share = shown[..., None] / 255
    shade = np.linspace(light, 1, SIZE[0])[None, :, None]
    picture = scene_array(*SIZE) * (1 - share) + over * share * shade
    return np.clip(picture, 0, 255).astype(np.uint8), coverage, laid.box


def about_the_middle(linear: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    middle = np.array([(PLACE.left + PLACE.width / 2) * SIZE[0], (PLACE.top + PLACE.height / 2) * SIZE[1]])
    return np.column_stack([linear, middle + shift - linear @ middle])


def test_what_was_kept_has_no_departure_under_whatever_light():
    sketch, coverage, box = drawn()
    departure = measure_departure(sketch, drawn(light=0.5)[0], coverage, box)
    assert departure.is_found and departure.moved < 0.003 and abs(departure.turned_deg) < 0.3
    assert departure.scale_x == pytest.approx(1, abs=0.01) and departure.scale_y == pytest.approx(1, abs=0.01)


def test_a_move_a_new_shape_and_a_lean_are_measured():
    sketch, coverage, box = drawn()
    height = PLACE.height * SIZE[1]
    moved = measure_departure(sketch, drawn(about_the_middle(np.eye(2), (0.03 * height, 0)))[0], coverage, box)
    assert moved.is_found and moved.moved == pytest.approx(0.03, abs=0.004)
    wider = measure_departure(sketch, drawn(about_the_middle(np.diag([1.05, 0.97]), (0, 0)))[0], coverage, box)
    assert (wider.scale_x, wider.scale_y) == pytest.approx((1.05, 0.97), abs=0.012)
    turn = cv2.getRotationMatrix2D((0, 0), -5, 1)[:, :2]
    leant = measure_departure(sketch, drawn(about_the_middle(turn, (0, 0)))[0], coverage, box)
    assert abs(leant.turned_deg) == pytest.approx(5, abs=0.7)


def test_a_scene_without_the_product_shows_none():
    sketch, coverage, box = drawn()
    assert not measure_departure(sketch, scene_array(*SIZE), coverage, box).is_found
