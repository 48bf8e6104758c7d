"""A job that the service has → its end: looked at, cancelled when its time is up, given up when it comes to no end."""

from __future__ import annotations

import logging
import time

from function.batch.context import IN_TROUBLE, BatchContext
from function.batch.records import Job
from function.batch.twins import note_twins
from function.deadline import Deadline
from function.errors import ModelRejectedError, ModelUnavailableError
from function.generation.batch_service import ServiceJob
from function.generation.provider import ModelNotFoundError

logger = logging.getLogger(__name__)

CANCEL_WAIT_S = 2 * 3600.0  # that a job's end is waited for after it was cancelled: what it has finished is billed
STUCK_S = 26 * 3600.0  # both services name 24 hours as what a job takes
CANCELLING = "CANCELLING"  # the state of a job that was told to end and has not ended yet
NO_END = "NO_END"  # in place of a final state
GONE = "GONE"


def follow(context: BatchContext, job: Job, deadline: Deadline) -> Job:
    """The job as it is now. Raises ModelUnavailableError, ModelUnansweredError, StorageUnavailableError."""
    if job.in_doubt or job.asked_times > 1:  # what a creation has made besides may show itself late
        found = sorted({one.name for one in context.service.find(job.display_name, deadline)} - {*job.service_names})
        if found:
            note_twins(context, job, found, deadline)
            job = context.update(job, deadline, service_names=(*job.service_names, *found))
    jobs = [_look(context, name, deadline) for name in job.service_names]
    now = time.time()
    late = now >= job.finish_by
    _cancel(context, jobs if late else jobs[1:], deadline)
    if all(one.ended for one in jobs):
        best = next((one for one in jobs if one.state in ("SUCCEEDED", "PARTIALLY_SUCCEEDED")), jobs[0])
        logger.log(
            logging.INFO if best.state == "SUCCEEDED" else logging.WARNING,
            "batch job ended",
            extra={
                "stage": "batch",
                "job": job.id,
                "state": best.state,
                "error": best.message or None,
                "age_s": round(now - job.created),
            },
        )
        return context.update(job, deadline, state="ended", service_state=best.state, ended_at=now, note=best.message)
    if job.cancelled_at is not None:
        if now - job.cancelled_at < CANCEL_WAIT_S:
            return job
        logger.error(
            IN_TROUBLE, extra={"stage": "batch", "job": job.id, "reason": "it did not end after it was cancelled"}
        )
        return context.update(job, deadline, state="ended", service_state=NO_END, ended_at=now)
    if late:
        logger.error(IN_TROUBLE, extra={"stage": "batch", "job": job.id, "reason": "past its deadline; cancelling it"})
        return context.update(job, deadline, state="cancelling", cancelled_at=now)
    if now - job.created > STUCK_S:
        hours = round((now - job.created) / 3600)
        logger.warning(
            IN_TROUBLE, extra={"stage": "batch", "job": job.id, "reason": f"{jobs[0].state} for {hours} hours"}
        )
    state = jobs[0].state
    return job if state == job.service_state else context.update(job, deadline, service_state=state)


def give_up_unseen(context: BatchContext, job: Job, deadline: Deadline) -> Job:
    """A job whose creation was never answered, and that no list shows, once a cancelled one would be given up too."""
    if time.time() < job.finish_by + CANCEL_WAIT_S:
        return job
    return context.update(job, deadline, state="ended", service_state=NO_END, ended_at=time.time())


def _look(context: BatchContext, name: str, deadline: Deadline) -> ServiceJob:
    try:
        return context.service.get(name, deadline)
    except ModelNotFoundError:
        return ServiceJob(name, "", "FAILED", 0.0, f"{GONE}: the service no longer knows it")


def _cancel(context: BatchContext, jobs: list[ServiceJob], deadline: Deadline) -> None:
    """Have them end, as often as it takes. Where that is refused their end is waited for all the same."""
    for job in jobs:
        if job.ended or job.state == CANCELLING:
            continue
        try:
            context.service.cancel(job.name, deadline)
        except (ModelRejectedError, ModelUnavailableError) as error:
            logger.warning("a batch job could not be cancelled: %s", error.message, extra={"stage": "batch"})
