"""A pattern is found where it stands, whatever light falls on it, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.registration.block_correlation import BlockCorrelation, ImagePyramid, warp_answer

IDENTITY = np.eye(2, 3)


def texture(seed: int = 0, size: tuple[int, int] = (300, 200)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 200, (size[1] // 4, size[0] // 4)).astype(np.uint8)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)


def test_all_of_a_scene_is_found_in_itself_and_under_other_light():
    pattern = BlockCorrelation(texture())
    dimmed = (0.6 * texture() + 30).astype(np.uint8)
    assert pattern.found_share(ImagePyramid(texture()), IDENTITY) > 0.99
    assert pattern.found_share(ImagePyramid(dimmed), IDENTITY) > 0.99


def test_hardly_anything_is_found_in_another_texture_or_a_few_pixels_off():
    pattern = BlockCorrelation(texture())
    assert pattern.found_share(ImagePyramid(texture(1)), IDENTITY) < 0.15
    assert pattern.found_share(ImagePyramid(texture()), np.array([[1.0, 0, 12], [0, 1, 0]])) < 0.3


def test_what_is_covered_is_not_found():
    covered = texture()
    covered[:, :150] = texture(1)[:, :150]
    assert BlockCorrelation(texture()).found_share(ImagePyramid(covered), IDENTITY) == pytest.approx(0.5, abs=0.12)


def test_a_scene_that_lies_mostly_outside_of_the_answer_is_not_found():
    pattern = BlockCorrelation(texture())
    assert pattern.found_share(ImagePyramid(texture()), np.array([[1.0, 0, 220], [0, 1, 0]])) == 0


def test_a_flat_scene_has_no_texture():
    assert not BlockCorrelation(np.full((60, 80), 128, np.uint8)).textured.any()
    assert BlockCorrelation(texture()).textured.mean() > 0.9


def test_an_answer_seen_from_afar_is_shrunk_first():
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 255
    answers = ImagePyramid(stripes)
    seen = warp_answer(answers, np.array([[4.0, 0, 1.5], [0, 4.0, 1.5]]), (100, 100))
    assert np.abs(seen.astype(int) - 128).max() <= 2
    assert answers.level(4) is answers.level(4)
