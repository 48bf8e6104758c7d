"""A person's decisions, written to the pictures in the bucket as custom metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from function.deadline import Deadline
from function.delivery.cloud_event import MANIFEST_SUFFIX
from function.delivery.outputs import GENERATION_KEY, STATUS_KEY
from function.storage.client import Forbidden, NotFound, Storage
from function.storage.names import is_object_uri, split_gs_uri
from function.tools.review.pair import DECIDED_AT_KEY, DECIDED_BY_KEY, DECISION_KEY, DECISIONS
from function.tools.timeouts import CALL_S

WRITERS = 16  # each waits for two small calls

MAX_NAME_CHARS = 200  # of who decided

Outcome = Literal["written", "replaced", "missing", "no_result", "elsewhere", "forbidden"]


@dataclass(frozen=True)
class Decision:
    """`decision` is one of DECISIONS, or None to take an earlier one back. `decided`: when, if the file says so."""

    result_uri: str
    manifest_generation: str
    decision: str | None
    decided: datetime | None = None


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
    if not isinstance(uri, str) or not uri.startswith("gs://"):
        raise DecisionsInvalid(f"decision {number}: result {uri!r} is not gs://bucket/name")
    return Decision(uri, str(row.get("manifest_generation") or ""), decision, _time(row.get("decided")))


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None


def write_decisions(
    decisions: list[Decision], target: str, storage: Storage, by: str
) -> Iterator[tuple[Decision, Outcome]]:
    """Write each to its result, where that is under `target` (gs://bucket or gs://bucket/prefix) → what became of it.

    `by` is who decided. A decision that stands there already keeps whose it was, and when.

    A picture that was made anew since it was judged keeps no decision about its predecessor. Raises ValueError for
    a bad target, StorageUnavailable.
    """
    bucket, prefix = split_gs_uri(target)

    def write(decision: Decision) -> Outcome:
        if not is_object_uri(decision.result_uri):
            return "missing"
        place, name = split_gs_uri(decision.result_uri)
        if place != bucket or not name.startswith(prefix):
            return "elsewhere"
        return _write(storage, bucket, name, decision, by)

    with ThreadPoolExecutor(WRITERS) as writers:
        yield from zip(decisions, writers.map(write, decisions), strict=True)


def _write(storage: Storage, bucket: str, name: str, decision: Decision, by: str) -> Outcome:
    deadline = Deadline(CALL_S)
    try:
        stored = storage.stat(bucket, name, deadline)
        if stored is None:
            return "missing"
        if name.endswith(MANIFEST_SUFFIX) or not {STATUS_KEY, GENERATION_KEY} <= stored.metadata.keys():
            return "no_result"
        judged = decision.manifest_generation
        if judged and stored.metadata[GENERATION_KEY] != judged:
            return "replaced"
        if (stored.metadata.get(DECISION_KEY) or None) != decision.decision:
            storage.update_metadata(bucket, name, _metadata(decision, by), deadline)
    except NotFound:
        return "missing"
    except Forbidden:
        return "forbidden"
    return "written"


def _metadata(decision: Decision, by: str) -> dict[str, str | None]:
    """What the picture says of it from now on; a decision that is taken back leaves nothing."""
    if decision.decision is None:
        return {DECISION_KEY: None, DECIDED_BY_KEY: None, DECIDED_AT_KEY: None}
    decided = decision.decided or datetime.now(UTC)
    return {
        DECISION_KEY: decision.decision,
        DECIDED_BY_KEY: by[:MAX_NAME_CHARS],
        DECIDED_AT_KEY: decided.isoformat(timespec="seconds"),
    }
