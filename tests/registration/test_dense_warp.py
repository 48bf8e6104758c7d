"""The local warp that an affine fit leaves is found, and what was put in does not drag it along."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.registration.dense_warp import local_warp
from function.registration.framings import affine_mapping

SIZE = (480, 320)


def texture() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(40, 200, (SIZE[1] // 5, SIZE[0] // 5)).astype(np.uint8)
    return cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)


def bend() -> np.ndarray:
    """(h, w, 2) float32: a wide displacement of up to two pixels."""
    x, y = np.meshgrid(np.linspace(0, np.pi, SIZE[0]), np.linspace(0, np.pi, SIZE[1]))
    return np.dstack([2 * np.sin(x) * np.cos(y / 2), 1.5 * np.cos(x)]).astype(np.float32)


def found(answer: np.ndarray) -> np.ndarray:
    mapping, inside = affine_mapping(np.eye(2, 3), SIZE, SIZE)
    return local_warp(texture(), answer, mapping, inside)


def bent() -> np.ndarray:
    """An answer whose place p + bend(p) shows the scene's p, nearly: the bend is wide."""
    x, y = np.meshgrid(np.arange(SIZE[0], dtype=np.float32), np.arange(SIZE[1], dtype=np.float32))
    return cv2.remap(texture(), x - bend()[..., 0], y - bend()[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def test_a_wide_bend_is_followed():
    error = np.hypot(*np.moveaxis(found(bent()) - bend(), 2, 0))
    assert np.median(error) < 0.15
    assert error[20:-20, 20:-20].max() < 0.8


def test_what_was_put_in_is_bridged_by_the_warp_around_it():
    answer = bent()
    answer[100:220, 180:300] = np.random.default_rng(1).integers(0, 256, (120, 120))
    error = np.hypot(*np.moveaxis(found(answer) - bend(), 2, 0))
    assert np.median(error[100:220, 180:300]) < 0.5


def test_the_scene_itself_does_not_move():
    assert np.abs(found(texture())).max() < 0.05


@pytest.mark.parametrize("value", [0, 128])
def test_flat_pictures_give_no_hold(value):
    flat = np.full(SIZE[::-1], value, np.uint8)
    mapping, inside = affine_mapping(np.eye(2, 3), SIZE, SIZE)
    assert np.abs(local_warp(flat, flat, mapping, inside)).max() < 1e-3
