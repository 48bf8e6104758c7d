"""A smooth field is carried across what hides it."""

from __future__ import annotations

import numpy as np

from function.registration.thin_plate import thin_plate

WIDTH, HEIGHT = 320, 200


def field() -> np.ndarray:
    """A displacement of a pixel or two, (HEIGHT, WIDTH, 2), that bends across the picture as warps do."""
    x, y = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
    return np.dstack([np.sin(2 * x + y), x * y - 0.7 * np.cos(2 * y)]).astype(np.float32)


def test_a_hole_as_large_as_a_product_is_bridged_by_slope_and_bend():
    hole = np.s_[60:140, 120:200]
    weight = np.ones((HEIGHT, WIDTH), np.float32)
    weight[hole] = 0
    values = np.where(weight[..., None] > 0, field(), 50)  # what is hidden must not leak
    error = np.abs(thin_plate(values, weight) - field())[hole]
    rim = np.abs(field()[hole] - field()[hole].mean(axis=(0, 1)))
    assert error.max() < 0.1
    assert error.mean() < 0.2 * rim.mean()


def test_nothing_known_is_no_displacement():
    assert not thin_plate(np.ones((HEIGHT, WIDTH, 2), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)).any()


def test_a_corner_full_of_texture_does_not_fling_the_rest_away():
    weight = np.zeros((HEIGHT, WIDTH), np.float32)
    weight[:60, :90] = 1
    assert np.abs(thin_plate(field(), weight)).max() < 8
