"""Places of a picture in pixels become shares of its sides, and what makes no sense is left out."""

import pytest

from function.tools.review.shares import changed_box, corners_of, is_same_shape, shares_of, undone_boxes
from tests.tools.review.samples import SIZE, make_pair


def test_the_box_is_a_share_of_the_scene():
    assert changed_box(make_pair().sidecar) == [0.4, 0.25, 0.2, 0.5]
    for box in (None, [1, 2, 3], [1, 2, "3", 4], "1234"):
        assert changed_box(make_pair(change={"box": box}).sidecar) is None


def test_a_box_that_leaves_the_scene_is_cut_to_it():
    assert changed_box(make_pair(change={"box": [-64, 0, 2 * SIZE[0], 36]}).sidecar) == [0.0, 0.0, 1.0, 0.1]


def test_what_was_undone_is_listed_without_boxes_that_make_no_sense():
    undone = [{"box": [64, 36, 128, 72]}, {"box": [1, 2, 3]}, {"box": [1, 2, None, 4]}, "nonsense"]
    assert undone_boxes(make_pair(undone=undone).sidecar) == [[0.1, 0.1, 0.2, 0.2]]
    assert undone_boxes({"undone": undone}) == []  # of a scene of unknown size


def test_corners_are_shares_of_the_result_and_may_lie_outside():
    corners = [[0, 0], [2 * SIZE[0], 0], [0, -SIZE[1] / 2]]
    assert corners_of(make_pair(restoration={"corners": corners}).sidecar) == [[0, 0], [2, 0], [0, -0.5]]


@pytest.mark.parametrize("corners", [None, [[0, 0], [1, 0]], [[0, 0], [1, 0], [0]], [[0, 0], [1e9, 0], [0, 1]]])
def test_corners_that_no_photograph_can_have_are_none(corners):
    assert corners_of(make_pair(restoration={"corners": corners}).sidecar) is None


def test_a_box_needs_four_numbers_and_a_size():
    assert shares_of([400, 300, 200, 300], (1000, 600)) == [0.4, 0.5, 0.2, 0.5]
    assert shares_of([400, 300, 200], (1000, 600)) is None
    assert shares_of([400, 300, 200, 300], (1000, None)) is None
    assert shares_of([400, 300, 200, 300], (0, 600)) is None


@pytest.mark.parametrize(
    ("size", "same"), [((320, 180), True), ((1281, 720), True), ((640, 400), False), ((None, 360), True)]
)
def test_two_sizes_are_one_shape_to_a_pixel(size, same):
    assert is_same_shape(size, SIZE) is same
