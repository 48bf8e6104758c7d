"""Colours of the answer come back to the scene's, and what was changed has no say in how."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.colour_transfer import IDENTITY_COLOURS, fit_colour_transform, is_same_scene

INSIDE = np.ones((300, 400), bool)


def scene() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(60, 190, (15, 20, 3)).astype(np.uint8)
    return cv2.resize(coarse, (400, 300), interpolation=cv2.INTER_CUBIC)


def off(picture: np.ndarray) -> np.ndarray:
    """Warmer, and with less contrast."""
    return np.clip((picture.astype(np.float32) - 128) * 0.92 * [1.05, 1.0, 0.95] + 132, 0, 255).astype(np.uint8)


def test_a_global_change_of_colour_is_taken_back():
    answer = off(scene())
    matched = fit_colour_transform(scene(), answer, INSIDE).apply(answer)
    assert matched.dtype == np.float32
    assert np.abs(matched - scene()).mean() < 1.0 < np.abs(answer.astype(float) - scene()).mean()


def test_an_uneven_light_is_taken_back_as_well():
    fall_off = np.linspace(0.94, 1.06, 400, dtype=np.float32)[None, :, None]
    answer = np.clip(scene() * fall_off, 0, 255).astype(np.uint8)
    matched = fit_colour_transform(scene(), answer, INSIDE).apply(answer)
    assert np.abs(matched - scene()).mean() < 0.4 * np.abs(answer.astype(float) - scene()).mean()


def test_what_was_put_in_keeps_its_colour_and_does_not_pull_the_rest():
    answer = off(scene())
    changed = np.s_[100:220, 120:260]
    answer[changed] = 250, 20, 20
    matched = fit_colour_transform(scene(), answer, INSIDE).apply(answer)
    rest = np.ones((300, 400), bool)
    rest[90:230, 110:270] = False
    assert np.abs(matched - scene())[rest].mean() < 1.5
    assert np.abs(matched[changed].mean(axis=(0, 1)) - [250, 20, 20]).max() < 25


@pytest.mark.parametrize("value", [0, 255])
def test_clipped_pictures_carry_no_tone(value):
    assert fit_colour_transform(scene(), np.full((300, 400, 3), value, np.uint8), INSIDE) is IDENTITY_COLOURS


def test_unchanged_colours_change_nothing():
    assert np.abs(IDENTITY_COLOURS.apply(scene()) - scene()).max() < 1e-3


def test_the_field_of_a_crop_is_used_for_it():
    colours = fit_colour_transform(scene(), off(scene()), INSIDE)
    field = cv2.resize(colours.gain_map, (400, 300), interpolation=cv2.INTER_LINEAR)
    part = np.s_[50:90, 200:280]
    whole = colours.apply(off(scene()))
    assert colours.apply(off(scene())[part], field[part]) == pytest.approx(whole[part], abs=1e-3)


def test_a_fit_that_holds_is_trusted_and_one_through_changed_cells_is_not():
    assert fit_colour_transform(scene(), off(scene()), INSIDE).trust == 1
    assert fit_colour_transform(scene(), scene()[::-1, ::-1].copy(), INSIDE).trust == 0
    assert IDENTITY_COLOURS.trust == 0


def test_a_picture_looks_like_the_scene_while_most_of_it_does():
    answer = scene()
    answer[:, :120] = 250
    assert is_same_scene(scene(), answer, INSIDE)
    answer[:, :240] = 250
    assert not is_same_scene(scene(), answer, INSIDE)
    shown = INSIDE.copy()
    shown[:, :240] = False
    assert is_same_scene(scene(), answer, shown)
