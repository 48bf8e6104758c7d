"""A person's decisions carried out: written to the pictures as custom metadata, or asked of the function."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from function.deadline import Deadline
from function.delivery.cloud_event import MANIFEST_SUFFIX
from function.delivery.output_metadata import GENERATION_KEY, STATUS_KEY
from function.delivery.persons_request import MAX_NAME_CHARS
from function.storage.client import AccessDeniedError, ObjectNotFoundError, Storage
from function.storage.names import is_object_uri, split_gs_uri
from function.tools.review.ask_again import Outcome as Asked
from function.tools.review.ask_again import ask_again
from function.tools.review.decisions import ASKED, Decision
from function.tools.review.pair import COMMENT_KEY, DECIDED_AT_KEY, DECIDED_BY_KEY, DECISION_KEY
from function.tools.timeouts import CALL_S

WRITERS = 16  # each waits for a few small calls
MAX_METADATA_BYTES = 8192  # Cloud Storage's own limit on the custom metadata of an object

Outcome = Asked | str

OUTCOMES_SAID = {
    "written": "written",
    "replaced": "made again since the decision: look again",
    "missing": "not there any more",
    "no_result": "not a result that the function has written",
    "elsewhere": "not under the address that was given",
    "forbidden": "this identity may not change it",
    "no_product": "its manifest has no product of this name",
    "no_manifest": "its manifest was deleted: upload it again",
    "waiting": "it is being made again already: wait for its picture",
    "not_kept": "that attempt's picture is not stored any more (a week is the most): ask for a new one with --redo",
    "unreadable": "its sidecar or its manifest cannot be read",
    "too_long": "its labels leave no room for so long a comment",
}


def write_decisions(
    decisions: list[Decision], target: str, storage: Storage, by: str
) -> Iterator[tuple[Decision, Outcome]]:
    """Carry out each that is about a pair under `target` (gs://bucket or gs://bucket/prefix) → what became of it.

    `by` is who decided, where the decision itself does not say. A decision that is stored already keeps its author
    and its time. A picture that was made again since the decision keeps no decision about its predecessor. Raises
    ValueError for a bad target, StorageUnavailableError.
    """
    bucket, prefix = split_gs_uri(target)

    def write(decision: Decision) -> Outcome:
        if decision.decision in ASKED:
            inside = decision.sidecar.startswith(prefix)
            return ask_again(storage, bucket, decision, by) if inside else "elsewhere"
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
        stands = (stored.metadata.get(DECISION_KEY) or None) == decision.decision
        if not stands or decision.comment not in (None, stored.metadata.get(COMMENT_KEY, "")):
            changes = _metadata(decision, by)
            if _bytes({**stored.metadata, **changes}) > MAX_METADATA_BYTES:
                return "too_long"
            storage.update_metadata(bucket, name, changes, deadline)
    except ObjectNotFoundError:
        return "missing"
    except AccessDeniedError:
        return "forbidden"
    return "written"


def _bytes(metadata: dict[str, str | None]) -> int:
    return sum(len(key.encode()) + len((value or "").encode()) for key, value in metadata.items())


def _metadata(decision: Decision, by: str) -> dict[str, str | None]:
    """What the picture says of it from now on; a decision that is taken back leaves nothing but a comment."""
    comment: dict[str, str | None] = {} if decision.comment is None else {COMMENT_KEY: decision.comment or None}
    if decision.decision is None and not decision.comment:
        return {DECISION_KEY: None, DECIDED_BY_KEY: None, DECIDED_AT_KEY: None} | comment
    decided = decision.decided or datetime.now(UTC)
    return {
        DECISION_KEY: decision.decision,
        DECIDED_BY_KEY: (decision.by or by)[:MAX_NAME_CHARS],
        DECIDED_AT_KEY: decided.isoformat(timespec="seconds"),
    } | comment
