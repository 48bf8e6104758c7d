"""What a target of another shape shows of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.imaging.icc import adobe_rgb, from_srgb
from function.imaging.resize import cover_window
from function.imaging.target_crop import SMALLEST_SHARE, contain, target_window
from tests.tiers import examples

SCENE = (1600, 1200)
PRODUCT = (700, 400, 200, 400)


def window_of(size, *, margin=0.05, position=None, product=PRODUCT, scene=SCENE):
    return target_window(scene, size, margin=margin, position=position, changed=product, product=product)


def centre_in(window, product=PRODUCT):
    left, top, right, bottom = window
    x, y = product[0] + product[2] / 2, product[1] + product[3] / 2
    return (x - left) / (right - left), (y - top) / (bottom - top)


def test_without_margin_and_position_it_is_the_window_of_the_only_result():
    for size in ((100, 400), (400, 100), (300, 300)):
        assert window_of(size, margin=0) == cover_window(SCENE, size, PRODUCT, PRODUCT)


@pytest.mark.parametrize(
    ("position", "axis", "place"), [("left", 0, 0.28), ("right", 0, 0.72), ("top", 1, 0.3), ("bottom", 1, 0.7)]
)
def test_the_product_stands_where_it_is_wanted(position, axis, place):
    window = window_of((1600, 900), position=position)
    assert centre_in(window)[axis] == pytest.approx(place, abs=0.01)
    assert (window[2] - window[0]) / (window[3] - window[1]) == pytest.approx(1600 / 900)


def test_in_the_center_the_window_stays_as_large_as_it_can_be():
    window = window_of((300, 600), position="center")
    assert centre_in(window)[0] == pytest.approx(0.5) and window[3] - window[1] == 1200
    assert window_of((300, 600), position="center", product=(10, 400, 200, 400))[0] == 0


def test_the_window_is_made_smaller_only_as_far_as_it_takes():
    wide = window_of((1600, 900), position="right")
    assert wide[0] == pytest.approx(0, abs=1)  # the picture's left border is what limits it
    assert window_of((1600, 900), position="right", product=(1100, 400, 100, 300))[2] == pytest.approx(1597, abs=30)


def test_a_product_in_the_corner_is_not_magnified_without_end():
    left, _, right, _ = window_of((1600, 900), position="right", product=(10, 500, 100, 100))
    assert right - left >= SMALLEST_SHARE * 1600 - 1


sides = st.integers(40, 2000)


@given(scene=st.tuples(sides, sides), size=st.tuples(sides, sides), data=st.data())
@examples(400)
def test_a_window_lies_in_the_picture_has_the_targets_shape_and_holds_the_product_where_it_fits(scene, size, data):
    width, height = data.draw(st.integers(1, scene[0])), data.draw(st.integers(1, scene[1]))
    product = data.draw(st.integers(0, scene[0] - width)), data.draw(st.integers(0, scene[1] - height)), width, height
    position = data.draw(st.sampled_from([None, "left", "right", "top", "bottom", "center"]))
    left, top, right, bottom = window_of(size, position=position, product=product, scene=scene)
    assert left >= 0 and top >= 0 and right <= scene[0] and bottom <= scene[1]  # Pillow refuses a rounding error
    assert (right - left) * size[1] == pytest.approx((bottom - top) * size[0], rel=1e-6)
    for start, end, axis in ((left, right, 0), (top, bottom, 1)):
        if product[axis + 2] <= end - start:
            assert start <= product[axis] + 0.51 and product[axis] + product[axis + 2] <= end + 0.51


def test_all_of_the_picture_is_laid_on_the_background_with_its_margin():
    picture = np.full((300, 600, 3), 40, np.uint8)
    whole = contain(picture, (400, 400), margin=0.1, background="#ff8000", icc=None)
    assert whole.shape == (400, 400, 3)
    inside = (whole == 40).all(axis=2)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    assert (columns[0], columns[-1]) == (40, 359) and (rows[0], rows[-1]) == (120, 279)
    assert (whole[~inside] == (255, 128, 0)).all()


def test_the_background_is_converted_to_the_pictures_profile():
    profile = adobe_rgb()
    picture = np.zeros((10, 20, 3), np.uint8)
    whole = contain(picture, (20, 20), margin=0, background="#ff0000", icc=profile)
    assert tuple(whole[0, 0]) == tuple(from_srgb(np.array([[[255, 0, 0]]], np.uint8), profile)[0, 0]) != (255, 0, 0)
