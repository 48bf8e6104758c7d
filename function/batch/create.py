"""A planned job → one that the service has. What is sent is recorded before it is sent."""

from __future__ import annotations

import logging
import time

from function.batch.context import IN_TROUBLE, BatchContext, in_parallel
from function.batch.lines import line_over_buckets, line_with_images
from function.batch.names import lines_name, results_prefix, waiting_name
from function.batch.records import BatchRequest, Job
from function.batch.twins import note_twins
from function.deadline import Deadline
from function.errors import ModelRejectedError, ModelUnansweredError, ModelUnavailableError
from function.generation.batch_service import ServiceJob
from function.storage.client import ObjectNotFoundError
from function.storage.compare_and_swap import compare_and_swap
from function.storage.names import gs_uri

logger = logging.getLogger(__name__)

MAX_LINES_BYTES = 64 * 2**20  # of lines that hold their images, for they are held in memory
REFUSED_WAITS = 12  # a refused creation is tried again after so many times gather_s: a person may fix the cause
NOT_CREATED = "NOT_CREATED"  # in place of a final state
UNSEEN_WAITS = 2  # … one whose answer was lost, and that no list shows, after so many


def create(context: BatchContext, job: Job, deadline: Deadline) -> Job:
    """Claim the job's requests, write its lines, and have it made → the job as far as it came.

    Raises StorageUnavailableError, DeadlineExceededError; done again it goes on.
    """
    if job.asked_times:  # a creation that seemed to be lost may show itself later
        found = context.service.find(job.display_name, deadline)
        if found:
            return _adopt(context, job, found, deadline)
    now = time.time()
    if now >= job.finish_by:
        return context.update(job, deadline, state="ended", service_state=NOT_CREATED, ended_at=now)
    if now < job.not_before:
        return job
    claimed = [one for one in in_parallel(lambda d: _claim(context, d, job.id, deadline), job.digests) if one]
    if any(context.is_paused(bucket) for bucket in {waiter.bucket for one in claimed for waiter in one.waiters}):
        return job
    lines: list[str] = []
    keys: dict[str, str] = {}
    size = 0
    for request in claimed:
        try:
            line, key = _line(context, request, deadline)
        except ObjectNotFoundError:
            continue  # without its images no job can answer it: at the job's end it is looked after
        size += len(line)
        if lines and size > MAX_LINES_BYTES and not context.service.reads_buckets:
            break  # the others wait for the end of this job, which asks for them again
        lines.append(line)
        keys[key] = request.digest
    if not lines:
        return context.update(job, deadline, state="ended", service_state=NOT_CREATED, ended_at=time.time())
    content = ("\n".join(lines) + "\n").encode()
    if context.service.reads_buckets:
        compare_and_swap(
            context.storage, context.batch_bucket, lines_name(job.id), content, "application/jsonl", deadline,
            metadata={}, may_replace=lambda _: True,
        )  # fmt: skip
    asked = {"state": "creating", "keys": keys, "asked_at": time.time(), "asked_times": job.asked_times + 1}
    job = context.update(job, deadline, **asked)
    in_parallel(lambda digest: _unmark(context, digest, deadline), job.digests)
    return _ask_for(context, job, content, deadline)


def find_created(context: BatchContext, job: Job, deadline: Deadline) -> Job:
    """A job whose creation brought no answer: found by its display name, or to be made again after a while."""
    found = context.service.find(job.display_name, deadline)
    if found:
        return _adopt(context, job, found, deadline)
    if time.time() - (job.asked_at or 0) < UNSEEN_WAITS * context.gather_s or time.time() >= job.finish_by:
        return job
    return context.update(
        job, deadline, state="planned", note="its creation was not acknowledged, and the service does not list it"
    )


def _adopt(context: BatchContext, job: Job, found: list[ServiceJob], deadline: Deadline) -> Job:
    """Follow the job that was found; others of its name are noted, and cancelled as it is followed."""
    names = tuple(one.name for one in found)
    note_twins(context, job, names[1:], deadline)
    return context.update(job, deadline, state="running", service_names=names, in_doubt=True, note="")


def _ask_for(context: BatchContext, job: Job, content: bytes, deadline: Deadline) -> Job:
    lines = gs_uri(context.batch_bucket, lines_name(job.id)) if context.service.reads_buckets else content
    results = gs_uri(context.batch_bucket, results_prefix(job.id))
    try:
        made = context.service.create(job.model, job.display_name, lines, results, deadline)
    except ModelUnansweredError as unanswered:
        logger.warning(
            "a batch job's creation was not acknowledged: %s",
            unanswered.message,
            extra={"stage": "batch", "job": job.id},
        )
        return context.update(job, deadline, note=unanswered.message)
    except ModelUnavailableError as busy:
        return _postpone(context, job, busy.message, 1, deadline)
    except ModelRejectedError as refused:
        logger.error(
            IN_TROUBLE,
            extra={"stage": "batch", "job": job.id, "model": job.model, "reason": f"refused: {refused.message}"},
        )
        return _postpone(context, job, refused.message, REFUSED_WAITS, deadline)
    logger.info(
        "batch job created", extra={"stage": "batch", "job": job.id, "requests": len(job.keys), "model": job.model}
    )
    return context.update(job, deadline, state="running", service_names=(made.name,), note="")


def _postpone(context: BatchContext, job: Job, why: str, waits: int, deadline: Deadline) -> Job:
    later = time.time() + waits * context.gather_s
    return context.update(job, deadline, state="planned", note=why, not_before=later)


def _claim(context: BatchContext, digest: str, job: str, deadline: Deadline) -> BatchRequest | None:
    """The request, for this job alone; None when it is answered, or another's."""

    def claimed(stored: BatchRequest | None) -> BatchRequest | None:
        if stored is None or stored.state != "waiting":
            return None
        return stored.model_copy(update={"state": "in_job", "job": job})

    record = context.requests.change(digest, claimed, deadline)
    return record if record and record.state == "in_job" and record.job == job else None


def _line(context: BatchContext, request: BatchRequest, deadline: Deadline) -> tuple[str, str]:
    if context.service.reads_buckets:
        return line_over_buckets(request, context.batch_bucket)
    return line_with_images(request, context.storage, context.batch_bucket, deadline)


def _unmark(context: BatchContext, digest: str, deadline: Deadline) -> None:
    name = waiting_name(digest)
    stored = context.storage.stat(context.output_bucket, name, deadline)
    if stored is not None:
        context.storage.delete(context.output_bucket, name, deadline, generation=stored.generation)
