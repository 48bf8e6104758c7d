"""A check passes on its side of the threshold, and never on what is no number."""

from __future__ import annotations

import math

import pytest

from function.judging.check import Check, at_least, at_most, not_measured


@pytest.mark.parametrize(("value", "passed"), [(0.49, False), (0.5, True), (0.51, True)])
def test_the_threshold_itself_passes_from_below(value, passed):
    assert at_least(value, 0.5, "stops", good="Good.", bad="Bad.") == Check(
        value, 0.5, passed, "stops", "Good." if passed else "Bad."
    )


@pytest.mark.parametrize(("value", "passed"), [(0.49, True), (0.5, True), (0.51, False)])
def test_the_threshold_itself_passes_from_above(value, passed):
    assert at_most(value, 0.5, "stops", good="Good.", bad="Bad.").passed is passed


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("compare", [at_least, at_most])
def test_what_is_no_number_fails_and_is_not_written(compare, value):
    check = compare(value, 0.5, "stops", good="Good.", bad="Bad.")
    assert check == Check(None, 0.5, False, "stops", "Bad.")


def test_the_rounded_value_does_not_decide():
    assert not at_most(0.50001, 0.5, "", good="", bad="").passed


@pytest.mark.parametrize("passed", [True, False])
def test_what_was_not_measured_has_no_value(passed):
    assert not_measured("stops", "Why.", passed=passed) == Check(None, None, passed, "stops", "Why.")
