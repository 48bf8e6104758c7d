"""What the steps of batches share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from function.batch.records import BatchRequest, Job, Records, job_records, request_records
from function.budget.budget import Budget
from function.deadline import Deadline
from function.errors import LeaseHeldError
from function.generation.batch_service import BatchService
from function.storage.client import Storage

IN_TROUBLE = "batch job in trouble"  # the line that an alert waits for
WORKERS = 16  # small requests to Cloud Storage at once, for one job

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class BatchContext:
    """`gather_s`: how long waiting pictures are gathered for a job; other waits are multiples of it. `is_paused`:
    whether a person has stopped an input bucket: then no job is made for what waits there."""

    storage: Storage
    output_bucket: str
    batch_bucket: str
    service: BatchService
    budget: Budget
    gather_s: float
    is_paused: Callable[[str], bool]

    @property
    def requests(self) -> Records[BatchRequest]:
        """The records of requests."""
        return request_records(self.storage, self.output_bucket)

    @property
    def jobs(self) -> Records[Job]:
        """The records of jobs."""
        return job_records(self.storage, self.output_bucket)

    def update(self, job: Job, deadline: Deadline, **changes: object) -> Job:
        """The job with `changes`; what others have changed meanwhile, such as an earlier deadline, stays. Raises
        LeaseHeldError where another sweep has brought it further: this one stood still for longer than its lease."""

        def changed(stored: Job | None) -> Job:
            if stored is not None and (stored.state, stored.asked_times) != (job.state, job.asked_times):
                raise LeaseHeldError(f"another sweep has brought the job further: it is {stored.state}")
            return (stored or job).model_copy(update=changes)

        return self.jobs.change(job.id, changed, deadline) or job


def in_parallel(work: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """`work` of every item, in order. The first failure is raised once all have ended."""
    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(copy_context().run, work, item) for item in items]
    return [future.result() for future in futures]
