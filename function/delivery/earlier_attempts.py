"""Pictures from before a pair was made again, which a person may still pick: carried from sidecar to sidecar."""

from __future__ import annotations

from function.delivery.outputs import OutputWriter
from function.delivery.services import Delivery
from function.manifest.placement import is_mask_field
from function.pipeline.fetch import Source
from function.pipeline.record import RunRecord
from function.sidecar.attempts import RUN_STEP, EarlierAttempt
from function.sidecar.pair import Sidecar

MAX_EARLIER = 12  # a record has about 4 KB; the pictures themselves are deleted after a week


def earlier_attempts(
    delivery: Delivery, sidecar_name: str, record: RunRecord, sources: dict[str, Source]
) -> list[EarlierAttempt]:
    """Of the runs before the one that `record.person` has asked for; none where no person has.

    Only what the model placed itself, in the same scene and with the same photographs, can be restored once more.
    Raises StorageUnavailableError.
    """
    existing = OutputWriter(delivery).read_sidecar(sidecar_name) if record.person else None
    if record.person is None or existing is None or existing.manifest is None:
        return []
    if record.person.asked == "pick" or existing.manifest.generation >= delivery.upload.generation:
        return existing.earlier
    if not _has_sources(existing, sources):
        return []
    model, run = existing.model, record.person.redone
    if model is None:
        return existing.earlier
    own = [
        EarlierAttempt(**dict(one) | {"number": RUN_STEP * run + one.number, "model": model.id})
        for one in existing.attempts
        if one.answer is not None and one.purpose == "composite" and one.method == "model"
    ]
    return [*existing.earlier, *own][-MAX_EARLIER:]


def _has_sources(existing: Sidecar, sources: dict[str, Source]) -> bool:
    inputs = existing.inputs
    if inputs.scene is None or "scene" not in sources:  # a scene made from text is another one each time
        return False
    photographs = inputs.views or [one for one in [inputs.product] if one]
    before = [inputs.scene.sha256, *(one.sha256 for one in photographs)]
    now = (source.sha256 for field, source in sources.items() if field != "scene" and not is_mask_field(field))
    return before == [sources["scene"].sha256, *now]
