"""Brightness, cast and evenness of the whole are held against the scene's, away from what was put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.exposure_sane import (
    MAX_CAST_AB,
    MAX_RELIGHT_RMS,
    MAX_STOPS,
    exposure_sane,
    illumination_change,
)
from function.restoration.relighting import MIN_GAIN, Relighting
from tests.judging.samples import HEIGHT, WIDTH, composite, inspection, registered, scene


def lit(factor) -> np.ndarray:
    return np.clip(composite() * np.asarray(factor, np.float32), 0, 255).astype(np.uint8)


def checked(answer: np.ndarray):
    return exposure_sane(inspection(answer))


def test_the_scene_s_own_light_passes():
    assert checked(composite()).passed


@pytest.mark.parametrize(
    ("factor", "limit"),
    [
        (0.6, MAX_STOPS),
        (1.5, MAX_STOPS),
        ([1.2, 1.0, 0.6], MAX_CAST_AB),
        (np.linspace(0.62, 1.5, WIDTH)[None, :, None], MAX_RELIGHT_RMS),
    ],
    ids=["darker", "brighter", "cast", "relit"],
)
def test_other_light_fails_by_its_own_measure(factor, limit):
    check = checked(lit(factor))
    assert not check.passed and check.threshold == limit


def test_what_was_put_in_has_no_say():
    scene_there = scene(composite())
    painted = composite()
    painted[scene_there.change > 0] = 255
    light = illumination_change(replace(scene_there, generated_plain=painted))
    assert light.stops < 0.02 and light.unevenness < 0.03 and light.cast < 1


@pytest.mark.parametrize("factor", [0.92, 1.08, [1.02, 1.0, 0.96], np.linspace(0.95, 1.05, WIDTH)[None, :, None]])
def test_the_drift_of_models_passes(factor):
    assert checked(lit(factor)).passed


@pytest.mark.parametrize("value", [0, 255])
def test_a_flat_picture_is_empty(value):
    check = checked(np.full((HEIGHT, WIDTH, 3), value, np.uint8))
    assert not check.passed and check.value == 0


def test_what_is_not_registered_is_judged_by_its_mean():
    dark = registered(scene(lit(0.25)), drift={"registered": False})
    fair = registered(scene(lit(0.8)), drift={"registered": False})
    assert not exposure_sane(inspection(of_scene=dark)).passed
    assert exposure_sane(inspection(of_scene=fair)).passed


def test_what_the_answer_does_not_show_is_not_compared():
    answer = composite()
    answer[:, WIDTH // 2 + 60 :] = 30
    inside = np.ones((HEIGHT, WIDTH), bool)
    assert not exposure_sane(inspection(answer)).passed
    inside[:, WIDTH // 2 + 60 :] = False
    assert exposure_sane(inspection(answer, of_scene=registered(scene(answer), inside=inside))).passed


def test_a_scene_that_is_shown_under_another_light_is_named_however_slight_that_is():
    light = Relighting(np.full((6, 8, 3), 1.2 * MIN_GAIN, np.float32))
    assert not exposure_sane(inspection(of_scene=replace(scene(composite()), relighting=light))).passed
