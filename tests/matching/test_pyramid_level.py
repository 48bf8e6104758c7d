"""At every level a pixel of the photograph spans a pixel of the image, and poses stay in pixels of the image given."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.plane_parallax import HOMOGRAPHY
from function.matching.pyramid_level import MIN_REFERENCE_PX, MIN_SIDE_PX, PyramidLevel
from function.matching.reference_image import prepare_reference
from tests.matching.samples import HEIGHT, WIDTH, cut_out, flat_pose, label, room, stand

SIZE = 260
POSE = flat_pose(SIZE)


@pytest.fixture(scope="module")
def images():
    """The photograph, and the image in which it stands under `POSE`."""
    return prepare_reference(cut_out(label())), stand(room(), label(), POSE)[0]


def depth_of(level: PyramidLevel) -> np.ndarray:
    return np.zeros(level.luma.shape, np.float32)


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
def test_both_images_are_shrunk_until_their_pixels_are_of_one_size(images, scale):
    level = PyramidLevel.of(*images, SIZE, scale)
    assert level.luma.shape == level.reference.alpha.shape and level.luma.dtype == np.float32
    assert max(level.luma.shape) == SIZE * scale
    assert level.generated.shape == (HEIGHT * scale, WIDTH * scale) and level.generated.dtype == np.float32


def test_the_photograph_is_not_shrunk_until_nothing_is_seen(images):
    level = PyramidLevel.of(*images, 40, 0.5)
    assert max(level.luma.shape) == MIN_REFERENCE_PX


def test_what_is_too_small_is_no_level(images):
    reference, generated = images
    assert PyramidLevel.of(reference, generated[: MIN_SIDE_PX - 1], SIZE, 1.0) is None
    assert PyramidLevel.of(reference, generated, SIZE, (MIN_SIDE_PX - 1) / HEIGHT) is None
    narrow = prepare_reference(cut_out(label(size=(60, 480))))
    assert PyramidLevel.of(narrow, generated, 100, 1.0) is None


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_pose_is_refined_in_pixels_of_the_image_given(images, scale):
    level = PyramidLevel.of(*images, SIZE, scale)
    start = POSE.copy()
    start[[2, 5]] += 2, -2
    found = level.refine(start, HOMOGRAPHY, depth_of(level))
    assert found[[2, 5]] == pytest.approx(POSE[[2, 5]], abs=0.7)


def test_the_photograph_lies_at_the_pose_in_the_level_s_pixels(images):
    level, half = (PyramidLevel.of(*images, SIZE, scale) for scale in (1.0, 0.5))
    x, y = half.surface_map(POSE, depth_of(half))
    assert x.shape == half.luma.shape
    # The middle of the photograph lies at the pose's place, in half the pixels.
    middle = tuple(np.array(x.shape) // 2)
    assert (x[middle], y[middle]) == pytest.approx((POSE[2] / 2, POSE[5] / 2), abs=1)
    full = level.surface_map(POSE, depth_of(level))
    assert np.ptp(x) == pytest.approx(np.ptp(full[0]) / 2, rel=0.02)
    assert np.ptp(y) == pytest.approx(np.ptp(full[1]) / 2, rel=0.02)


def test_they_correlate_at_the_pose_and_not_beside_it(images):
    level = PyramidLevel.of(*images, SIZE, 0.5)
    x, y = level.surface_map(POSE, depth_of(level))
    assert level.compare(x, y).correlation > 0.8
    assert level.compare(x + 6, y).correlation < 0.65
    assert level.compare(x, y + 5).correlation < 0.4
    assert not level.compare(x + WIDTH, y).visible.any()
