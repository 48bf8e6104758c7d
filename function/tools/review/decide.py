"""A person's decisions, written to the pictures in the bucket as custom metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from function.deadline import Deadline
from function.delivery.outputs import GENERATION_KEY
from function.storage.client import Forbidden, NotFound, Storage
from function.storage.names import split_gs_uri
from function.tools.review.pair import DECISION_KEY, DECISIONS, is_gs_uri
from function.tools.timeouts import CALL_S

WRITERS = 16  # each waits for two small calls

Outcome = Literal["written", "replaced", "missing", "elsewhere", "forbidden"]


@dataclass(frozen=True)
class Decision:
    """`decision` is one of DECISIONS, or None to take an earlier one back."""

    result_uri: str
    manifest_generation: str
    decision: str | None


class DecisionsInvalid(ValueError):
    """The file is not what the review page downloads."""


def read_decisions(path: Path) -> list[Decision]:
    """The decisions that a review page has exported as JSON. Raises DecisionsInvalid, OSError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DecisionsInvalid(f"{path} is not JSON: {error}") from None
    rows = document.get("decisions") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise DecisionsInvalid(f"{path} has no list of decisions: download it as JSON from the page")
    return [_decision(number, row) for number, row in enumerate(rows, start=1)]


def _decision(number: int, row: object) -> Decision:
    row = row if isinstance(row, dict) else {}
    uri, decision = row.get("result"), row.get("decision")
    if decision is not None and decision not in DECISIONS:
        raise DecisionsInvalid(f"decision {number}: {decision!r} is none of {', '.join(DECISIONS)}")
    if not isinstance(uri, str) or not is_gs_uri(uri):
        raise DecisionsInvalid(f"decision {number}: result {uri!r} is not gs://bucket/name")
    return Decision(uri, str(row.get("manifest_generation") or ""), decision)


def write_decisions(decisions: list[Decision], target: str, storage: Storage) -> Iterator[tuple[Decision, Outcome]]:
    """Write each to its result, where that is under `target` (gs://bucket or gs://bucket/prefix) → what became of it.

    A picture that was made anew since it was judged keeps no decision about its predecessor. Raises ValueError for
    a bad target, StorageUnavailable.
    """
    bucket, prefix = split_gs_uri(target)

    def write(decision: Decision) -> Outcome:
        place, name = split_gs_uri(decision.result_uri)
        if place != bucket or not name.startswith(prefix):
            return "elsewhere"
        return _write(storage, bucket, name, decision)

    with ThreadPoolExecutor(WRITERS) as writers:
        yield from zip(decisions, writers.map(write, decisions), strict=True)


def _write(storage: Storage, bucket: str, name: str, decision: Decision) -> Outcome:
    deadline = Deadline(CALL_S)
    try:
        there = storage.stat(bucket, name, deadline)
        if there is None:
            return "missing"
        judged = decision.manifest_generation
        if judged and there.metadata.get(GENERATION_KEY) != judged:
            return "replaced"
        if (there.metadata.get(DECISION_KEY) or None) != decision.decision:
            storage.update_metadata(bucket, name, {DECISION_KEY: decision.decision}, deadline)
    except NotFound:
        return "missing"
    except Forbidden:
        return "forbidden"
    return "written"
