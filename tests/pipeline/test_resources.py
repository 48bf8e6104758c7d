"""What a pair holds of the process: given back at its end, and taken in the one order that cannot deadlock."""

from __future__ import annotations

import threading

import pytest

from function.deadline import Deadline
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.resources import PairResources
from tests.support import PATIENCE_S


def test_background_work_is_waited_for_before_memory_is_taken():
    """The work asks for memory itself: with one worker's slot it would never get it from one who waits for it."""
    budget, may_begin = MemoryBudget(100, workers=1), threading.Event()
    with PairResources(budget, Deadline(PATIENCE_S)) as resources:

        def background():
            may_begin.wait(PATIENCE_S)
            with resources.pixels(10):
                return "done"

        future = resources.submit(background)
        with resources.pixels(10), pytest.raises(RuntimeError, match="before taking working memory"):
            resources.result(future)
        may_begin.set()
        assert resources.result(future) == "done"
        with resources.pixels(10):
            assert resources.result(future) == "done"  # it is done: nobody waits


def test_what_is_retained_is_given_back_at_the_end_of_the_pair():
    budget = MemoryBudget(100, 1, retained_bytes=50)
    with PairResources(budget, Deadline(PATIENCE_S)) as first:
        assert first.retain(30) and first.retain(20) and not first.retain(1)
        assert not PairResources(budget, Deadline(PATIENCE_S)).retain(30)
    assert PairResources(budget, Deadline(PATIENCE_S)).retain(50)


def test_the_end_of_a_pair_waits_for_its_background_and_drops_what_has_not_begun():
    began, may_end, ran = threading.Event(), threading.Event(), []
    resources = PairResources(MemoryBudget(100, 1), Deadline(PATIENCE_S))
    with resources:
        resources.submit(lambda: (began.set(), may_end.wait(PATIENCE_S), ran.append(1)))
        never = resources.submit(lambda: ran.append(2))
        began.wait(PATIENCE_S)
        threading.Timer(0.05, may_end.set).start()
    assert ran == [1] and never.cancelled()
