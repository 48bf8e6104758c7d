"""Values of a sidecar of any version, read as the type that the page needs."""

import math

import pytest

from function.tools.review.values import TEXT_CHARS, as_dict, as_list, as_number, as_text


def test_a_value_of_the_right_type_is_passed_on():
    assert as_dict({"a": 1}) == {"a": 1} and as_list([1, 2]) == [1, 2]
    assert as_number(3) == 3 and as_number(0.5) == 0.5 and as_text("label") == "label"


@pytest.mark.parametrize("value", [None, "4", True, math.nan, math.inf, -math.inf, 1e15, [4], {"four": 4}])
def test_what_javascript_cannot_hold_as_a_number_is_none(value):
    assert as_number(value) is None


@pytest.mark.parametrize("value", [None, 4, "text", True])
def test_another_type_counts_as_missing(value):
    assert as_dict(value) == {} and as_list(value) == []
    assert as_dict([]) == {} and as_list({}) == []


def test_text_is_cut_to_what_a_page_has_room_for():
    assert as_text("x" * 2 * TEXT_CHARS) == "x" * TEXT_CHARS
    assert (as_text(None), as_text(0), as_text(False)) == ("", "0", "False")
