"""Array primitives: each against a slower way to the same result."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from function.imaging.array_ops import (
    blur,
    downsample2,
    fill_holes,
    largest_component,
    max_channel,
    remap,
    to_bytes,
    to_three_channels,
    weighted_median,
)

RNG = np.random.default_rng(0)
masks = arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12))


def smooth(height: int, width: int) -> np.ndarray:
    """(height, width) float32 without detail finer than a few pixels, 0..1."""
    noise = RNG.random((height // 8 + 2, width // 8 + 2)).astype(np.float32)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("size", [(8, 6), (9, 6), (7, 5), (1, 1)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_half_the_size_is_rounded_up_and_keeps_the_mean(size, channels):
    width, height = size
    image = RNG.random((height, width, *channels)).astype(np.float32)
    small = downsample2(image)
    assert small.shape == ((height + 1) // 2, (width + 1) // 2, *channels)
    assert small.dtype == image.dtype
    assert small.mean() == pytest.approx(image.mean(), rel=1e-5)


@pytest.mark.parametrize("sigma", [0.8, 3.3, 3.5, 12.0, 40.0])
def test_a_wide_blur_is_the_full_sized_one_nearly(sigma):
    image = smooth(240, 320)
    exact = cv2.GaussianBlur(image, (0, 0), sigma)
    error = np.abs(blur(image, sigma) - exact) / np.ptp(image)
    assert error.mean() < 0.02
    assert error.max() < 0.1  # at the borders, which a smaller size mirrors a little differently
    assert blur(np.full_like(image, 0.3), sigma) == pytest.approx(0.3, rel=1e-5)


def test_a_blur_wider_than_the_image_is_its_mean():
    image = RNG.random((5, 9)).astype(np.float32)
    assert blur(image, 60.0) == pytest.approx(image.mean(), rel=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_channels_are_repeated_and_their_maximum_taken_as_numpy_does(dtype):
    image = (RNG.random((7, 5, 3)) * 255).astype(dtype)
    assert np.array_equal(max_channel(image), image.max(axis=2))
    assert np.array_equal(to_three_channels(image[..., 0]), np.repeat(image[..., :1], 3, axis=2))


@given(arrays.arrays(np.float32, (3, 4, 3), elements=st.floats(-1000, 1000, width=32)))
def test_bytes_are_rounded_and_clipped(image):
    assert np.array_equal(to_bytes(image), np.clip(np.rint(image), 0, 255).astype(np.uint8))


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 9)), min_size=1))
def test_half_of_the_weight_lies_on_either_side_of_the_weighted_median(pairs):
    values, weight = np.array(pairs, float).T
    middle = weighted_median(values, weight)
    if not weight.any():
        assert middle == 0
        return
    assert middle in values
    assert weight[values < middle].sum() <= weight.sum() / 2
    assert weight[values > middle].sum() <= weight.sum() / 2


def test_weights_of_one_give_the_median():
    values = RNG.random((5, 7))
    assert weighted_median(values, np.ones_like(values)) == np.median(values)


@given(masks)
def test_filled_holes_are_what_cannot_be_reached_from_outside(mask):
    outside = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    expected = (labels != labels[0, 0])[1:-1, 1:-1]
    assert np.array_equal(fill_holes(mask.astype(np.uint8)) > 0, expected)


@given(masks)
def test_the_largest_component_is_one_of_the_largest_and_lies_in_its_box(mask):
    found = largest_component(mask)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        assert found is None and not mask.any()
        return
    component, (x, y, width, height) = found
    assert component.sum() == stats[1:, cv2.CC_STAT_AREA].max()
    assert not (component & ~mask).any()
    assert cv2.boundingRect(component.astype(np.uint8)) == (x, y, width, height)


def test_a_component_thinner_than_asked_for_is_none():
    mask = np.zeros((20, 20), bool)
    mask[2:18, 5:8] = True
    assert largest_component(mask, 3) is not None
    assert largest_component(mask, 4) is None


def test_places_are_counted_from_the_middle_of_the_first_pixel():
    image = RNG.random((6, 8, 3)).astype(np.float32)
    x, y = np.meshgrid(np.arange(8, dtype=np.float32), np.arange(6, dtype=np.float32))
    assert np.array_equal(remap(image, np.dstack([x, y])), image)
    halfway = remap(image, np.dstack([x + np.float32(0.5), y]))
    assert halfway[:, :-1] == pytest.approx((image[:, :-1] + image[:, 1:]) / 2, abs=1e-6)
    assert np.array_equal(halfway[:, -1], image[:, -1])
    assert not remap(image, np.dstack([x + 20, y]), border=cv2.BORDER_CONSTANT).any()
