"""The affine fit: from the nominal layout, or from features where none of the layouts is followed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.registration.affine import best_affine
from function.registration.block_correlation import ImagePyramid
from function.registration.framings import box_matrix, corners

SIZE = (640, 400)
WHOLE = (0.0, 0.0, 640.0, 400.0)


def picture(seed: int = 0) -> np.ndarray:
    """Grey with marks of many sizes."""
    rng = np.random.default_rng(seed)
    canvas = np.full(SIZE[::-1], 120, np.uint8)
    for _ in range(160):
        x, y = int(rng.integers(0, SIZE[0])), int(rng.integers(0, SIZE[1]))
        cv2.circle(canvas, (x, y), int(rng.integers(4, 26)), int(rng.integers(20, 240)), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(canvas, (0, 0), 1.0)


def shown(matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(picture(), matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


@pytest.mark.parametrize(
    ("matrix", "away_px"),
    [
        (np.eye(2, 3), 0.5),
        (np.array([[1.02, 0.004, -9], [-0.003, 1.01, 4]]), 1.0),
        (np.array([[1.4, 0, -150.0], [0, 1.4, -90]]), 3.0),  # its corners lie outside of what is seen
    ],
    ids=["as it is", "drift", "crop"],
)
def test_the_fit_is_that_by_which_the_scene_was_shown(matrix, away_px):
    fit, share, plain = best_affine(picture(), ImagePyramid(shown(matrix)), [WHOLE])
    assert share > 0.6 and not plain
    assert np.abs(corners(fit, SIZE) - corners(matrix, SIZE)).max() < away_px


def test_another_picture_is_not_fitted():
    fit, share, plain = best_affine(picture(), ImagePyramid(picture(5)), [WHOLE])
    assert fit is None and share < 0.4 and not plain


def test_a_mirrored_scene_is_not_fitted():
    assert best_affine(picture(), ImagePyramid(np.ascontiguousarray(picture()[:, ::-1])), [WHOLE])[0] is None


@pytest.mark.parametrize(("tone", "fitted"), [(128, True), (30, False)])
def test_a_plain_scene_takes_the_expected_layout_if_its_tone_agrees(tone, fitted):
    scene, answer = np.full(SIZE[::-1], 132, np.uint8), np.full(SIZE[::-1], tone, np.uint8)
    fit, share, plain = best_affine(scene, ImagePyramid(answer), [WHOLE])
    assert plain and share == 0
    assert np.array_equal(fit, box_matrix(WHOLE, SIZE)) if fitted else fit is None


def test_an_answer_smaller_than_a_block_is_not_fitted():
    assert best_affine(picture(), ImagePyramid(np.zeros((10, 10), np.uint8)), [WHOLE]) == (None, 0.0, False)
