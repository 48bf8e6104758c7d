"""The plain upscale: the scene's part of the answer, at the scene's size and shape."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.imaging.frame import Frame, plan_letterbox
from function.restoration.plain_upscale import plain_upscale


def test_the_plain_upscale_keeps_the_scenes_shape_for_an_answer_of_another_shape():
    frame = plan_letterbox((1600, 800), {"2:1": (1400, 700)}, 700)
    answer = np.zeros((600, 600, 3), np.uint8)
    cv2.circle(answer, (300, 300), 100, (255, 255, 255), -1)
    image = plain_upscale(answer, frame)
    _, _, width, height = cv2.boundingRect(image[..., 0])
    assert image.shape == (800, 1600, 3)
    assert abs(width - height) <= 2
    assert width == pytest.approx(201 * 1600 / 600, rel=0.03)  # all of the answer's width is the scene's


def test_a_fine_answer_does_not_alias_in_a_small_result():
    stripes = np.zeros((768, 1344, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than the result can show: an even grey
    frame = plan_letterbox((320, 183), {"16:9": (1344, 768)}, 768)
    image = plain_upscale(stripes, frame)
    assert np.abs(image[8:-8, 8:-8].astype(int) - 128).max() < 12


def ramp(size: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) uint8 whose first two colours are twice the place across and down."""
    across, down = np.meshgrid(2 * np.arange(size[0]), 2 * np.arange(size[1]))
    return np.dstack([across, down, np.zeros_like(across)]).astype(np.uint8)


@pytest.mark.parametrize("box", [None, (10.0, 24.0, 60.0, 30.0)])
def test_every_pixel_is_taken_from_where_the_layout_puts_it(box):
    """By default that is the scene between its padding; else the layout that was found."""
    frame = Frame((160, 80), (120, 80), (0, 10, 120, 60), "3:2", (120, 80))
    image = plain_upscale(ramp((120, 80)), frame, box)
    x, y, width, height = box or (0.0, 10.0, 120.0, 60.0)
    across = (np.arange(160) + 0.5) * width / 160 + x - 0.5
    down = (np.arange(80) + 0.5) * height / 80 + y - 0.5
    inner = np.s_[4:-4, 4:-4]
    assert image.dtype == np.uint8 and image.shape == (80, 160, 3)
    assert np.abs(image[inner][..., 0] - 2 * across[None, 4:-4]).max() <= 1
    assert np.abs(image[inner][..., 1] - 2 * down[4:-4, None]).max() <= 1
