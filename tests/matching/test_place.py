"""A place in shares of the scene: where a product stands at any resolution, and which pixel of its photograph where."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.place import Place, match_at, outline_box, place_mapping

OUTLINE = (30, 20, 60, 120)  # x, y, width, height, pixels of the photograph


def photograph_alpha() -> np.ndarray:
    """(160, 110) uint8: a front in a photograph with more room on its right than on its left."""
    alpha = np.zeros((160, 110), np.uint8)
    x, y, width, height = OUTLINE
    alpha[y : y + height, x : x + width] = 255
    return alpha


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (1600, 300)])
def test_a_standing_product_keeps_the_photograph_s_proportions_in_pixels(size):
    place = Place.standing(0.5, 0.75, 0.25, OUTLINE, size)
    x, y, width, height = place.pixels(size)
    assert (x + width / 2, y + height) == pytest.approx((0.5 * size[0], 0.75 * size[1]))
    assert height == pytest.approx(0.25 * size[1]) and width == pytest.approx(height / 2)


def test_a_place_is_the_same_where_the_last_digits_are_rounded_otherwise():
    first, again = (Place.standing(0.41 + off, 0.83 - off, 0.2 + off, OUTLINE, (400, 300)) for off in (0, 1 / 8192))
    assert first == again
    assert first.top + first.height == pytest.approx(0.83, abs=1 / 2048)
    assert first != Place.standing(0.41 + 2 / 1024, 0.83, 0.2, OUTLINE, (400, 300))


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        (Place(0.2, 0.3, 0.4, 0.5), 1.0),
        (Place(-0.1, 0.3, 0.4, 0.5), 0.75),
        (Place(0.9, 0.3, 0.4, 0.5), 0.25),
        (Place(0.2, 0.9, 0.4, 0.5), 0.2),
        (Place(-0.2, -0.25, 0.4, 0.5), 0.25),
        (Place(1.2, 0.3, 0.4, 0.5), 0.0),
    ],
)
def test_the_border_cuts_off_what_lies_outside_of_the_scene(place, inside):
    assert place.inside_share() == pytest.approx(inside)
    assert place.is_whole is (inside == 1)


def test_the_outline_box_holds_what_is_covered():
    alpha = photograph_alpha()
    alpha[5, 100] = 90  # a faint pixel is no product
    assert outline_box(alpha) == OUTLINE
    assert outline_box(np.zeros((40, 50), np.uint8))[2:] == (0, 0)


def test_the_outline_fills_its_place_at_any_resolution():
    place, alpha = Place(0.25, 0.4, 0.15, 0.4), photograph_alpha()
    for size in ((400, 300), (1200, 900)):
        x, y, width, height = (round(side) for side in place.pixels(size))
        mapping = place_mapping(alpha, place, size, (x, y, width, height))
        assert mapping.shape == (height, width, 2) and mapping.dtype == np.float32
        # The box's first pixel begins at the outline's upper left corner, its last ends at the lower right one.
        half = np.array([60 / width, 120 / height]) / 2
        assert mapping[0, 0] * (110, 160) - half == pytest.approx([30, 20], abs=1e-3)
        assert mapping[-1, -1] * (110, 160) + half == pytest.approx([90, 140], abs=1e-3)


def test_a_part_of_the_mapping_is_the_same_as_in_the_whole():
    place, alpha, size = Place(0.25, 0.4, 0.15, 0.4), photograph_alpha(), (400, 300)
    whole = place_mapping(alpha, place, size, (0, 0, *size))
    assert np.array_equal(place_mapping(alpha, place, size, (120, 130, 30, 50)), whole[130:180, 120:150])


def test_the_match_says_which_pixel_of_the_photograph_lies_where():
    alpha, size = photograph_alpha(), (300, 200)
    place = Place(0.3, 0.2, 0.2, 0.6)
    mapping = place_mapping(alpha, place, size, (0, 0, *size))
    coverage = cv2.remap(alpha, mapping * np.float32([110, 160]) - np.float32(0.5), None, cv2.INTER_LINEAR)
    match = match_at(place, alpha, coverage, 0.8)
    assert (match.kind, match.mirrored, match.instances, match.correlation) == ("laid", False, 1, 0.8)
    x, y, width, height = match.box
    assert (x, y) == (90 - 3, 40 - 3) and (width, height) == (60 + 7, 120 + 7)
    middle = match.mapping[round(size[1] * 0.5) - y, round(size[0] * 0.4) - x]
    assert middle == pytest.approx([60 / 110, 80 / 160], abs=0.01)
    assert np.array_equal(match.weight, coverage[y : y + height, x : x + width]) and match.weight.max() == 255


def test_the_box_of_a_match_ends_at_the_image_s_border():
    match = match_at(Place(-0.05, 0.5, 0.3, 0.6), photograph_alpha(), np.full((200, 300), 255, np.uint8), 1.0)
    x, y, width, height = match.box
    assert (x, y + height) == (0, 200) and match.weight.shape == match.mapping.shape[:2] == (height, width)
