"""The product's coverage: solid where it must be product, background where the answer is the relit scene."""

from __future__ import annotations

import cv2
import numpy as np

from function.restoration.product_mask import coarse_mask, refine_product_mask

SHAPE = (200, 240)
NO_LIGHT = np.zeros((100, 120, 3), np.float32)


def noisy(picture: np.ndarray) -> np.ndarray:
    return picture + np.random.default_rng(0).normal(0, 1.5, picture.shape).astype(np.float32)


def scene() -> np.ndarray:
    return np.full((*SHAPE, 3), 150, np.uint8)


def answer(box) -> np.ndarray:
    picture = scene().astype(np.float32)
    picture[box] = 40, 80, 200
    return noisy(picture)


def core(grown_px: int) -> np.ndarray:
    rough = np.zeros((100, 120), bool)
    rough[30 - grown_px : 70 + grown_px, 40 - grown_px : 80 + grown_px] = True
    return rough


PRODUCT = np.s_[60:140, 80:160]


def test_the_rim_is_where_the_answer_stops_being_the_scene():
    mask = refine_product_mask(scene(), answer(PRODUCT), NO_LIGHT, core(1), None)
    assert (mask[63:137, 83:157] > 250).all()
    mask[56:144, 76:164] = 0
    assert not mask.any()


def test_light_on_the_scene_is_no_product():
    shaded = np.full((100, 120, 3), np.log(0.6), np.float32)
    lit = noisy(np.full((*SHAPE, 3), 90, np.float32))
    lit[PRODUCT] = 40, 80, 200
    mask = refine_product_mask(scene(), lit, shaded, core(2), None)
    mask[54:146, 74:166] = 0
    assert not mask.any()


def test_what_the_photograph_covers_is_product_in_any_case():
    coverage = cv2.rectangle(np.zeros(SHAPE, np.uint8), (10, 10), (40, 40), 255, -1)
    nothing = np.zeros((100, 120), bool)
    assert np.array_equal(refine_product_mask(scene(), answer(PRODUCT), NO_LIGHT, nothing, coverage), coverage)
    joined = refine_product_mask(scene(), answer(PRODUCT), NO_LIGHT, core(0), coverage)
    assert (joined[10:41, 10:41] == 255).all() and joined[100, 120] == 255


def test_the_rough_coverage_is_the_core_enlarged_and_the_photograph_s():
    coverage = np.zeros(SHAPE, np.uint8)
    coverage[0, 0] = 200
    rough = coarse_mask(core(0), coverage, (SHAPE[1], SHAPE[0]))
    assert rough.shape == SHAPE and rough[0, 0] == 200 and rough[100, 120] == 255 and rough[20, 20] == 0
