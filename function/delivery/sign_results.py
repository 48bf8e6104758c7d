"""The last step before a result is stored: its content credentials, where a signer is configured."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from function.deadline import Deadline
from function.errors import DeadlineExceededError
from function.pipeline.context import Composite, FinishedPicture
from function.pipeline.record import RunRecord
from function.provenance.claim import Making
from function.provenance.credentials import Credentials
from function.provenance.failures import SigningError
from function.sidecar.attempts import CheckRecord
from function.sidecar.files import ProvenanceRecord

logger = logging.getLogger(__name__)

SIGNED = "signed"  # the check of a picture that could not be signed


def sign_results(
    composite: Composite,
    record: RunRecord,
    credentials: Credentials,
    deadline: Deadline,
    generation: int | None,
    *,
    may_wait: bool,
) -> Composite:
    """The same with every picture signed; `generation` of the manifest, None over HTTP.

    Where a picture cannot be signed and another delivery may do better (`may_wait`), raises SigningError or
    DeadlineExceededError: the model's answer is stored, and is not paid for again. Else the pictures are delivered
    unsigned, to be reviewed.
    """
    if not credentials.signs:
        return composite
    making = _making(composite, record, generation)
    try:
        with record.stage("encode"):
            return replace(composite, pictures=tuple(_signed(composite, record, making, credentials, deadline)))
    except (SigningError, DeadlineExceededError) as failed:
        if may_wait:
            raise
        logger.error("delivered unsigned: %s", failed.message, extra={"stage": "sign"})
        reason = f"The picture carries no content credentials: {failed.message}"
        record.checks[SIGNED] = CheckRecord(value=0.0, threshold=1.0, passed=False, reason=reason)
        unsigned = ProvenanceRecord(state="unsigned", note=failed.message)
        return Composite("review", tuple(replace(one, provenance=unsigned) for one in composite.pictures))


def _signed(
    composite: Composite, record: RunRecord, making: Making, credentials: Credentials, deadline: Deadline
) -> Iterator[FinishedPicture]:
    scene = record.inputs.scene
    for picture in composite.pictures:
        shown = picture.shown[2:] if picture.shown else (scene.width, scene.height) if scene else picture.size
        cropped, resized = picture.shown is not None, picture.size != shown
        content, found = credentials.sign(
            picture.content, making, picture.mime_type, deadline, cropped=cropped, resized=resized
        )
        yield replace(picture, content=content, provenance=found)


def _making(composite: Composite, record: RunRecord, generation: int | None) -> Making:
    method, model, restoration = record.method or "model", record.model, record.restoration
    asked = method != "classical" and model is not None
    return Making(
        ingredients=list(record.ingredients.values()),
        method=method,
        model=model.id if model and asked else None,
        version=model.version if model and asked else None,
        prompt_version=record.prompt_version if asked else None,
        generation=generation,
        status=composite.status,
        restored=restoration.share if restoration and restoration.mode == "full" else None,
    )
