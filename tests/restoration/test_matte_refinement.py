"""A mask's end is narrow at full resolution where it is an outline, and stays soft where it ends on bare scene."""

from __future__ import annotations

import cv2
import numpy as np

from function.restoration.compositing import enlarge_crop
from function.restoration.matte_refinement import outline_part, refined_alpha, steepened_alpha

WIDTH, HEIGHT, SCALE = 80, 24, 4
FULL_SIZE = WIDTH * SCALE, HEIGHT * SCALE
EDGE = 40


def mask() -> np.ndarray:
    """Covers the left half, with a soft end some five pixels wide."""
    end = np.clip((EDGE + 2.5 - np.arange(WIDTH)) * 51, 0, 255)
    return np.repeat(end.astype(np.uint8)[None], HEIGHT, axis=0)


def relit() -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), 150, np.uint8)


def answer(levels: int) -> np.ndarray:
    """The relit scene, with something `levels` darker in the left half."""
    picture = relit()
    picture[:, :EDGE] -= levels
    return picture


def coverage(levels: int) -> np.ndarray:
    outlined = outline_part(mask(), answer(levels), relit())
    return refined_alpha(mask(), outlined, FULL_SIZE, (0, 0, *FULL_SIZE))


def soft_pixels(row: np.ndarray) -> int:
    """Between a fourth, under which a soft end may go on, and nine tenths."""
    return int(((row > 70) & (row < 230)).sum())


def test_an_outline_is_narrow_and_nothing_that_was_covered_is_lost():
    soft = enlarge_crop(mask(), FULL_SIZE, (0, 0, *FULL_SIZE), cv2.INTER_CUBIC)
    narrow = coverage(80)
    assert soft_pixels(narrow[40]) <= soft_pixels(soft[40]) / 3
    assert (narrow >= soft).all() and (narrow[soft > 127] == 255).all()


def test_an_end_on_bare_scene_stays_soft():
    soft = enlarge_crop(mask(), FULL_SIZE, (0, 0, *FULL_SIZE), cv2.INTER_CUBIC)
    assert np.array_equal(coverage(8), soft)


def test_a_part_is_refined_as_the_whole_is():
    outlined = outline_part(mask(), answer(80), relit())
    part = refined_alpha(mask(), outlined, FULL_SIZE, (130, 10, 60, 50))
    assert np.abs(part.astype(int) - coverage(80)[10:60, 130:190]).max() <= 1


def test_what_is_not_enlarged_is_not_narrowed():
    assert np.array_equal(steepened_alpha(mask(), 1), mask()) and np.array_equal(steepened_alpha(mask(), 0.5), mask())
    assert not np.array_equal(steepened_alpha(mask(), 2), mask())
