"""Reconciles the results and the sidecar of a pair after two deliveries committed at the same time.

A delivery that stalls for longer than its lease may still write its sidecar after another one has taken over, and Cloud
Storage has no precondition over two objects. So the first sidecar of a generation wins, whichever run wrote it:

- A result that an earlier delivery left behind, whose sidecar may still arrive, is replaced only once a sidecar is
  stored. That sidecar's metadata names the staged object that holds the new result until it is in its place, so that
  any delivery can complete the commit of one that died.
- A delivery that finds out about another run adds every begun call to the sidecar.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from function.delivery.lease import LeaseHandle
from function.delivery.output_metadata import USD_KEY
from function.delivery.outputs import MAX_SIDECAR_BYTES, Leftovers, Outputs, OutputWriter, Picture
from function.delivery.services import Delivery
from function.generation.call_ledger import BegunCall
from function.pipeline.record import interrupted_attempt
from function.sidecar.attempts import Attempt
from function.storage.client import ObjectNotFoundError, PreconditionFailedError, StoredObject, crc32c
from function.storage.compare_and_swap import MAX_WRITES, compare_and_swap
from function.storage.names import WORK_PREFIX, gs_uri

logger = logging.getLogger(__name__)

# Metadata of a sidecar until its results are in place: the staged object of each, or IN_PLACE; NO_RESULT without any.
PENDING_KEY = "result-pending"
NO_RESULT, IN_PLACE = "none", "stands"
BETWEEN = ","
MAX_RESULT_BYTES = 512 * 2**20  # 64 megapixels of noise as a PNG are 200 MB
NOT_PAID_HERE = ("reused", "interrupted")  # outcomes of attempts whose call was made by another run, or lost


def stage_results(delivery: Delivery, pictures: Sequence[Picture], leftovers: Leftovers) -> str | None:
    """Store results under working names until their sidecar is stored → the value of its PENDING_KEY; None where the
    leftovers are the same pictures and nothing has to be replaced. Raises LeaseHeldError, OutputConflictError,
    SupersededError as for their final names."""
    waiting = [_stage_result(delivery, picture, leftovers) for picture in pictures]
    if all(name == IN_PLACE for name in waiting) and set(leftovers) <= {picture.name for picture in pictures}:
        return None
    return BETWEEN.join(waiting)


def _stage_result(delivery: Delivery, picture: Picture, leftovers: Leftovers) -> str:
    """The name of the object that holds it, or IN_PLACE."""
    writer = OutputWriter(delivery)
    existing = writer.replaceable(picture.name, leftovers)
    picture = writer.own(picture)
    if existing is not None and _is_same(existing, picture):
        return IN_PLACE
    digest = hashlib.sha256(json.dumps(picture.metadata).encode())
    digest.update(picture.content)
    name = f"{WORK_PREFIX}results/{digest.hexdigest()}"
    compare_and_swap(
        delivery.storage, delivery.output_bucket, name, picture.content, picture.content_type, delivery.deadline,
        metadata=picture.metadata, may_replace=lambda _: False,
    )  # fmt: skip
    return name


def reconcile(
    delivery: Delivery, outputs: Outputs, lease: LeaseHandle | None = None, attempts: Sequence[Attempt] = ()
) -> None:
    """Once this generation is settled: put its results in place as the sidecar describes them, and add to the sidecar
    the calls of the run that holds, or held, `lease` and made `attempts`. Before that: do nothing.

    Raises what `Storage` raises, OutputConflictError, and SupersededError.
    """
    delivery = delivery.with_grace_period()
    calls = lease.all_calls(delivery.deadline) if lease else ()
    for _ in range(MAX_WRITES):
        stored = OutputWriter(delivery).settled(outputs.sidecar)
        if stored is None:
            return
        try:
            content = delivery.storage.read(
                stored.bucket, stored.name, delivery.deadline, generation=stored.generation, limit=MAX_SIDECAR_BYTES
            )
            sidecar = json.loads(content)  # as any version may have written it
            _finish_result(delivery, outputs, stored, sidecar)
            _complete(delivery, stored, sidecar, _missing_attempts(sidecar["attempts"], calls, attempts))
            return
        except (PreconditionFailedError, ObjectNotFoundError):
            continue  # another delivery was faster


def _finish_result(delivery: Delivery, outputs: Outputs, sidecar: StoredObject, described: dict[str, Any]) -> None:
    """Move staged results into place, and delete this generation's other results. Raises PreconditionFailedError,
    SupersededError."""
    storage, bucket, deadline = delivery.storage, delivery.output_bucket, delivery.deadline
    writer, pending = OutputWriter(delivery), sidecar.metadata.get(PENDING_KEY)
    results = described.get("results") or [described["result"]]  # the first is all that an earlier version describes
    uris = [result["uri"] for result in results if result]
    for uri, where in zip(uris, _waiting(pending), strict=False):
        waiting = storage.stat(bucket, where, deadline) if where != IN_PLACE else None
        if where != IN_PLACE and waiting is None:
            raise ObjectNotFoundError(where)  # finished by another delivery
        name = uri.removeprefix(gs_uri(bucket, ""))
        existing = writer.replaceable(name, None)
        if waiting is not None and (existing is None or not _is_same(existing, waiting)):
            content = storage.read(bucket, where, deadline, generation=waiting.generation, limit=MAX_RESULT_BYTES)
            storage.write(
                bucket, name, content, waiting.content_type or "", deadline,
                if_generation=existing.generation if existing else 0, metadata=waiting.metadata,
            )  # fmt: skip
    for stored, made_for in writer.results(outputs):
        if made_for == delivery.upload.generation and gs_uri(bucket, stored.name) not in uris:
            storage.delete(bucket, stored.name, deadline, generation=stored.generation)


def _waiting(pending: str | None) -> list[str]:
    """Of each result the object that holds it, or IN_PLACE."""
    return [] if pending in (None, NO_RESULT) else pending.split(BETWEEN)


def _complete(delivery: Delivery, stored: StoredObject, sidecar: dict[str, Any], missing: Sequence[Attempt]) -> None:
    """Write the sidecar again where calls are to be added, or the result was pending. Raises
    PreconditionFailedError."""
    metadata = {name: value for name, value in stored.metadata.items() if name != PENDING_KEY}
    if not missing and metadata == stored.metadata:
        return
    cost = sidecar["cost"]
    spent = {
        "prompt_tokens": cost["prompt_tokens"] + sum(one.usage.prompt_tokens for one in missing),
        "output_tokens": cost["output_tokens"] + sum(one.usage.output_tokens for one in missing),
    }
    if missing and cost["usd"] is not None:
        spent["usd"] = round(cost["usd"] + sum(one.usd or 0.0 for one in missing), 6)
        metadata[USD_KEY] = f"{spent['usd']:.6f}"
    added = [attempt.model_dump(mode="json") for attempt in missing]
    listed = sorted(sidecar["attempts"] + added, key=lambda one: one["number"])
    whole = {**sidecar, "attempts": listed, "cost": {**cost, **spent}}
    delivery.storage.write(
        stored.bucket, stored.name, json.dumps(whole, indent=1, ensure_ascii=False).encode(), "application/json",
        delivery.deadline, if_generation=stored.generation, metadata=metadata,
    )  # fmt: skip
    for name in _waiting(stored.metadata.get(PENDING_KEY)):
        waiting = delivery.storage.stat(stored.bucket, name, delivery.deadline) if name != IN_PLACE else None
        if waiting is not None:
            delivery.storage.delete(stored.bucket, name, delivery.deadline, generation=waiting.generation)
    logger.warning(
        "another delivery was in progress too; %s of its calls were added", len(missing), extra={"stage": "commit"}
    )


def _missing_attempts(
    listed: list[dict[str, Any]], calls: Iterable[BegunCall], attempts: Sequence[Attempt]
) -> list[Attempt]:
    """Attempts for the begun calls that are not listed: this run's own where it has seen the answer, else lost ones.
    An answer that was reused and not billed was another run's call."""
    known = Counter(
        BegunCall(number=one["number"], seed=one["seed"]) for one in listed if one["outcome"] != "reused" or one["usd"]
    )
    seen = [attempt for attempt in attempts if attempt.outcome not in NOT_PAID_HERE]
    missing = []
    for call in (Counter(calls) - known).elements():
        own = next((one for one in seen if (one.number, one.seed) == (call.number, call.seed)), None)
        if own is not None:
            seen.remove(own)
        missing.append(own or interrupted_attempt(call))
    return missing


def _is_same(stored: StoredObject, other: StoredObject | Picture) -> bool:
    """Whether two results have the same bytes and metadata."""
    checksum = crc32c(other.content) if isinstance(other, Picture) else other.crc32c
    return stored.crc32c == checksum and stored.metadata == other.metadata
