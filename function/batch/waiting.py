"""Requests that wait for a job, found by a listing of marks; and what is made of one that a job did not answer."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from function.batch.names import WAITING, waiting_name
from function.batch.records import BatchRequest
from function.deadline import Deadline
from function.storage.client import PreconditionFailedError, Storage, StoredObject

# Custom metadata of a mark, so that a listing tells all that gathering needs.
GROUP, FINISH_BY = "group", "finish-by"


@dataclass(frozen=True)
class Mark:
    """A waiting request as a listing shows it. `since`, `finish_by`: seconds since 1970."""

    digest: str
    group: str
    since: float
    finish_by: float
    stored: StoredObject


def mark_waiting(storage: Storage, bucket: str, request: BatchRequest, deadline: Deadline) -> None:
    """Have a waiting request found. A mark too many is harmless: the record decides."""
    metadata = {GROUP: group_of(request), FINISH_BY: f"{request.finish_by:.3f}"}
    name = waiting_name(request.digest)
    with contextlib.suppress(PreconditionFailedError):  # it stands already
        storage.write(bucket, name, b"waiting\n", "text/plain", deadline, if_generation=0, metadata=metadata)


def marks(storage: Storage, bucket: str, deadline: Deadline) -> Iterator[Mark]:
    """Every mark. One that a person has put there is passed over."""
    for stored in storage.list(bucket, WAITING, deadline):
        try:
            finish_by, group = float(stored.metadata[FINISH_BY]), stored.metadata[GROUP]
        except (KeyError, ValueError):
            continue
        since = stored.updated.timestamp() if stored.updated else 0.0
        yield Mark(stored.name.removeprefix(WAITING), group, since, finish_by, stored)


def group_of(request: BatchRequest) -> str:
    """What may share a job: one model, and one catalogue, whose pairs have one deadline."""
    return hashlib.sha256(f"{request.model}\0{request.catalogue or ''}".encode()).hexdigest()[:16]
