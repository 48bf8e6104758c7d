"""A scene that was moved, cropped or replaced is told from one that is where it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.scene_kept import MAX_STRETCH, MAX_WARP_RMS, MAX_ZOOM, MIN_FOUND, scene_kept
from tests.judging.samples import HEIGHT, WIDTH, composite, inspection, registered, scene


def checked(**changes):
    return scene_kept(inspection(of_scene=registered(scene(composite()), **changes)))


def test_the_scene_at_its_place_passes():
    check = checked()
    assert check.passed and check.value == 0.95 and check.threshold == MIN_FOUND


def test_too_little_found_again_fails():
    assert not checked(found_share=MIN_FOUND - 0.01).passed


@pytest.mark.parametrize("axis", ["scale_x", "scale_y"])
@pytest.mark.parametrize("scale", [1 + MAX_ZOOM + 0.01, 1 - MAX_ZOOM - 0.01])
def test_a_zoom_fails_in_either_direction(axis, scale):
    check = checked(drift={axis: scale})
    assert not check.passed and check.threshold == MAX_ZOOM


def test_what_is_not_registered_fails_whatever_was_found():
    assert not checked(drift={"registered": False}).passed


def test_a_plain_scene_cannot_be_measured_and_passes():
    check = checked(found_share=0.0, plain=True)
    assert check.passed and check.value is None


def test_an_answer_of_another_shape_may_show_the_scene_at_another_size():
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[:, WIDTH // 4 :] = True
    for zoom in (0.8, 1.2):
        check = checked(reshaped=True, inside=inside, drift={"scale_x": zoom, "scale_y": zoom})
        assert check.passed and check.threshold == MIN_FOUND and "75 %" in check.reason
    assert not checked(reshaped=True, found_share=MIN_FOUND - 0.01).passed


def test_an_answer_of_another_shape_may_not_stretch_the_scene():
    check = checked(reshaped=True, drift={"scale_x": 1 + MAX_STRETCH + 0.01})
    assert not check.passed and check.threshold == MAX_STRETCH


@pytest.mark.parametrize("reshaped", [True, False])
def test_a_bent_scene_is_not_kept(reshaped):
    check = checked(reshaped=reshaped, drift={"residual_px": 1.05 * MAX_WARP_RMS * WIDTH})
    assert not check.passed and check.threshold == MAX_WARP_RMS
    assert checked(reshaped=reshaped, drift={"residual_px": 0.9 * MAX_WARP_RMS * WIDTH}).passed


def test_a_scene_that_was_redrawn_is_not_kept_however_well_its_lines_were_found():
    redrawn = replace(scene(composite()), redrawn=True)
    assert not scene_kept(inspection(of_scene=redrawn)).passed
