"""The photograph's print comes back on the product, under the light and in the colours of the answer."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.matching.inverse_map import invert_map
from function.matching.match import match_product
from function.matching.reference_template import ReferenceTemplate
from function.restoration.detail_transfer import (
    apply_colour_polynomial,
    fit_colour_polynomial,
    fit_light_ratio,
    polynomial_terms,
    transfer_detail,
)
from tests.matching.samples import HEIGHT, WIDTH, cut_out, flat_pose, label, room, stand


def test_lost_print_comes_back_under_the_answer_s_light():
    front = label()
    photograph = cut_out(front)
    answer, (x, y) = stand(room(), front, flat_pose())
    fall_off = np.linspace(0.55, 1.05, WIDTH, dtype=np.float32)[None, :, None] * np.float32([1.0, 0.92, 0.8])
    u, v, _ = invert_map(2 * x, 2 * y, (0, 0, 2 * WIDTH, 2 * HEIGHT))
    truth = cv2.remap(front[..., :3], u - np.float32(0.5), v - np.float32(0.5), cv2.INTER_CUBIC)
    truth = truth * np.repeat(fall_off, 2, axis=1)
    soft = cv2.GaussianBlur(np.clip(answer * fall_off, 0, 255).astype(np.uint8), (0, 0), 1.6)
    match = match_product(ReferenceTemplate.of(photograph), soft)
    full_size = 2 * WIDTH, 2 * HEIGHT
    picture = cv2.resize(soft, full_size, interpolation=cv2.INTER_CUBIC)
    detail, weight = transfer_detail(photograph, match, picture, (0, 0, *full_size), full_size)
    sure = weight > 250
    assert sure.mean() > 0.08
    grey = lambda rgb: cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2GRAY)  # noqa: E731
    edges = lambda rgb: np.abs(cv2.Laplacian(cv2.GaussianBlur(grey(rgb), (0, 0), 1), cv2.CV_32F))[sure].mean()  # noqa: E731
    assert edges(detail) > 1.8 * edges(picture)
    # Light and colour are the answer's, not the studio's.
    broad = lambda rgb: cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 12)  # noqa: E731
    inside = cv2.erode(sure.astype(np.uint8), np.ones((31, 31))) > 0
    assert np.abs(broad(detail) - broad(picture))[inside].mean() < 3
    error = lambda rgb: np.sqrt(((grey(rgb) - grey(truth))[sure] ** 2).mean())  # noqa: E731
    assert error(detail) < 0.6 * error(picture)


def test_a_mirrored_product_lends_no_detail():
    photograph = cut_out(label())
    answer, _ = stand(room(), np.ascontiguousarray(label()[:, ::-1]), flat_pose())
    match = match_product(ReferenceTemplate.of(photograph), answer)
    picture, weight = transfer_detail(photograph, match, answer, (0, 0, WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert not weight.any()
    assert np.array_equal(picture, answer)


def test_texture_that_was_only_found_again_lends_no_detail():
    photograph = cut_out(label())
    answer, _ = stand(room(), label(), flat_pose())
    match = match_product(ReferenceTemplate.of(photograph), answer)
    whole = (0, 0, WIDTH, HEIGHT), (WIDTH, HEIGHT)
    assert transfer_detail(photograph, match, answer, *whole)[1].any()
    picture, weight = transfer_detail(photograph, replace(match, detail=False), answer, *whole)
    assert not weight.any()
    assert np.array_equal(picture, answer)


def test_tones_are_the_polynomial_that_made_the_colours():
    rng = np.random.default_rng(0)
    detail = cv2.resize(rng.integers(0, 256, (16, 16, 3)).astype(np.uint8), (160, 160), interpolation=cv2.INTER_CUBIC)
    made = np.clip(0.8 * detail.astype(np.float32) + [12, 4, 0], 0, 255).astype(np.uint8)
    tones = fit_colour_polynomial(made, detail, np.ones((160, 160), np.float32))
    assert np.abs(apply_colour_polynomial(detail, tones) - made).mean() < 2


def test_tones_are_applied_as_their_terms_say():
    rng = np.random.default_rng(1)
    rgb, tones = rng.integers(0, 256, (9, 7, 3)).astype(np.uint8), rng.normal(0, 0.1, (10, 3)).astype(np.float32)
    expected = np.clip(255 * (polynomial_terms(rgb.reshape(-1, 3)) @ tones), 0, 255).reshape(rgb.shape)
    assert apply_colour_polynomial(rgb, tones) == pytest.approx(expected, abs=0.01)


def test_background_does_not_bleed_into_the_light():
    detail, picture = np.full((80, 80, 3), 100, np.uint8), np.full((80, 80, 3), 120, np.uint8)
    weight = np.zeros((80, 80), np.float32)
    weight[20:60, 20:60] = 1
    picture[weight == 0] = 255
    assert fit_light_ratio(picture, detail, weight)[25:55, 25:55] == pytest.approx(126 / 106, abs=1e-3)
