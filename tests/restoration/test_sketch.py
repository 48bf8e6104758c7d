"""A sketch: the photograph at its place, as bright and as warm as what is around it."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.place import Place
from function.restoration.sketch import MAX_CAST, MAX_EXPOSURE, draw_sketch, exposure_at

PLACE = Place(0.4, 0.4, 0.2, 0.3)


def room(*tone: float) -> np.ndarray:
    """(120, 200, 3) uint8 of one tone."""
    return np.full((120, 200, 3), tone, np.uint8)


def test_a_room_as_bright_as_a_studio_changes_nothing():
    assert exposure_at(room(235, 235, 235), PLACE) == pytest.approx(np.zeros(3), abs=0.01)


def test_a_dark_room_darkens_the_product_up_to_a_limit_and_none_brightens_it():
    dim, dark, glaring = (exposure_at(room(*(level,) * 3), PLACE) for level in (140, 2, 255))
    assert dim == pytest.approx(np.full(3, 0.5 * np.log(140 / 235)), abs=0.01)
    assert dark == pytest.approx(np.full(3, -MAX_EXPOSURE))
    assert glaring == pytest.approx(np.zeros(3))


def test_a_warm_room_makes_the_product_warmer_up_to_a_limit():
    warm, orange = exposure_at(room(220, 200, 170), PLACE), exposure_at(room(250, 120, 5), PLACE)
    assert warm[0] > warm[1] > warm[2]
    assert orange[0] - orange[2] == pytest.approx(2 * MAX_CAST)
    assert warm.dtype == np.float32


def test_only_what_is_around_the_place_is_asked():
    scene = room(140, 140, 140)
    scene[:, :40] = scene[:, 160:] = 250  # farther off than half of the product's longer side
    assert np.array_equal(exposure_at(scene, PLACE), exposure_at(room(140, 140, 140), PLACE))
    scene[:, 70:80] = 250
    assert (exposure_at(scene, PLACE) > exposure_at(room(140, 140, 140), PLACE)).all()


def test_a_place_outside_of_the_scene_has_no_light():
    assert not exposure_at(room(50, 50, 50), Place(2.0, 2.0, 0.1, 0.1)).any()


def test_the_product_stands_at_its_place_in_a_copy_of_the_scene():
    scene, product = room(140, 140, 140), np.full((30, 40, 4), (200, 60, 60, 255), np.uint8)
    sketch = draw_sketch(scene, product, PLACE)
    assert (scene == 140).all()
    shown = sketch[50:82, 82:118].reshape(-1, 3)
    assert np.ptp(shown, axis=0).max() <= 1 and shown[0, 0] > 2 * shown[0, 1]
    assert (shown[0] < [200, 60, 60]).all()  # the room is darker than a studio
    sketch[47:85, 79:121] = 140
    assert np.array_equal(sketch, scene)
