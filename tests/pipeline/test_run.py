"""The steps: in their order, timed, and not begun when the time is used up."""

from __future__ import annotations

import pytest

from function.deadline import Deadline
from function.errors import DeadlineExceededError
from function.generation.model_chain import ModelChain
from function.manifest.parse import manifest_from
from function.pipeline.context import PairContext
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import Step, run_steps
from function.settings import Settings

ENVIRONMENT = {"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"}


def context(deadline: Deadline, environment=None, **fields) -> PairContext:
    settings = Settings.from_environment(ENVIRONMENT | (environment or {}))
    manifest = manifest_from({"product": "p", "scene": "s", **fields}, settings)
    resources = PairResources(MemoryBudget(100, 1), deadline)
    models = ModelChain(settings.model_chain, None)
    return PairContext(manifest, {}, None, settings, deadline, RunRecord(), resources, models)


def test_steps_run_in_their_order_and_count_towards_their_stage():
    ran = []
    pair = context(Deadline(30))
    run_steps([Step("a", lambda _: ran.append("a"), "restore"), Step("b", lambda _: ran.append("b"), "encode")], pair)
    assert ran == ["a", "b"]


def test_no_step_begins_when_the_time_is_used_up():
    ran, deadline = [], Deadline(30)
    pair = context(deadline)

    def use_all_of_it(_):
        ran.append("first")
        deadline._end = 0.0

    with pytest.raises(DeadlineExceededError) as caught:
        run_steps([Step("first", use_all_of_it), Step("second", lambda _: ran.append("second"), "encode")], pair)
    assert ran == ["first"] and caught.value.stage == "encode"


def test_a_scene_made_from_text_counts_as_one_picture_more():
    assert context(Deadline(1), attempts=2).max_calls == 2
    assert context(Deadline(1), attempts=2, scene={"prompt": "a table"}).max_calls == 3
