"""Photometric measures: sRGB, ratios of light, means under a mask and local correlation keep their definitions."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest

from function.imaging.photometry import (
    LocalMoments,
    linear_to_srgb,
    local_correlation,
    log2_levels,
    log_ratio,
    masked_mean,
    srgb_to_linear,
)

RNG = np.random.default_rng(0)
WINDOW_PX = 7
box = partial(cv2.blur, ksize=(WINDOW_PX, WINDOW_PX))


def noise(*shape: int) -> np.ndarray:
    return RNG.normal(0, 20, shape).astype(np.float32)


def test_every_level_comes_back_from_linear_light():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    linear = srgb_to_linear(levels)
    assert linear.dtype == np.float32
    assert (np.diff(linear.ravel()) > 0).all()
    assert np.array_equal(np.rint(255 * linear_to_srgb(linear)).astype(np.uint8), levels)


def test_linear_light_follows_the_standard():
    assert srgb_to_linear(np.uint8([[0, 10, 128, 255]])) == pytest.approx(
        np.array([[0, 0.003035, 0.215861, 1]]), abs=1e-6
    )
    assert linear_to_srgb(np.float32([-1, 0.5, 2])) == pytest.approx([0, 0.735357, 1], abs=1e-5)


def test_a_ratio_changes_its_sign_with_its_sides_and_is_finite_in_black():
    scene, answer = (RNG.integers(0, 256, (9, 8, 3)).astype(np.float32) for _ in range(2))
    scene[0], answer[1] = 0, 0
    ratio = log_ratio(scene, answer, 4.0)
    assert np.isfinite(ratio).all()
    assert ratio == pytest.approx(-log_ratio(answer, scene, 4.0), abs=1e-5)
    assert ratio == pytest.approx(np.log((answer + 4) / (scene + 4)), abs=1e-5)


def test_twice_the_light_is_one_stop():
    scene = RNG.integers(1, 120, (6, 5)).astype(np.uint8)
    assert log_ratio(scene.astype(np.float32), 2 * scene.astype(np.float32), 0.0, np.log2) == pytest.approx(1)
    assert log_ratio(50.0, 100.0, 0.0, np.log2) == pytest.approx(1)
    assert log2_levels(2 * scene, 0.5) - log2_levels(scene, 0.25) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("channels", [(), (2,), (3,)])
def test_what_has_no_weight_has_no_part_in_the_mean(channels):
    weight = (RNG.random((20, 30)) > 0.4).astype(np.float32)
    image = noise(20, 30, *channels)
    hidden = image.copy()
    hidden[weight == 0] = 1e4
    mean = masked_mean(weight, box, least=1e-6)
    assert np.array_equal(mean(image), mean(hidden))
    assert mean(image).shape == image.shape


def test_the_mean_of_a_constant_is_the_constant_wherever_there_is_weight():
    weight = (RNG.random((20, 30)) > 0.7).astype(np.float32)
    mean = masked_mean(weight, box, least=1e-6)(np.full((20, 30), 3.0, np.float32))
    assert mean[box(weight) > 1e-3] == pytest.approx(3.0, rel=1e-4)


def test_with_full_weight_the_mean_is_the_window_s_own():
    image = noise(20, 30, 3)
    assert masked_mean(np.ones((20, 30), np.float32), box, added=0.0)(image) == pytest.approx(box(image), abs=1e-4)


@pytest.mark.parametrize("regularised", [{"added": 1e-4}, {"least": 1e-4}])
def test_without_any_weight_the_mean_is_0(regularised):
    mean = masked_mean(np.zeros((9, 9), np.float32), box, **regularised)
    assert not mean(noise(9, 9)).any()


def test_moments_are_those_of_the_window():
    image = noise(15, 15) + 100
    moments = LocalMoments.of(image, box)
    around = image[7 - WINDOW_PX // 2 : 8 + WINDOW_PX // 2, 7 - WINDOW_PX // 2 : 8 + WINDOW_PX // 2]
    assert moments.mean[7, 7] == pytest.approx(around.mean(), rel=1e-4)
    assert moments.variance[7, 7] == pytest.approx(around.var(), rel=1e-2)


def test_the_correlation_is_pearson_s_in_each_window():
    a, b = noise(15, 15), noise(15, 15)
    b = 0.5 * a + 0.5 * b
    got = local_correlation(LocalMoments.of(a, box), LocalMoments.of(b, box), least=1e-6)
    part = np.s_[7 - WINDOW_PX // 2 : 8 + WINDOW_PX // 2, 4 - WINDOW_PX // 2 : 5 + WINDOW_PX // 2]
    assert got[7, 4] == pytest.approx(np.corrcoef(a[part].ravel(), b[part].ravel())[0, 1], abs=1e-3)
    assert np.abs(got).max() <= 1 + 1e-3


@pytest.mark.parametrize("gain", [0.3, -2.0])
def test_brightness_and_contrast_do_not_matter_but_the_sign_does(gain):
    image = noise(20, 20)
    first, second = LocalMoments.of(image, box), LocalMoments.of(gain * image + 50, box)
    assert local_correlation(first, second, least=1e-6) == pytest.approx(np.sign(gain), abs=1e-2)


def test_an_image_that_was_centred_before_is_not_centred_again():
    image = noise(20, 20) + 5
    first, second = LocalMoments.of_centred(image, box), LocalMoments.of_centred(3 * image, box)
    assert first.mean is None
    assert local_correlation(first, second, added=1e-6) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("regularised", [{"added": 1.0}, {"least": 1.0}])
def test_blank_places_correlate_with_nothing(regularised):
    blank = np.full((20, 20), 128, np.float32)
    got = local_correlation(LocalMoments.of(blank, box), LocalMoments.of(noise(20, 20), box), **regularised)
    assert np.abs(got).max() < 0.1
