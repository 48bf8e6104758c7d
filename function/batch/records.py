"""The records that batches live by, each a small object changed with storage preconditions only.

A request is waiting → in a job → answered; or, where no job has answered it, waiting again, and in the end to be asked
for at once. A job is planned → creating → running (→ cancelling) → ended → closed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from function.batch.names import job_name, request_name
from function.deadline import Deadline
from function.storage.client import ObjectNotFoundError, ObjectTooLargeError, PreconditionFailedError, Storage

MAX_RECORD_BYTES = 2**20  # a job of 200 requests has 30 KB
JobState = Literal["planned", "creating", "running", "cancelling", "ended", "closed"]


class _Record(BaseModel):
    # An alias is the name that a field is stored under, by versions of this function whose jobs are still under way.
    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, serialize_by_alias=True)


class Waiter(_Record):
    """A manifest that waits for an answer: this generation of it is touched when there is one. `owner` pays; `since`
    (seconds since 1970) is when a person or a catalogue uploaded it."""

    bucket: str
    name: str
    generation: int
    owner: str
    since: float


class BatchRequest(_Record):
    """What is asked of a model, with its images by SHA-256, and who waits. Times are in seconds since 1970.

    `tries`: jobs that have ended without an answer. `lost`: calls that may have been billed and brought none. `twins`:
    what the service calls jobs that were made of its own a second time: each may have answered, and billed, as well.
    `max_usd`: what its call may cost at the batch's price; `line_error`: what a job's line said instead of an answer;
    `answered_from`: the results files (name#generation) that hold an answer; `written`: see `Records.write`.
    """

    digest: str
    model: str
    prompt: str
    images: tuple[tuple[str, str], ...]
    aspect_ratio: str
    image_size: str | None
    seed: int
    thinking_level: str | None
    asks_for_png: bool
    number: int
    max_usd: float = Field(alias="max_usd")
    catalogue: str | None
    finish_by: float
    state: Literal["waiting", "in_job", "answered", "ask_now"]
    waiters: tuple[Waiter, ...]
    job: str | None = None
    tries: int = 0
    lost: int = 0
    twins: tuple[str, ...] = ()
    answered_from: tuple[str, ...] = ()
    written: str = ""
    line_error: str | None = None
    line_error_is_final: bool = False

    @property
    def lost_calls(self) -> int:
        """Calls that may have been billed, beside the one that brought the answer."""
        return self.lost + len(self.twins)


class Job(_Record):
    """One batch job. `keys` are the requests' digests by what their result lines are recognised by.

    `service_names` are what the service calls it; the first is followed, others were made by a repeated creation and
    are cancelled. `in_doubt`: its creation brought no answer, so that such others may be there. `posted_to` are the
    accounts (ledger, title) under which its `max_usd` are counted as spent until it is known what was. `note` says what
    went wrong last, and `not_before` when that is tried again. `written`: see `Records.write`.
    """

    id: str
    model: str
    catalogue: str | None
    state: JobState
    digests: tuple[str, ...]
    created: float
    finish_by: float
    keys: dict[str, str] = {}
    posted_to: tuple[tuple[str, str], ...] = ()
    not_before: float = 0.0
    asked_at: float | None = None
    asked_times: int = 0
    in_doubt: bool = False
    service_names: tuple[str, ...] = ()
    service_state: str = ""
    note: str = ""
    cancelled_at: float | None = None
    ended_at: float | None = None
    fetched: bool = False
    written: str = ""
    answered: int = 0
    waiting_again: int = 0
    asked_at_once: int = 0
    lost: int = 0

    @property
    def display_name(self) -> str:
        """What it is called in the service's list, and found by."""
        return f"composite-{self.id}"


M = TypeVar("M", BatchRequest, Job)


class Records(Generic[M]):
    """Records of one kind, by key."""

    def __init__(self, storage: Storage, bucket: str, kind: type[M], name_of: Callable[[str], str]):
        self._storage, self._bucket, self._name_of = storage, bucket, name_of
        self._kind: type[M] = kind

    def read(self, key: str, deadline: Deadline) -> tuple[M | None, int]:
        """The record and the generation of its object; (None, 0) when there is none that this version reads."""
        name = self._name_of(key)
        while (stored := self._storage.stat(self._bucket, name, deadline)) is not None:
            try:
                body = self._storage.read(
                    self._bucket, name, deadline, generation=stored.generation, limit=MAX_RECORD_BYTES
                )
                return self._kind.model_validate_json(body), stored.generation
            except ObjectNotFoundError:
                continue  # replaced since it was looked at
            except (ValidationError, ObjectTooLargeError):
                return None, stored.generation
        return None, 0

    def write(self, key: str, record: M, if_generation: int, deadline: Deadline) -> int:
        """Store the record over the generation that was read → its new one. Raises PreconditionFailedError.

        `written` tells it from one that another process writes at the same time, and that says the same: storage takes
        what stands there for this write, whose acknowledgement was lost, where it is the same to a byte.
        """
        record = record.model_copy(update={"written": uuid.uuid4().hex})
        return self._storage.write(
            self._bucket, self._name_of(key), record.model_dump_json().encode(), "application/json", deadline,
            if_generation=if_generation, metadata={},
        )  # fmt: skip

    def change(self, key: str, decide: Callable[[M | None], M | None], deadline: Deadline) -> M | None:
        """Have `decide` make another record of what is stored; None leaves it alone → the record as it stands then.

        `decide` is asked again when another writer was faster.
        """
        while True:
            before, generation = self.read(key, deadline)
            after = decide(before)
            if after is None or after == before:
                return before
            try:
                self.write(key, after, generation, deadline)
            except PreconditionFailedError:
                deadline.clamp(1, "batch")
            else:
                return after


def request_records(storage: Storage, bucket: str) -> Records[BatchRequest]:
    """The records of requests, by digest."""
    return Records(storage, bucket, BatchRequest, request_name)


def job_records(storage: Storage, bucket: str) -> Records[Job]:
    """The records of jobs, by id."""
    return Records(storage, bucket, Job, job_name)
