"""The geometry between scene, sent picture and answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.imaging.frame import fit_within, nearest_ratio, plan_letterbox

NATIVE = {"1:1": (1024, 1024), "16:9": (1344, 768), "9:16": (768, 1344), "21:9": (1536, 672)}
sizes = st.tuples(st.integers(1, 6000), st.integers(1, 6000))


@given(sizes, st.integers(1, 4000))
def test_what_is_fitted_is_no_longer_than_allowed_and_never_enlarged(size, max_px):
    width, height = fit_within(size, max_px)
    assert 1 <= width <= min(size[0], max_px) and 1 <= height <= min(size[1], max_px)
    assert max(width, height) == min(max_px, max(size))


@pytest.mark.parametrize(
    ("size", "ratio"), [((500, 500), "1:1"), ((4000, 2250), "16:9"), ((90, 160), "9:16"), ((5000, 900), "21:9")]
)
def test_the_ratio_of_the_nearest_shape_is_chosen(size, ratio):
    assert nearest_ratio(size, NATIVE) == ratio


@given(sizes, st.integers(64, 1536))
def test_the_scene_lies_whole_and_centred_in_the_picture_sent(scene_size, max_px):
    frame = plan_letterbox(scene_size, NATIVE, max_px)
    x, y, width, height = frame.content_box
    assert frame.scene_size == scene_size and frame.native_size == NATIVE[frame.aspect_ratio]
    assert max(frame.sent_size) <= max_px
    assert 0 <= x == (frame.sent_size[0] - width) // 2 and 0 <= y == (frame.sent_size[1] - height) // 2


@given(sizes, sizes)
def test_the_content_box_is_as_large_a_part_of_an_answer_as_of_the_picture_sent(scene_size, answer_size):
    frame = plan_letterbox(scene_size, NATIVE, 768)
    box = frame.content_box_in(answer_size)
    for axis in (0, 1):
        assert box[axis] / answer_size[axis] == pytest.approx(frame.content_box[axis] / frame.sent_size[axis])
        assert box[axis + 2] / answer_size[axis] == pytest.approx(frame.content_box[axis + 2] / frame.sent_size[axis])
