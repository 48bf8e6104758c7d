"""What no event tells: jobs are looked at, brought to their ends and made. One sweep runs at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from function.batch.close import close
from function.batch.context import BatchContext, in_parallel
from function.batch.create import create, find_created
from function.batch.follow import follow, give_up_unseen
from function.batch.gather import gather
from function.batch.names import JOBS
from function.batch.records import Job, job_records
from function.deadline import Deadline
from function.errors import DeadlineExceededError, ModelRejectedError, TransientError
from function.storage.client import Storage

logger = logging.getLogger(__name__)

# With less left, or this share of it, no further job is begun or looked at: the next sweep does.
MIN_TIME_S, MIN_TIME_SHARE = 20.0, 0.2


@dataclass(frozen=True)
class SweepCounts:
    """How many jobs were looked at, made, and closed."""

    looked_at: int
    created: int
    closed: int


def sweep(context: BatchContext, deadline: Deadline, assert_held: Callable[[], None]) -> SweepCounts:
    """Bring every job as far as it goes now, then plan and make new ones. A job that fails holds no other up.

    `assert_held` raises when another sweep has taken over. Raises that, StorageUnavailableError, DeadlineExceededError.
    """
    looked_at = closed = created = 0
    for job in open_jobs(context.storage, context.output_bucket, deadline):
        if _is_late(deadline):
            return SweepCounts(looked_at, created, closed)
        assert_held()
        looked_at += 1
        closed += _advance(context, job, deadline).state == "closed"
    for job in gather(context, deadline):
        assert_held()
        created += _advance(context, job, deadline).state == "running"
        if _is_late(deadline):
            break
    return SweepCounts(looked_at, created, closed)


def _is_late(deadline: Deadline) -> bool:
    return deadline.remaining() < min(MIN_TIME_S, MIN_TIME_SHARE * deadline.seconds)


def open_jobs(storage: Storage, bucket: str, deadline: Deadline) -> list[Job]:
    """The jobs that are not closed, the oldest first."""
    return [job for job in all_jobs(storage, bucket, deadline) if job.state != "closed"]


def all_jobs(storage: Storage, bucket: str, deadline: Deadline) -> list[Job]:
    """Every job of the last week, the oldest first."""
    records = job_records(storage, bucket)
    ids = [one.name.removeprefix(JOBS).removesuffix(".json") for one in storage.list(bucket, JOBS, deadline)]
    found = in_parallel(lambda job: records.read(job, deadline)[0], ids)
    return sorted((job for job in found if job is not None), key=lambda job: job.created)


def _advance(context: BatchContext, job: Job, deadline: Deadline) -> Job:
    """One step after the other, until the job waits for something."""
    try:
        while job.state != "closed":
            before = job
            job = _step(context, job, deadline)
            if job.state == before.state:
                break
    except DeadlineExceededError:
        raise
    except (TransientError, ModelRejectedError) as error:
        logger.warning("a batch job will be retried later: %s", error.message, extra={"stage": "batch", "job": job.id})
    return job


def _step(context: BatchContext, job: Job, deadline: Deadline) -> Job:
    if job.state == "planned":
        return create(context, job, deadline)
    if job.state == "creating":
        found = find_created(context, job, deadline)
        return give_up_unseen(context, found, deadline) if found.state == "creating" else found
    if job.state in ("running", "cancelling"):
        return follow(context, job, deadline)
    return close(context, job, deadline)
