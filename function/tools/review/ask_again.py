"""Has a pair made again with a person's words, or another of its attempts restored: a new generation of its manifest.

The usual events do the rest, so that the caps hold, and nothing is done twice.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError

from function.deadline import Deadline
from function.delivery.outputs import MAX_SIDECAR_BYTES
from function.delivery.persons_request import (
    ASKED_AT_KEY,
    ASKED_BY_KEY,
    ASKED_KEY,
    MAX_NAME_CHARS,
    PICK_KEY,
    REDONE_KEY,
    UPLOADED_KEY,
    times_redone,
)
from function.errors import CompositeError
from function.manifest.json_text import parse_json
from function.manifest.model import Manifest
from function.manifest.parse import MAX_MANIFEST_BYTES
from function.manifest.text import text_of
from function.sidecar.pair import Sidecar
from function.storage.client import (
    AccessDeniedError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    PreconditionFailedError,
    Storage,
    StoredObject,
)
from function.storage.content_encoding import DamagedContentError
from function.storage.names import split_gs_uri
from function.tools.review.decisions import MAX_SEED, ONLY_PRODUCT, Decision
from function.tools.timeouts import CALL_S

Outcome = Literal[
    "written",
    "replaced",
    "missing",
    "no_manifest",
    "no_product",
    "forbidden",
    "waiting",
    "not_kept",
    "unreadable",
    "too_long",
]


SAID_BY_BOX = ("box", "mask", "height_cm", "scene_cm_per_px", "reference")  # of a placement: where, and how large


class ImpossibleRequestError(Exception):
    """It cannot be asked for; `outcome` says why."""

    def __init__(self, outcome: Outcome):
        super().__init__(outcome)
        self.outcome = outcome


def ask_again(storage: Storage, bucket: str, decision: Decision, by: str) -> Outcome:
    """Carry out a redo or a pick about a pair in the output `bucket` → what became of it. Raises
    StorageUnavailableError."""
    deadline = Deadline(CALL_S)
    try:
        sidecar = read_sidecar(storage, bucket, decision.sidecar, deadline)
        if decision.decision == "pick":
            _check_kept(storage, sidecar, decision.attempt, deadline)
        return _write(storage, sidecar, decision, by, deadline)
    except ImpossibleRequestError as problem:
        return problem.outcome
    except AccessDeniedError:
        return "forbidden"


def read_sidecar(storage: Storage, bucket: str, name: str, deadline: Deadline) -> Sidecar:
    """The pair's sidecar. Raises ImpossibleRequestError, AccessDeniedError, StorageUnavailableError."""
    try:
        return Sidecar.model_validate_json(storage.read(bucket, name, deadline, limit=MAX_SIDECAR_BYTES))
    except ObjectNotFoundError:
        raise ImpossibleRequestError("missing") from None
    except (ObjectTooLargeError, DamagedContentError, ValidationError):
        raise ImpossibleRequestError("unreadable") from None


def _check_kept(storage: Storage, sidecar: Sidecar, attempt: int | None, deadline: Deadline) -> None:
    chosen = next((one for one in (*sidecar.attempts, *sidecar.earlier) if one.number == attempt and one.answer), None)
    if chosen is None or chosen.answer is None or storage.stat(*split_gs_uri(chosen.answer.uri), deadline) is None:
        raise ImpossibleRequestError("not_kept")


def _write(storage: Storage, sidecar: Sidecar, decision: Decision, by: str, deadline: Deadline) -> Outcome:
    manifest = sidecar.manifest
    if manifest is None:
        raise ImpossibleRequestError("unreadable")
    judged = decision.manifest_generation
    if judged and judged != str(manifest.generation):
        return "replaced"
    live = storage.stat(manifest.bucket, manifest.name, deadline)
    if live is None:
        return "no_manifest"
    if live.generation != manifest.generation:
        return "waiting"
    try:
        body = storage.read(
            manifest.bucket, manifest.name, deadline, generation=live.generation, limit=MAX_MANIFEST_BYTES
        )
        content = body if decision.decision == "pick" else asked_again(body, decision)
        storage.write(
            manifest.bucket, manifest.name, content, "application/json", deadline,
            if_generation=live.generation, metadata=_metadata(live, body, decision, by),
        )  # fmt: skip
    except (PreconditionFailedError, ObjectNotFoundError):
        return "waiting"
    except (ObjectTooLargeError, DamagedContentError):
        return "unreadable"
    return "written"


def asked_again(body: bytes, decision: Decision) -> bytes:
    """The manifest with what the person changed, and a seed of its own. Raises ImpossibleRequestError when it is no
    manifest."""
    try:
        fields: dict[str, Any] = parse_json(text_of(body))
        fields["feedback"] = decision.feedback
        if not decision.feedback:
            del fields["feedback"]
        fields["seed"] = secrets.randbelow(MAX_SEED) if decision.seed is None else decision.seed
        if decision.placement:
            exact = fields.get("placement")  # a box and the like stay, unless another one is drawn
            words = {"words": decision.placement}
            fields["placement"] = exact | words if isinstance(exact, dict) else decision.placement
        for name, box in decision.boxes.items():
            _put_box(_product(fields, name), box)
        if decision.attempts is not None:
            fields["attempts"] = decision.attempts
        Manifest.model_validate(fields)
    except (ValueError, TypeError, CompositeError):
        raise ImpossibleRequestError("unreadable") from None
    return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()


def _product(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """The part of a manifest's `fields` whose placement is that of the product. Raises ImpossibleRequestError."""
    named = {one["name"]: one for one in fields.get("products") or ()} or {ONLY_PRODUCT: fields}
    if name not in named:
        raise ImpossibleRequestError("no_product")
    found: dict[str, Any] = named[name]
    return found


def _put_box(placed: dict[str, Any], box: list[float]) -> None:
    """The person has drawn where the product stands and how large it is: what said so before goes, the rest stays."""
    asked = placed.get("placement") or {}
    asked = {"words": asked} if isinstance(asked, str) else asked
    placed["placement"] = {name: value for name, value in asked.items() if name not in SAID_BY_BOX} | {"box": box}


def _metadata(live: StoredObject, body: bytes, decision: Decision, by: str) -> dict[str, str]:
    """What stood there, and what is asked for now. The manifest as it was uploaded is remembered by its digest, so that
    the same upload again, or the same row of a catalogue, does not take it back."""
    metadata = {key: value for key, value in live.metadata.items() if key != PICK_KEY}
    redone = times_redone(live.metadata) + (decision.decision == "redo")
    metadata |= {
        ASKED_KEY: decision.decision or "",
        ASKED_BY_KEY: (decision.by or by)[:MAX_NAME_CHARS],
        ASKED_AT_KEY: (decision.decided or datetime.now(UTC)).isoformat(timespec="seconds"),
        REDONE_KEY: str(redone),
        UPLOADED_KEY: live.metadata.get(UPLOADED_KEY) or hashlib.sha256(body).hexdigest(),
    }
    return metadata | ({PICK_KEY: str(decision.attempt)} if decision.decision == "pick" else {})
