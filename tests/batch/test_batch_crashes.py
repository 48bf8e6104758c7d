"""The process dies between any two requests to storage: nothing is lost, and nothing is asked for twice."""

from __future__ import annotations

import random

import pytest

from tests.tiers import exhaustive

STEPS = ("wait", "sweep", "collect", "close")
DEATHS = 2  # by default; with --full one at every request


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # threads of the dead die too
@pytest.mark.parametrize(("step", "everywhere"), [("sweep", False), *exhaustive(*((step, True) for step in STEPS))])
def test_a_process_that_dies_at_any_request_loses_nothing_and_pays_for_nothing_twice(story, step, everywhere):
    lived, at = False, 0
    while not lived and (everywhere or at < DEATHS):
        at += 1
        story.begin()
        if step != "wait":
            assert story.life(story.wait)
        if step in ("collect", "close"):
            story.wait_for_results()
        if step == "close":
            assert story.life(story.collect)
        dies_at = at if everywhere else random.randrange(at, 12 * at)
        lived = story.life(getattr(story, "sweep" if step == "close" else step), dies_at)
        story.finish()
        story.check()
    assert at > 1
