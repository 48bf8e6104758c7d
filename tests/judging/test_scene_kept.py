"""A scene that was moved, cropped or replaced is told from one that is where it was."""

from __future__ import annotations

import pytest

from function.judging.scene_kept import LEAST_FOUND, MOST_ZOOM, scene_kept
from tests.judging.samples import composite, inspection, registered, scene


def checked(**changes):
    return scene_kept(inspection(of_scene=registered(scene(composite()), **changes)))


def test_the_scene_at_its_place_passes():
    check = checked()
    assert check.passed and check.value == 0.95 and check.threshold == LEAST_FOUND


def test_too_little_found_again_fails():
    assert not checked(found_share=LEAST_FOUND - 0.01).passed


@pytest.mark.parametrize("axis", ["scale_x", "scale_y"])
@pytest.mark.parametrize("scale", [1 + MOST_ZOOM + 0.01, 1 - MOST_ZOOM - 0.01])
def test_a_zoom_fails_in_either_direction(axis, scale):
    check = checked(drift={axis: scale})
    assert not check.passed and check.threshold == MOST_ZOOM


def test_what_is_not_registered_fails_whatever_was_found():
    assert not checked(drift={"registered": False}).passed


def test_a_plain_scene_cannot_be_measured_and_passes():
    check = checked(found_share=0.0, plain=True)
    assert check.passed and check.value is None
