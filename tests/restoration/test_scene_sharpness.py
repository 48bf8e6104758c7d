"""The answer is sharpened as far as the scene is sharp, measured where it shows the scene."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.scene_sharpness import (
    BLOCK_PX,
    DEFAULT_STRENGTH,
    MAX_BLOCKS,
    detailed_blocks,
    sharpening_strength,
)
from function.restoration.sharpening import sharpen, sharpening_margin

ENLARGEMENT = 2.5
MARGIN = sharpening_margin(ENLARGEMENT)


def scene() -> np.ndarray:
    """Overlapping patches with sharp edges, as full resolution shows them."""
    rng = np.random.default_rng(0)
    picture = np.full((200, 200, 3), 128, np.uint8)
    for _ in range(60):
        x, y, wide, tall = rng.integers(0, 200, 2).tolist() + rng.integers(10, 60, 2).tolist()
        cv2.rectangle(picture, (x, y), (x + wide, y + tall), rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
    return picture


def answer(strength: float = 0) -> np.ndarray:
    """The scene as an enlarged answer shows it, sharpened."""
    small = cv2.resize(scene(), None, fx=1 / ENLARGEMENT, fy=1 / ENLARGEMENT, interpolation=cv2.INTER_AREA)
    cubic, linear = (cv2.resize(small, (200, 200), interpolation=way) for way in (cv2.INTER_CUBIC, cv2.INTER_LINEAR))
    return sharpen(cubic, linear, ENLARGEMENT, strength)


def strength_for(own: np.ndarray) -> float:
    return sharpening_strength([(own, answer(), answer(1))], MARGIN)


def test_a_sharp_scene_asks_for_all_and_one_no_sharper_than_the_answer_for_nothing():
    assert strength_for(scene()) == 1
    assert strength_for(answer()) == 0
    assert strength_for(cv2.GaussianBlur(scene(), (0, 0), 4)) == 0


@pytest.mark.parametrize("strength", [0.25, 0.75])
def test_the_strength_is_the_one_that_made_the_scene_s_sharpness(strength):
    assert strength_for(answer(strength)) == pytest.approx(strength, abs=0.2)


def test_without_detail_or_room_there_is_a_middle_strength():
    blank = np.full((60, 60, 3), 240, np.uint8)
    assert sharpening_strength([(blank, blank, blank)], MARGIN) == DEFAULT_STRENGTH
    assert sharpening_strength([], MARGIN) == DEFAULT_STRENGTH


def test_blocks_are_near_the_product_where_the_scene_is_unchanged_and_has_detail():
    image = np.full((240, 480, 3), 128, np.uint8)
    image[:, 240:] = np.random.default_rng(0).integers(0, 256, (240, 240, 3))
    mask = cv2.rectangle(np.zeros((240, 480), np.uint8), (200, 96), (263, 159), 255, -1)
    unchanged = cv2.dilate(mask, np.ones((9, 9), np.uint8)) == 0
    blocks = detailed_blocks(image, unchanged, mask, (960, 480))
    assert len(blocks) == MAX_BLOCKS
    for x, y, width, height in blocks:
        assert (width, height) == (2 * BLOCK_PX, 2 * BLOCK_PX)
        # Half of a block in the detailed half; a product's width to its side at most.
        assert x >= 480 - BLOCK_PX and x + width <= 2 * (263 + 65)
        assert unchanged[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2].all()


def test_a_change_that_is_everywhere_leaves_no_blocks():
    image, mask = np.zeros((60, 60, 3), np.uint8), np.full((60, 60), 255, np.uint8)
    assert detailed_blocks(image, mask == 0, mask, (120, 120)) == []
    tiny = np.full((5, 5), 255, np.uint8)
    assert detailed_blocks(image[:5, :5], tiny > 0, tiny, (10, 10)) == []
