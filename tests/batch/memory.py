"""Batches without servers: storage, a service and a budget in memory, and what happens between two requests of one step
of the code."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from function.batch.context import BatchContext
from function.batch.records import BatchRequest, Job, Waiter
from function.deadline import Deadline
from function.errors import ModelRejectedError
from function.generation.batch_service import ServiceJob
from function.storage.client import ObjectNotFoundError, PreconditionFailedError, StoredObject, crc32c

OUTPUT, BATCHES, INPUT = "output", "batches", "input"
MAX_USD, GATHER_S = 0.02, 100.0


class MemoryStorage:
    """`Storage`, as far as batches use it. `then` happens once, before the next write to a name that ends so."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], tuple[StoredObject, bytes]] = {}
        self._then: tuple[str, Callable[[], None]] | None = None
        self._generation = 0

    def before_write_of(self, suffix: str, then: Callable[[], None]) -> None:
        """Somebody else comes between a read and this write."""
        self._then = suffix, then

    def stat(self, bucket: str, name: str, _: Deadline) -> StoredObject | None:
        stored = self.objects.get((bucket, name))
        return stored[0] if stored else None

    def read(self, bucket: str, name: str, _: Deadline, *, generation: int | None = None, limit: int) -> bytes:
        stored = self.objects.get((bucket, name))
        if stored is None or generation not in (None, stored[0].generation):
            raise ObjectNotFoundError(name)
        return stored[1]

    def read_range(self, bucket: str, name: str, deadline: Deadline, *, generation: int, start: int, length: int):
        return self.read(bucket, name, deadline, generation=generation, limit=0)[start : start + length]

    def write(
        self, bucket: str, name: str, content: bytes, content_type: str, _: Deadline, *, if_generation: int,
        metadata: dict[str, str], contended: bool = False,
    ) -> int:  # fmt: skip
        """As in `Storage`, what is the same to a byte counts as this write."""
        if self._then is not None and name.endswith(self._then[0]):
            then, self._then = self._then[1], None
            then()
        existing = self.stat(bucket, name, _)
        if if_generation != (existing.generation if existing else 0):
            if existing and existing.crc32c == crc32c(content) and existing.metadata == metadata:
                return existing.generation
            raise PreconditionFailedError(name)
        self._generation += 1
        now = datetime.now(UTC)
        stored = StoredObject(
            bucket, name, self._generation, len(content), content_type, crc32c(content), metadata, now
        )
        self.objects[bucket, name] = stored, content
        return self._generation

    def delete(self, bucket: str, name: str, _: Deadline, *, generation: int) -> None:
        stored = self.objects.get((bucket, name))
        if stored is not None and stored[0].generation == generation:
            del self.objects[bucket, name]

    def list(self, bucket: str, prefix: str, _: Deadline) -> Iterator[StoredObject]:
        yield from [one for (where, name), (one, _) in sorted(self.objects.items())
                    if where == bucket and name.startswith(prefix)]  # fmt: skip


class MemoryService:
    """A service that lists `jobs` and is asked to cancel them."""

    reads_buckets = True

    def __init__(self) -> None:
        self.jobs: list[ServiceJob] = []
        self.made: list[str] = []
        self.cancelled: list[str] = []
        self.refusals = 0  # of cancels, before one is taken

    def create(self, model: str, display_name: str, lines: str, results: str, _: Deadline) -> ServiceJob:
        self.made.append(display_name)
        return ServiceJob("job-made", display_name, "RUNNING", 1.0)

    def get(self, name: str, _: Deadline) -> ServiceJob:
        return next(job for job in self.jobs if job.name == name)

    def find(self, display_name: str, _: Deadline) -> list[ServiceJob]:
        return [job for job in self.jobs if job.display_name == display_name]

    def cancel(self, name: str, _: Deadline) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise ModelRejectedError("not now")
        self.cancelled.append(name)
        self.jobs = [replace(job, state="CANCELLING") if job.name == name else job for job in self.jobs]


class MemoryBudget:
    """What is given back and counted, in USD."""

    def __init__(self) -> None:
        self.refunds: list[float] = []
        self.more: list[float] = []

    def spend(self, usd: float, catalogue: str | None, _: Deadline) -> tuple[tuple[str, str], ...]:
        return (("ledger", "day"),)

    def refund(self, accounts: Any, usd: float, _: Deadline) -> None:
        self.refunds.append(round(usd, 6))

    def count_more(self, accounts: Any, usd: float, _: Deadline) -> None:
        self.more.append(round(usd, 6))


def memory_context() -> BatchContext:
    """Everything that batches need, in memory."""
    storage: Any = MemoryStorage()
    service: Any = MemoryService()
    budget: Any = MemoryBudget()
    return BatchContext(storage, OUTPUT, BATCHES, service, budget, GATHER_S, lambda _: False)


def deadline() -> Deadline:
    """Of one call."""
    return Deadline(60.0)


def waiter(name: str, generation: int, owner: str | None = None) -> Waiter:
    """A manifest that waits."""
    uri = f"gs://{INPUT}/{name}"
    return Waiter(bucket=INPUT, name=name, generation=generation, owner=owner or f"{uri}#{generation}", since=1.0)


def put_request(context: BatchContext, digest: str, **fields: Any) -> BatchRequest:
    """A stored request, waiting where `fields` say nothing else."""
    request = BatchRequest(
        **{
            "digest": digest, "model": "gemini-2.5-flash-image", "prompt": digest, "images": (), "aspect_ratio": "1:1",
            "image_size": None, "seed": 1, "thinking_level": None, "asks_for_png": False, "number": 1,
            "max_usd": MAX_USD, "catalogue": None, "finish_by": time.time() + 9000.0, "state": "waiting",
            "waiters": (waiter("a.json", 1),), **fields,
        }
    )  # fmt: skip
    context.requests.write(digest, request, 0, deadline())
    return request


def put_job(context: BatchContext, *digests: str, **fields: Any) -> Job:
    """A stored job of these requests, as it is asked for: its keys are their digests."""
    job = Job(
        **{
            "id": "0" * 32, "model": "gemini-2.5-flash-image", "catalogue": None, "state": "running",
            "digests": digests, "keys": {digest: digest for digest in digests}, "created": time.time(),
            "finish_by": time.time() + 9000.0, "posted_to": (("ledger", "day"),), "asked_times": 1,
            "service_names": ("job-1",), **fields,
        }
    )  # fmt: skip
    context.jobs.write(job.id, job, 0, deadline())
    return job


def put_results(context: BatchContext, job: Job, *digests: str) -> StoredObject:
    """A results file that answers these requests, each with words for a picture."""
    image = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"picture").decode()}}
    response = {
        "candidates": [{"finishReason": "STOP", "content": {"parts": [image]}}],
        "usageMetadata": {"promptTokenCount": 700, "candidatesTokenCount": 1290},
    }
    content = b"".join(json.dumps({"key": one, "response": response}).encode() + b"\n" for one in digests)
    name = f"jobs/{job.id}/results/x/predictions.jsonl"
    context.storage.write(BATCHES, name, content, "application/jsonl", deadline(), if_generation=0, metadata={})
    stored = context.storage.stat(BATCHES, name, deadline())
    assert stored is not None
    return stored


def request_of(context: BatchContext, digest: str) -> BatchRequest:
    """A request as it is stored."""
    request, _ = context.requests.read(digest, deadline())
    assert request is not None
    return request


def job_of(context: BatchContext) -> Job:
    """The job as it is stored."""
    job, _ = context.jobs.read("0" * 32, deadline())
    assert job is not None
    return job
