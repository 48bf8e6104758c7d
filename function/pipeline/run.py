"""The steps of one pair, in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from function.errors import NoModelAvailableError
from function.generation.model_chain import SkippedCandidate
from function.generation.models import model_table
from function.generation.provider import ModelNotFoundError
from function.pipeline.attempts import choose_candidate
from function.pipeline.context import Composite, PairContext
from function.pipeline.decode import decode_sources
from function.pipeline.finish import finish_bytes, make_results, restore_result
from function.pipeline.generate_scene import generate_scene
from function.pipeline.memory_budget import Priority
from function.pipeline.picked import Picked, judge_picked, use_earlier_model
from function.pipeline.prepare import decode_scene_in_background, prepare_inputs

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """One step: a name, what does it, and the stage that its time counts towards (None: it times its own)."""

    name: str
    run: Callable[[PairContext], None]
    stage: str | None = None


READING = (
    Step("decode the sources", decode_sources, "prepare"),
    Step("prepare the model's inputs", prepare_inputs, "prepare"),
    Step("decode the scene in the background", decode_scene_in_background),
)
FOR_EACH_MODEL = (
    Step("generate the scene", generate_scene),
    *READING,
    Step("generate and judge", choose_candidate),
)
WITH_THE_BEST = (
    Step("restore", restore_result, "restore"),
    Step("make the results", make_results, "encode"),
)


def run_pair(pair: PairContext, picked: Picked | None = None) -> Composite:
    """One pair from its sources, which are let go once they are decoded, to encoded pictures: of the best of those that
    the model is asked for, or the one that a person has picked.

    Raises CompositeError; `pair.record` gathers what the sidecar says, and so tells how far it got.
    """
    with pair.resources as resources:
        if picked is None:
            _ask_first_available(pair)
        else:
            _take(pair, picked)
        pair.decoded_sources().scene.join()
        with resources.pixels(finish_bytes(pair), Priority.FINISH):
            run_steps(WITH_THE_BEST, pair)
    return pair.composite


def run_steps(steps: Sequence[Step], pair: PairContext) -> None:
    """Each step in turn. Raises DeadlineExceededError between two when the time is used up."""
    for step in steps:
        pair.deadline.clamp(pair.deadline.seconds, step.stage or "generate")
        if step.stage is None:
            step.run(pair)
        else:
            with pair.record.stage(step.stage):
                step.run(pair)


def _take(pair: PairContext, picked: Picked) -> None:
    """Run the steps for the picture that was picked."""
    use_earlier_model(pair, picked)
    run_steps((*READING, Step("judge what was picked", lambda pair: judge_picked(pair, picked))), pair)


def _ask_first_available(pair: PairContext) -> None:
    """Run the steps for the first model of the chain that answers. Raises NoModelAvailableError when none does."""
    chain, skipped = pair.models.candidates(pair.manifest.model)
    for model_id in chain:
        pair.model = model_table().find(model_id)
        pair.record.use_model(pair.model, pair.requested_model, skipped)
        try:
            run_steps(FOR_EACH_MODEL, pair)
            return
        except ModelNotFoundError as missing:
            pair.models.note_missing(model_id)
            skipped.append(SkippedCandidate(model_id, missing.message))
    reasons = "; ".join(f"{one.id}: {one.reason}" for one in skipped)
    logger.error(
        "no model can be reached",
        extra={"error_code": NoModelAvailableError.code.value, "stage": "generate", "reasons": reasons},
    )
    raise NoModelAvailableError(
        f"no model of the chain can be reached ({reasons}); `python -m function doctor` says what to do"
    )
