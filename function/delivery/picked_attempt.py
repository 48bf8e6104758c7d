"""Finds the picture that a person has picked among the attempts of the run whose sidecar still stands."""

from __future__ import annotations

import hashlib

from function.delivery.outputs import OutputWriter
from function.delivery.services import Delivery
from function.generation.answer_store import AnswerStore
from function.pipeline.fetch import Source
from function.pipeline.picked import Picked, PickedAttemptGoneError
from function.pipeline.record import RunRecord
from function.sidecar.attempts import EarlierAttempt


def find_picked(
    delivery: Delivery, store: AnswerStore, sidecar_name: str, record: RunRecord, sources: dict[str, Source]
) -> Picked | None:
    """The attempt that `record.person` asks for; None where no attempt is.

    What was paid for stays in `record` also where the pick cannot be carried out. A scene that was made from text is
    added to `sources`. Raises PickedAttemptGoneError, StorageUnavailableError.
    """
    number = record.person.attempt if record.person else None
    if number is None:
        return None
    earlier = OutputWriter(delivery).read_sidecar(sidecar_name)
    attempts = [*earlier.attempts, *earlier.earlier] if earlier else []
    chosen = next((one for one in attempts if one.number == number and one.answer is not None), None)
    if earlier is None or chosen is None or chosen.answer is None:
        raise PickedAttemptGoneError(f"there is no picture of an attempt {number} to pick; ask for a new one instead")
    record.model, record.attempts, record.earlier_cost = earlier.model, list(earlier.attempts), earlier.cost
    record.prompt_version = earlier.prompt_version or record.prompt_version
    model = earlier.model.id if earlier.model else None
    if isinstance(chosen, EarlierAttempt):
        model = chosen.model
        record.model = earlier.model and earlier.model.model_copy(update={"id": model})
    picture = store.read_picture(chosen.answer.uri, delivery.deadline)
    if picture is None or hashlib.sha256(picture).hexdigest() != chosen.answer.sha256:
        raise PickedAttemptGoneError(
            f"the picture of attempt {number} is not stored any more; ask for a new one instead"
        )
    scene = earlier.inputs.scene
    if "scene" not in sources and scene is not None:
        made = store.read_picture(scene.uri, delivery.deadline)
        if made is None:
            raise PickedAttemptGoneError(
                "the scene that was made from text is not stored any more; ask for a new picture instead"
            )
        sources["scene"] = Source(scene.uri, None, made)
    return Picked(number, picture, earlier, model)
