"""Pictures brought to the size of the analysis."""

from __future__ import annotations

import numpy as np
import pytest

from function.restoration.analysis_size import at_analysis_size, downscaled


@pytest.mark.parametrize(("size", "side", "expected"), [((400, 300), 200, (200, 150)), ((400, 300), 500, (400, 300))])
def test_pictures_are_shrunk_and_never_enlarged(size, side, expected):
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    assert downscaled(picture, side).shape == (expected[1], expected[0], 3)


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((400, 300), 200, (200, 150)),
        ((400, 300), 800, (800, 600)),
        ((300, 400), 400, (300, 400)),
        ((1, 900), 90, (1, 90)),
    ],
)
def test_the_analysis_has_the_side_that_was_asked_for_and_the_scene_s_shape(size, side, expected):
    scene = np.zeros((size[1], size[0], 3), np.uint8)
    assert at_analysis_size(scene, side).shape == (expected[1], expected[0], 3)


def test_a_shrunk_picture_is_the_average_of_its_pixels():
    board = np.zeros((8, 8, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 200  # sampled one by one it would be 0 or 200
    assert (downscaled(board, 4) == 100).all()


def test_a_picture_that_fits_is_not_copied():
    picture = np.zeros((30, 40, 3), np.uint8)
    assert downscaled(picture, 40) is picture and at_analysis_size(picture, 40) is picture
