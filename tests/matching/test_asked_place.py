"""A place that is asked for: where a photograph is laid for it, and how far a product is off."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.asked_place import AskedPlace, areas, best_point

SCENE = 1000, 800
OUTLINE = (10, 10, 100, 200)  # half as wide as it is tall
BOX = (0.4, 0.25, 0.3, 0.5)  # 300 x 400 pixels, from (400, 200)


def strip() -> np.ndarray:
    """(400, 500) uint8: white in columns 50..449, rows 300..339."""
    ground = np.zeros((400, 500), np.uint8)
    ground[300:340, 50:450] = 255
    return ground


def test_a_box_is_filled_from_the_middle_of_its_base_up():
    place = AskedPlace(BOX).place(OUTLINE, SCENE)
    assert place.pixels(SCENE) == pytest.approx((450, 200, 200, 400), abs=2)


def test_what_is_wider_than_the_box_is_as_wide_as_it():
    assert AskedPlace(BOX).place((0, 0, 300, 100), SCENE).pixels(SCENE) == pytest.approx((400, 500, 300, 100), abs=2)


def test_what_hangs_is_held_at_the_upper_edge():
    place = AskedPlace(BOX, hangs=True).place((0, 0, 300, 100), SCENE)
    assert place.pixels(SCENE) == pytest.approx((400, 200, 300, 100), abs=2)


def test_a_height_counts_for_more_than_the_box():
    assert AskedPlace(BOX, height=0.25).place(OUTLINE, SCENE).pixels(SCENE) == pytest.approx(
        (500, 400, 100, 200), abs=2
    )


def test_what_the_border_would_cut_off_has_no_place():
    assert AskedPlace(BOX, height=0.75).place(OUTLINE, SCENE) is not None
    assert AskedPlace(BOX, height=0.8).place(OUTLINE, SCENE) is None


def test_the_ground_says_where_and_the_height_how_tall():
    place = AskedPlace(ground=strip(), height=0.25).place(OUTLINE, SCENE)
    x, y, width, height = place.pixels(SCENE)
    assert (x + width / 2, y + height) == pytest.approx((500, 640), abs=6) and height == pytest.approx(200, abs=2)
    assert AskedPlace(ground=strip()).place(OUTLINE, SCENE) is None


def test_the_best_point_of_a_long_strip_is_its_middle():
    assert best_point(strip()) == pytest.approx((0.5, 0.8), abs=0.005)


def test_white_areas_are_followed_by_few_corners_the_largest_first():
    ground = strip()
    ground[20:40, 20:40] = 255
    large, small = areas(ground)
    assert len(large) == len(small) == 4
    assert sorted(large)[0] == pytest.approx((0.1, 0.75), abs=0.005)
    assert areas(np.zeros((40, 50), np.uint8)) == ()
    y, x = np.mgrid[0:400, 0:500]
    assert 6 <= len(areas((np.hypot(x - 250, y - 200) < 150).astype(np.uint8) * 255)[0]) <= 12


def test_a_product_that_fills_its_box_is_nowhere_off():
    assert AskedPlace(BOX).deviation((450, 200, 200, 400), SCENE).worst == 0
    assert AskedPlace(BOX).deviation((400, 500, 300, 100), SCENE).worst == 0


@pytest.mark.parametrize(
    ("found", "off"),
    [
        ((450, 260, 200, 400), {"down": 0.15, "aside": 0.0, "grown": 1.0}),
        ((450, 160, 200, 400), {"down": -0.1, "aside": 0.0, "grown": 1.0}),
        ((530, 200, 200, 400), {"down": 0.0, "aside": 0.2, "grown": 1.0}),
        ((425, 100, 250, 500), {"down": 0.0, "aside": 0.0, "grown": 1.25}),
        ((470, 280, 160, 320), {"down": 0.0, "aside": 0.0, "grown": 0.8}),
    ],
)
def test_how_far_it_is_off_is_counted_in_its_size(found, off):
    deviation = AskedPlace(BOX).deviation(found, SCENE)
    assert {name: getattr(deviation, name) for name in off} == pytest.approx(off)
    assert deviation.worst == pytest.approx(max(abs(off["down"]), abs(off["aside"]), deviation.resized))
    assert deviation.resized == pytest.approx({1.0: 0.0, 1.25: 0.25, 0.8: 0.25}[off["grown"]])


def test_beside_the_white_is_off_by_the_way_to_it():
    asked = AskedPlace(ground=strip())
    assert asked.deviation((450, 440, 100, 200), SCENE).worst == pytest.approx(0)
    assert asked.deviation((450, 300, 100, 200), SCENE).outside == pytest.approx(0.5)
    assert asked.deviation((900, 440, 100, 200), SCENE).outside == pytest.approx(0.25)


def test_of_a_height_alone_only_the_size_is_asked():
    deviation = AskedPlace(height=0.25).deviation((0, 0, 110, 220), SCENE)
    assert (deviation.down, deviation.aside, deviation.outside) == (0, 0, 0)
    assert deviation.grown == pytest.approx(1.1)
