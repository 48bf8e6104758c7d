"""Credentials of a file → what they say, and whether they hold. A broken one is a note, never a failure."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

from function.imaging.metadata_bytes import metadata_bytes
from function.provenance.ingredient import Ingredient
from function.provenance.sandbox import ChildFailedError, LibraryMissingError, Sandbox
from function.provenance.stored_credentials import STORE, stored_credentials
from function.sidecar.files import ProvenanceRecord

logger = logging.getLogger(__name__)

READ_S = 10.0  # a file of 50 MiB takes 0.1 s
MAX_ARCHIVE_BYTES = 2**20  # of credentials that are carried on; with a picture of each step they may be larger
PLACE_LEFT_OUT = "they say where it was taken: that is not carried on"
# XMP's pointer to credentials that lie elsewhere (C2PA 2.2, 11.5). Nothing is fetched that a stranger's file names.
ELSEWHERE = re.compile(rb"dcterms:provenance\s*(=\s*[\"']|>)")
TEST_ISSUER = "TEST certificate of Product composites, not to be trusted"


def read_ingredient(content: bytes, plain: Ingredient, sandbox: Sandbox, within_s: float) -> Ingredient:
    """The `plain` source or answer, with its credentials where it has any. `within_s`: what is left of the event's
    time."""
    searched = metadata_bytes(content)
    if STORE not in searched:
        return replace(plain, found=_named_elsewhere(searched))
    request = {"do": "read", "mime": plain.mime_type, "ingredient": plain.definition()}
    files = {"path": content, "archive": b""}
    try:
        answer, archive = sandbox.run(request, files, min(READ_S, within_s), returns="archive")
    except LibraryMissingError as missing:
        return _unread(content, plain, missing)
    except ChildFailedError as failed:
        logger.warning(
            "the credentials of the %s cannot be read: %s", plain.role, failed, extra={"stage": "provenance"}
        )
        return replace(plain, found=ProvenanceRecord(state="unreadable", note=str(failed)))
    found, places = record_of(answer["found"], len(archive)), answer["found"]["places"]
    note = PLACE_LEFT_OUT if places else ""
    if len(archive) > MAX_ARCHIVE_BYTES:
        note = f"they have {len(archive):,} bytes; up to {MAX_ARCHIVE_BYTES:,} are carried on"
    elif "" in places:
        note = "they say where it was taken, in a part that cannot be left out, and are not carried on"
    if note:
        found = found.model_copy(update={"note": "; ".join(filter(None, (found.note, note)))})
    if note not in ("", PLACE_LEFT_OUT):
        return replace(plain, found=found)
    return replace(plain, found=found, archive=archive, places=tuple(places))


def _unread(content: bytes, plain: Ingredient, missing: LibraryMissingError) -> Ingredient:
    store = stored_credentials(content, MAX_ARCHIVE_BYTES)
    kept = "kept as they are" if store else "not kept: large, cut off, or they may say where it was taken"
    found = ProvenanceRecord(state="unreadable", bytes=len(store or b""), note=f"not read: {missing}; {kept}")
    return replace(plain, found=found, archive=store)


def read_file(content: bytes, mime_type: str, sandbox: Sandbox) -> ProvenanceRecord | None:
    """What a file's credentials say; None where it has none."""
    searched = metadata_bytes(content)
    if STORE not in searched:
        return _named_elsewhere(searched)
    try:
        answer, _ = sandbox.run({"do": "read", "mime": mime_type}, {"path": content}, READ_S)
    except ChildFailedError as failed:
        return ProvenanceRecord(state="unreadable", note=str(failed))
    return record_of(answer["found"])


def record_of(found: dict[str, Any], size: int = 0) -> ProvenanceRecord:
    """What a child has found, as the sidecar holds it."""
    notes = [f"does not hold: {', '.join(found['failed'])}"] if found["failed"] else []
    notes += [f"its time stamp does not hold: {', '.join(found['bad_time'])}"] if found["bad_time"] else []
    return ProvenanceRecord(
        state="valid" if found["valid"] else "invalid",
        issuer=found["issuer"],
        generator=found["generator"],
        time=found["time"],
        claims=found["claims"],
        ingredients=found["ingredients"],
        test=found["issuer"] == TEST_ISSUER,
        bytes=size,
        note="; ".join(notes),
    )


def _named_elsewhere(searched: bytes) -> ProvenanceRecord | None:
    if not ELSEWHERE.search(searched):
        return None
    return ProvenanceRecord(state="elsewhere", note="the file names an address of its credentials; nothing is fetched")
