"""The light on a product whose pixels are known: smooth light yes; letters, texture and paint no."""

from __future__ import annotations

import numpy as np
import pytest

from function.restoration.product_light import MAX_CHROMA, apply_log_gain, find_product_light
from tests.support import product_array, scene_array

COVERED = np.full((240, 240), 255, np.uint8)


def label() -> np.ndarray:
    """Print of the shipped product's photograph, (240, 240, 3) uint8."""
    return np.ascontiguousarray(product_array(600)[260:500, 180:420, :3])


def test_a_smooth_light_is_found_and_wrong_letters_are_no_light():
    expected = label()
    ramp = np.linspace(0.6, 1.1, 240)[None, :, None] * np.array([1.05, 1.0, 0.9])
    answer = np.clip(expected * ramp, 0, 255).astype(np.uint8)
    wrong = answer.copy()
    wrong[100:150] = np.roll(wrong[100:150], 17, axis=1)
    for shown in (answer, wrong):
        light = find_product_light(expected, shown, COVERED, 240.0)
        lit = apply_log_gain(expected, light.log_gain).astype(int)
        assert np.abs(lit - answer)[20:-20, 20:-20].mean() < 5
    assert find_product_light(expected, answer, COVERED, 240.0).followed_share(COVERED) > 0.95


def test_another_paint_is_neither_light_nor_followed():
    expected = label()
    painted = expected.copy()
    painted[:, :120] = painted[:, :120] * np.array([1.0, 0.4, 0.3])
    light = find_product_light(expected, painted.astype(np.uint8), COVERED, 240.0)
    assert light.followed[:, 20:100].mean() < 0.2 and light.followed[:, 140:220].mean() > 0.8
    away = light.log_gain - light.log_gain.mean(axis=2, keepdims=True)
    middle = np.median(away.reshape(-1, 3), axis=0)
    assert np.abs(away - middle).max() <= 2 * MAX_CHROMA + 1e-3


def test_another_picture_is_not_followed():
    other = np.ascontiguousarray(scene_array(960, 540)[100:340, 240:480])
    light = find_product_light(label(), other, COVERED, 240.0)
    assert light.followed_share(COVERED) < 0.5
    assert np.isfinite(light.log_gain).all() and light.log_gain.shape == (240, 240, 3)


def test_nothing_covered_gives_no_light():
    light = find_product_light(label(), label(), np.zeros_like(COVERED), 240.0)
    assert np.abs(light.log_gain).max() == pytest.approx(0, abs=1e-6)
