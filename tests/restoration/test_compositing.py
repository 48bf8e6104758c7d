"""Blending at full resolution: boxes hold all of a mask, strips all of a box, and layers their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.restoration.compositing import (
    TILE_PIXELS,
    alpha_composite,
    apply_shading,
    enlarge_crop,
    mask_bounding_box,
    mask_tiles,
    tiles,
)


def test_a_part_enlarged_is_that_part_of_the_whole_enlarged():
    picture = np.random.default_rng(0).random((40, 60)).astype(np.float32)
    whole = enlarge_crop(picture, (180, 120), (0, 0, 180, 120))
    part = enlarge_crop(picture, (180, 120), (31, 17, 50, 40))
    assert np.abs(whole[17:57, 31:81] - part).max() < 1e-3


@given(st.integers(0, 59), st.integers(0, 39), st.integers(61, 400), st.integers(41, 300))
def test_the_full_box_holds_every_pixel_that_the_mask_reaches(x, y, width, height):
    mask = np.zeros((40, 60), np.uint8)
    mask[y, x] = 255
    left, top, wide, tall = mask_bounding_box(mask, (width, height))
    assert left >= 0 and top >= 0 and left + wide <= width and top + tall <= height
    reached = enlarge_crop(mask.astype(np.float32), (width, height), (0, 0, width, height)) > 0
    reached[top : top + tall, left : left + wide] = False
    assert not reached.any()


def test_an_empty_mask_has_no_box():
    assert mask_bounding_box(np.zeros((4, 4), np.uint8), (100, 100)) is None


@given(st.integers(1, 3 * TILE_PIXELS), st.integers(1, 3000))
def test_tiles_cover_a_box_once_and_stay_small(width, height):
    parts = list(tiles((7, 3, width, height)))
    tops, rows = [part[1] for part in parts], [part[3] for part in parts]
    assert tops == [3 + sum(rows[:k]) for k in range(len(parts))] and sum(rows) == height
    assert all(tall == 1 or wide * tall <= TILE_PIXELS for _, _, wide, tall in parts)
    assert {(left, wide) for left, _, wide, _ in parts} == {(7, width)}


@given(
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 39)), max_size=6), st.integers(61, 400), st.integers(41, 700)
)
def test_tiles_along_a_mask_hold_every_pixel_that_it_reaches_once(specks, width, height):
    mask = np.zeros((40, 60), np.uint8)
    for x, y in specks:
        mask[y, x] = 255
    reached = (enlarge_crop(mask.astype(np.float32), (width, height), (0, 0, width, height)) > 0).astype(int)
    held = np.zeros_like(reached)
    for left, top, wide, tall in mask_tiles(mask, (width, height), (0, 0, width, height)):
        held[top : top + tall, left : left + wide] += 1
    assert held.max(initial=0) <= 1 and (held >= reached).all()


def test_a_far_speck_costs_its_own_rows_only():
    mask = np.zeros((400, 600), np.uint8)
    mask[20:380, 100:160] = 255
    mask[370, 590] = 255
    box = mask_bounding_box(mask, (2400, 1600))
    held = sum(wide * tall for _, _, wide, tall in mask_tiles(mask, (2400, 1600), box))
    assert held < 0.35 * box[2] * box[3]


def test_full_coverage_is_the_picture_and_none_the_background():
    rng = np.random.default_rng(0)
    under, over = (rng.integers(0, 256, (5, 6, 3)).astype(np.uint8) for _ in range(2))
    coverage = np.zeros((5, 6), np.uint8)
    coverage[:2] = 255
    coverage[2] = 128
    laid = alpha_composite(under, over, coverage)
    assert np.array_equal(laid[:2], over[:2]) and np.array_equal(laid[3:], under[3:])
    assert np.abs(laid[2] - (over[2] * (128 / 255) + under[2] * (127 / 255))).max() <= 1


def test_light_multiplies_and_is_clipped():
    crop = np.full((3, 3, 3), 100, np.uint8)
    assert apply_shading(crop, np.full((3, 3, 3), 0.5, np.float32)) == pytest.approx(50)
    assert apply_shading(crop, np.full((3, 3, 3), 4.0, np.float32)) == pytest.approx(255)
