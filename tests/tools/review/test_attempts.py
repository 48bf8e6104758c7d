"""Attempts and checks of a sidecar, as the page shows them."""

import pytest

from function.judging.registry import BY_NAME
from function.tools.review.attempts import answer_record, attempt_data, check_data, shown_attempt
from function.tools.review.pictures import Picture


@pytest.mark.parametrize(
    ("check", "limit"),
    [
        ({"value": 3.0, "threshold": 6.0, "passed": True}, "most"),
        ({"value": 9, "threshold": 5, "passed": False}, "most"),
        ({"value": 0.4, "threshold": 0.6, "passed": False}, "least"),
        ({"value": 5, "threshold": 5, "passed": True}, None),
        ({"value": None, "threshold": 5, "passed": True}, None),
        ({"value": 3, "threshold": 5, "passed": "yes"}, None),
    ],
)
def test_a_limit_is_the_least_or_the_most_that_passes(check, limit):
    assert check_data("label_kept", check)["limit"] == limit


def test_a_failed_check_says_what_the_next_attempt_is_told():
    failed, passed = (check_data("label_kept", {"passed": outcome}) for outcome in (False, True))
    assert (failed["title"], failed["lesson"]) == ("Label kept", BY_NAME["label_kept"].lesson)
    assert passed["lesson"] == "" == check_data("of_another_version", {"passed": False})["lesson"]


def test_an_attempt_has_its_picture_and_the_checks_that_failed():
    attempt = {"number": 2, "checks": {"label_kept": {"passed": False}, "no_halo": {"passed": True}, "odd": "x"}}
    pictures = {1: Picture((8, 8)), 2: Picture((640, 360), thumb="two.webp")}
    shown = attempt_data(attempt, pictures)
    assert (shown["failed"], shown["picture"]["thumb"]) == (["Label kept"], "two.webp")
    assert attempt_data({"number": True}, pictures)["picture"] is None


def test_the_shown_attempt_is_the_one_that_was_picked_or_has_the_results_checks():
    checks = {"label_kept": {"passed": True}}
    attempts = [{"number": 1, "checks": {}}, {"number": 2, "checks": checks}]
    assert shown_attempt({"attempts": attempts, "checks": checks}) == 2
    assert shown_attempt({"attempts": attempts, "checks": checks, "person": {"attempt": 1}}) == 1
    assert shown_attempt({"attempts": attempts, "checks": {}}) is None


def test_the_answer_of_an_earlier_delivery_is_found_by_its_number():
    sidecar = {"attempts": [{"number": 1, "answer": "new"}], "earlier": [{"number": 7, "answer": "old"}]}
    assert [answer_record(sidecar, number) for number in (1, 7, 3)] == ["new", "old", None]
