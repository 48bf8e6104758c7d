"""The outline gets steeper where it stands; what is not outline stays where it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.imaging.array_ops import remap
from function.restoration.compositing import enlarge_crop
from function.restoration.edge_warp import MAX_GAIN, edge_warp, warp_box

SHAPE = 120, 160
SCALE = 3
FULL_SIZE = SHAPE[1] * SCALE, SHAPE[0] * SCALE
CENTRE = 80, 60
RADIUS = 36


def disc(radius: float) -> np.ndarray:
    """(h, w) uint8, antialiased."""
    y, x = np.mgrid[: SHAPE[0] * 8, : SHAPE[1] * 8] / 8 + 1 / 16 - 0.5
    inside = np.hypot(x - CENTRE[0], y - CENTRE[1]) < radius
    return cv2.resize(inside.astype(np.uint8) * 255, SHAPE[::-1], interpolation=cv2.INTER_AREA)


def answer() -> np.ndarray:
    """A pale disc with a dark stroke across its middle, on a brown ground, as soft as a model's picture."""
    share = disc(RADIUS)[..., None] / 255
    picture = share * [200, 205, 210] + (1 - share) * [90, 60, 40]
    picture[58:60, 60:100] = 30
    return cv2.GaussianBlur(picture.astype(np.uint8), (0, 0), 0.6)


def enlarged(displacement: np.ndarray | None) -> np.ndarray:
    places = np.dstack(np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[0]))).astype(np.float32)
    if displacement is not None:
        places += displacement
    return remap(answer(), enlarge_crop(places, FULL_SIZE, (0, 0, *FULL_SIZE)), cv2.INTER_CUBIC)


def rim_widths(picture: np.ndarray) -> np.ndarray:
    """Full-resolution pixels that the disc's edge takes from a tenth to nine tenths of its rise, in all directions."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)[:, None]
    radii = np.arange(RADIUS - 8, RADIUS + 8, 0.02)[None]
    at = [
        (centre + radii * turn(angles) + 0.5) * SCALE - 0.5
        for centre, turn in zip(CENTRE, (np.cos, np.sin), strict=True)
    ]
    red = remap(picture[..., 0].astype(np.float32), np.dstack(at).astype(np.float32))
    rise = (red - 90) / (200 - 90)
    return ((rise > 0.1) & (rise < 0.9)).sum(axis=1) * 0.02 * SCALE


@pytest.mark.parametrize("mask_px", [0, 2, 5])
def test_the_rim_is_crossed_in_fewer_pixels_all_around(mask_px):
    """Also where the mask takes in some of the ground around the product."""
    soft, sharp = (rim_widths(enlarged(warp)) for warp in (None, edge_warp(answer(), disc(RADIUS + mask_px), MAX_GAIN)))
    assert np.median(sharp) < 0.65 * np.median(soft)
    assert sharp.max() < 0.85 * soft.min()


def test_the_rim_stays_in_its_place_and_takes_no_new_values():
    soft, sharp = (enlarged(warp) for warp in (None, edge_warp(answer(), disc(RADIUS), MAX_GAIN)))
    area = [float(((picture[..., 0] > 145) & (picture[..., 2] > 125)).sum()) for picture in (soft, sharp)]
    assert np.sqrt(area[1] / area[0]) == pytest.approx(1, abs=0.15 / RADIUS)
    assert sharp.max() <= soft.max() + 1 and sharp.min() >= soft.min() - 1


def test_nothing_moves_off_the_outline_nor_without_gain():
    warp = edge_warp(answer(), disc(RADIUS), MAX_GAIN)
    distance = np.hypot(*(np.mgrid[: SHAPE[0], : SHAPE[1]] - np.array(CENTRE[::-1])[:, None, None]))
    assert not warp[(distance < RADIUS - 14) | (distance > RADIUS + 8)].any()
    assert not edge_warp(answer(), disc(RADIUS), 1.0).any()
    assert not edge_warp(answer(), np.zeros(SHAPE, np.uint8), MAX_GAIN).any()


def test_even_the_greatest_gain_does_not_fold_the_picture():
    warp = edge_warp(answer(), disc(RADIUS), 10 * MAX_GAIN)
    across = np.diff(warp[60, :, 0]) + 1
    down = np.diff(warp[:, 80, 1]) + 1
    assert across.min() > 0 and down.min() > 0
    assert across.max() > 1.5


def test_the_box_holds_all_that_moves():
    mask = disc(RADIUS)
    x, y, width, height = warp_box(mask)
    warp = edge_warp(answer(), mask, MAX_GAIN)
    warp[y : y + height, x : x + width] = 0
    assert not warp.any()
    assert warp_box(np.zeros(SHAPE, np.uint8)) is None


def test_an_edge_that_is_soft_by_itself_stays_soft():
    out_of_focus = cv2.GaussianBlur(answer(), (0, 0), 3)
    mask = disc(RADIUS + 2)
    warp, sharp_warp = (np.abs(edge_warp(picture, mask, MAX_GAIN)).max() for picture in (out_of_focus, answer()))
    assert warp < 0.3 * sharp_warp
