"""A product without print is found by its outline: where that covers what was put in, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.silhouette import fit_silhouette, match_silhouette

SHAPE = (300, 400)
NO_LIGHT = np.zeros((150, 200, 3), np.float32)
SCENE = np.full((*SHAPE, 3), 140, np.uint8)


def bottle(height: int) -> np.ndarray:
    """Alpha (h, w) uint8 of a neck on a body, with room around."""
    alpha = np.zeros((200, 120), np.uint8)
    alpha[70:190, 20:100] = 255
    alpha[10:70, 45:75] = 255
    return cv2.resize(alpha, (round(0.6 * height), height), interpolation=cv2.INTER_AREA)


def standing(x: int, y: int, height: int) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    part = bottle(height)
    mask[y : y + part.shape[0], x : x + part.shape[1]] = part
    return mask


def answer_with(mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None] > 127, np.uint8([[[30, 60, 160]]]), SCENE)


@pytest.mark.parametrize("height", [90, 180])
def test_the_outline_is_fitted_to_where_the_product_stands(height):
    mask = standing(150, 60, height)
    x, y, wide, tall = fit_silhouette(bottle(400), mask, NO_LIGHT, SCENE, answer_with(mask)).box
    expected = cv2.boundingRect((mask > 127).astype(np.uint8))
    assert np.abs(np.subtract((x, y, wide, tall), expected)).max() < 0.08 * height


def test_a_shadow_that_was_taken_for_product_speaks_against_the_place():
    mask = standing(150, 60, 180)
    dark = np.zeros(SHAPE, np.uint8)
    dark[200:238, 230:300] = 255
    answer = answer_with(mask)
    answer[(dark > 0) & (mask < 128)] = 90  # evenly darker: a shadow
    x, _, wide, _ = fit_silhouette(bottle(400), np.maximum(mask, dark), NO_LIGHT, SCENE, answer).box
    left, _, expected_wide, _ = cv2.boundingRect((mask > 127).astype(np.uint8))
    assert abs(x - left) < 14 and abs(wide - expected_wide) < 18


def test_a_reflection_in_a_glossy_surface_does_not_draw_the_outline_to_itself():
    mask = standing(150, 40, 150)
    left, top, wide, tall = cv2.boundingRect((mask > 127).astype(np.uint8))
    light = NO_LIGHT.copy()
    light[(top + tall) // 2 : (top + tall + 70) // 2, (left - 15) // 2 : (left + wide + 15) // 2] = 0.3
    box = fit_silhouette(bottle(400), mask, light, SCENE, answer_with(mask)).box
    assert np.abs(np.subtract(box, (left, top, wide, tall))).max() < 0.08 * tall


def test_nothing_put_in_is_no_place():
    nothing = np.zeros(SHAPE, np.uint8)
    assert fit_silhouette(bottle(200), nothing, NO_LIGHT, SCENE, SCENE) is None
    assert match_silhouette(bottle(200), nothing > 0, nothing, NO_LIGHT, SCENE, SCENE) is None


def test_an_outline_is_placed_only_where_all_of_it_changed():
    mask = standing(150, 60, 180)
    answer = answer_with(mask)
    half = (SHAPE[1] // 2, SHAPE[0] // 2)
    changed = cv2.resize(cv2.dilate(mask, np.ones((5, 5))), half, interpolation=cv2.INTER_AREA) > 20
    coverage = match_silhouette(bottle(400), changed, mask, NO_LIGHT, SCENE, answer)
    both = np.minimum(coverage, mask).sum() / np.maximum(coverage, mask).sum()
    assert both > 0.85
    changed[:60] = False
    assert match_silhouette(bottle(400), changed, mask, NO_LIGHT, SCENE, answer) is None


def test_a_photograph_without_an_outline_is_placed_nowhere():
    mask = np.zeros(SCENE.shape[:2], np.uint8)
    mask[60:160, 80:140] = 255
    whole = np.full((200, 120), 255, np.uint8)
    changed = np.ones((mask.shape[0] // 2, mask.shape[1] // 2), bool)
    assert match_silhouette(whole, changed, mask, NO_LIGHT, SCENE, answer_with(mask)) is None
