"""A person's choice among the pictures of an earlier run: that one is judged and restored, and no model is called."""

from __future__ import annotations

from dataclasses import dataclass

from function.errors import ErrorCode, PermanentError, SourceError
from function.generation.models import model_table
from function.pipeline.attempts import analysed, read_answer
from function.pipeline.context import Candidate, PairContext
from function.sidecar.pair import Sidecar


class PickedAttemptGoneError(PermanentError):
    """The attempt that was picked is not stored any more. Retryable, so that the picture that stands is kept."""

    code, stage, retryable = ErrorCode.SOURCE_MISSING, "generate", True


@dataclass(frozen=True)
class Picked:
    """The model's own picture of one attempt, the sidecar that lists it, and the model that was asked for it."""

    attempt: int
    picture: bytes
    earlier: Sidecar
    model: str | None


def use_earlier_model(pair: PairContext, picked: Picked) -> None:
    """Use the frame that the picture was asked for in. Raises PickedAttemptGoneError where that is unknown."""
    if picked.model is None:
        raise PickedAttemptGoneError(
            "the earlier run does not say which model was asked; ask for a new picture instead"
        )
    pair.model = model_table().find(picked.model)


def judge_picked(pair: PairContext, picked: Picked) -> None:
    """The picked picture as the best one, with today's verdict on it. Raises PickedAttemptGoneError where it cannot be
    read."""
    if any(one.number == picked.attempt and one.method == "sketch" for one in picked.earlier.attempts):
        raise PickedAttemptGoneError(
            f"attempt {picked.attempt} relit a product that had been placed in the scene, at a place that is not "
            "stored; ask for a new picture instead"
        )
    try:
        picture, analysis, judgement = analysed(pair, picked.picture, None)
    except SourceError as error:
        raise PickedAttemptGoneError(
            f"the picture of attempt {picked.attempt} cannot be read: {error.message}"
        ) from None
    pair.best = Candidate(picture, analysis, judgement, ingredient=read_answer(pair, picked.picture))
