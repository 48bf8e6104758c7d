"""Glass is faint inside a rim that ends at once; a pale body shades softly, and an opaque one is not faint."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.cutout.glass import find_glass

SHAPE = (200, 240)
X0, Y0, WIDE, TALL = 60, 30, 120, 150


def drawn(rim: float, inside: float, softness: float = 0.0, rim_px: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Luma (h, w) of a vessel whose rim and interior are darker than the backdrop by so much, and what is outside."""
    outside = np.ones(SHAPE, bool)
    outside[Y0 : Y0 + TALL, X0 : X0 + WIDE] = False
    luma = np.where(outside, 0, -rim).astype(np.float32)
    luma[Y0 + rim_px : Y0 + TALL - rim_px, X0 + rim_px : X0 + WIDE - rim_px] = -inside
    if softness:
        luma = np.where(outside, 0, cv2.GaussianBlur(luma, (0, 0), softness)).astype(np.float32)
    return luma, outside


def share(luma: np.ndarray, outside: np.ndarray, chroma: np.ndarray | None = None) -> float:
    """Of the vessel that is found to be glass; nothing outside of it ever is."""
    found = find_glass(luma, np.zeros(SHAPE, np.float32) if chroma is None else chroma, outside)
    assert found.shape == SHAPE and found.dtype == bool and not found[outside].any()
    return float(found[~outside].mean())


def test_a_faint_interior_within_a_strong_rim_is_glass():
    assert share(*drawn(rim=50, inside=8)) == 1


def test_a_bright_rim_is_one_too():
    luma, outside = drawn(rim=50, inside=8)
    assert share(-luma, outside) == 1


@pytest.mark.parametrize(
    ("rim", "inside"), [(90, 70), (20, 15), (8, 8), (30, 26)], ids=["opaque", "pale", "flat", "shaded"]
)
def test_what_is_opaque_or_has_no_rim_is_no_glass(rim, inside):
    assert share(*drawn(rim, inside)) == 0


def test_shading_that_goes_over_softly_is_no_rim():
    assert share(*drawn(rim=50, inside=8, rim_px=16, softness=5)) == 0


def test_what_stands_in_front_of_glass_or_in_it_is_not_seen_through():
    luma, outside = drawn(rim=50, inside=8)
    luma[100:120, 100:140] = -150
    found = find_glass(luma, np.zeros(SHAPE, np.float32), outside)
    assert not found[100:120, 100:140].any() and found[80, 120]


def test_a_colour_of_its_own_is_as_strong_as_a_darkening():
    luma, outside = drawn(rim=50, inside=8)
    assert share(luma, outside, np.full(SHAPE, 50, np.float32)) == 0


def test_each_piece_is_looked_at_by_itself_and_a_small_one_is_print():
    luma, outside = drawn(rim=50, inside=8)
    outside[5:15, 5:15] = False
    opaque = np.s_[60:150, 190:235]
    outside[opaque], luma[opaque] = False, -120
    found = find_glass(luma, np.zeros(SHAPE, np.float32), outside)
    assert found[100, 120] and not found[opaque].any() and not found[5:15, 5:15].any()


def test_round_glasses_that_stand_close_are_found_whole_and_nothing_around_them():
    body, inner = np.zeros((240, 240), np.uint8), np.zeros((240, 240), np.uint8)
    for middle, radius in (((80, 80), 60), ((165, 165), 50)):
        cv2.circle(body, middle, radius, 1, -1)
        cv2.circle(inner, middle, radius - 9, 1, -1)
    luma = np.where(inner > 0, -8, np.where(body > 0, -50, 0)).astype(np.float32)
    assert np.array_equal(find_glass(luma, np.zeros_like(luma), body == 0), body > 0)
