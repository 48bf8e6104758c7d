"""The nominal places of a scene in an answer, and affine maps of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from function.imaging.frame import plan_letterbox
from function.registration.framings import (
    affine_mapping,
    box_matrix,
    corners,
    nearest_layout,
    nominal_layouts,
    rescaled,
)

SIZE = (400, 300)
BOX = (50.0, 20.0, 200.0, 240.0)


def test_layouts_that_coincide_are_listed_once():
    frame = plan_letterbox((1024, 1024), {"1:1": (1024, 1024)}, 768)
    assert nominal_layouts(frame, (1024, 1024)) == [(0.0, 0.0, 1024.0, 1024.0)]


def test_the_padded_layout_comes_first_and_fitted_and_filling_keep_the_scene_s_shape():
    frame = plan_letterbox((1600, 900), {"1:1": (1024, 1024)}, 768)
    boxes = nominal_layouts(frame, (1000, 1000))
    assert boxes[0] == frame.content_box_in((1000, 1000))
    assert boxes[1] == (0.0, 0.0, 1000.0, 1000.0)
    for x, y, width, height in boxes[2:]:
        assert width / height == pytest.approx(1600 / 900)
        assert (x + width / 2, y + height / 2) == pytest.approx((500, 500))


def test_a_box_s_matrix_takes_corners_of_pixels_to_corners_of_the_box():
    low, high = corners(box_matrix(BOX, SIZE), SIZE)[[0, 3]]
    # A pixel's centre counts, so that corners lie half a pixel further up and left on both sides.
    assert low + 0.5 == pytest.approx([50 + 0.25, 20 + 0.4], abs=1e-9)
    assert high - low == pytest.approx([200, 240])


def test_a_matrix_rescaled_leads_to_the_same_places():
    matrix = box_matrix(BOX, SIZE)
    half = rescaled(matrix, SIZE, (200, 150))
    assert half == pytest.approx(box_matrix(BOX, (200, 150)))
    assert rescaled(half, (200, 150), SIZE) == pytest.approx(matrix)


def test_the_mapping_is_the_matrix_at_every_pixel_and_knows_what_lies_inside():
    matrix = np.array([[0.5, 0.1, -20], [-0.05, 0.6, 4]])
    mapping, inside = affine_mapping(matrix, SIZE, (180, 150))
    assert mapping.shape == (300, 400, 2) and mapping.dtype == np.float32
    assert mapping[210, 130] == pytest.approx(matrix @ [130, 210, 1], abs=1e-3)
    x, y = mapping[..., 0], mapping[..., 1]
    assert np.array_equal(inside, (x > -0.5) & (x < 179.5) & (y > -0.5) & (y < 149.5))
    assert 0 < inside.mean() < 1


def test_the_nearest_layout_is_that_of_the_least_moved_corners():
    boxes = [(0.0, 0.0, 400.0, 300.0), BOX]
    moved = box_matrix(BOX, SIZE) + np.array([[0.01, 0, 2], [0, -0.01, 3]])
    assert nearest_layout(moved, boxes, SIZE) == BOX
