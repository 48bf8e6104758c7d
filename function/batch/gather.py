"""Waiting requests → jobs, and those whose time is up → to be asked for at once."""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict

from function.batch.context import BatchContext, in_parallel
from function.batch.records import BatchRequest, Job
from function.batch.release import ask_at_once
from function.batch.waiting import Mark, marks
from function.deadline import Deadline
from function.errors import BudgetExhaustedError, BudgetUsedUpForTodayError
from function.storage.client import PreconditionFailedError

logger = logging.getLogger(__name__)

MAX_JOB_REQUESTS = 200  # finished jobs of more pictures could not always be fetched (python-genai#2519), and a job that
# is lost takes no more with it
MAX_GATHERINGS = 3  # a steady trickle of pictures keeps the first of them waiting no longer than so many times gather_s


def gather(context: BatchContext, deadline: Deadline) -> list[Job]:
    """Plan jobs for what has waited long enough → the jobs, recorded as planned."""
    groups: dict[str, list[Mark]] = defaultdict(list)
    now = time.time()
    for mark in marks(context.storage, context.output_bucket, deadline):
        if mark.finish_by <= now:
            _give_up(context, mark, deadline)
        else:
            groups[mark.group].append(mark)
    planned = []
    for group in groups.values():
        waiting = sorted(group, key=lambda mark: mark.since)
        while waiting:
            some, rest = waiting[:MAX_JOB_REQUESTS], waiting[MAX_JOB_REQUESTS:]
            if len(some) < MAX_JOB_REQUESTS and not _is_complete(some, now, context.gather_s):
                break
            job = _plan(context, some, deadline)
            if job is None:
                break
            planned.append(job)
            waiting = rest
    return planned


def _is_complete(waiting: list[Mark], now: float, gather_s: float) -> bool:
    """Whether a group that does not fill a job will not grow any more, or has waited long enough."""
    quiet_s, waited_s = now - waiting[-1].since, now - waiting[0].since
    return quiet_s >= gather_s or waited_s >= MAX_GATHERINGS * gather_s


def _plan(context: BatchContext, waiting: list[Mark], deadline: Deadline) -> Job | None:
    """A job of those among `waiting` that the caps pay for; None when they pay for none."""
    found = in_parallel(lambda mark: context.requests.read(mark.digest, deadline)[0], waiting)
    requests = [one for one in found if one is not None and one.state == "waiting"]
    kept = {one.digest for one in requests}
    for mark in waiting:
        if mark.digest not in kept:  # a mark that outlived its request
            context.storage.delete(context.output_bucket, mark.stored.name, deadline, generation=mark.stored.generation)
    if any(context.is_paused(bucket) for bucket in {waiter.bucket for one in requests for waiter in one.waiters}):
        return None
    requests, posted_to = _affordable(context, requests, deadline)
    if not requests:
        return None
    job = Job(
        id=uuid.uuid4().hex,
        model=requests[0].model,
        catalogue=requests[0].catalogue,
        state="planned",
        digests=tuple(one.digest for one in requests),
        created=time.time(),
        finish_by=min(one.finish_by for one in requests),
        posted_to=posted_to,
    )
    try:
        context.jobs.write(job.id, job, 0, deadline)
    except PreconditionFailedError:  # it was written, without an acknowledgement, and another sweep is at work on it
        return None
    return job


def _affordable(
    context: BatchContext, requests: list[BatchRequest], deadline: Deadline
) -> tuple[list[BatchRequest], tuple[tuple[str, str], ...]]:
    """As many of them as the caps leave room for, counted as spent, and where that is counted."""
    while requests:
        usd = sum(one.max_usd for one in requests)
        try:
            return requests, context.budget.spend(usd, requests[0].catalogue, deadline)
        except (BudgetUsedUpForTodayError, BudgetExhaustedError) as used_up:
            if len(requests) == 1:
                logger.warning("no batch job was created: %s", used_up.message, extra={"stage": "batch"})
                if isinstance(used_up, BudgetExhaustedError):  # its own call meets the same cap, and records it
                    ask_at_once(context, requests[0].digest, "the budget is used up", deadline)
                return [], ()
            requests = requests[: len(requests) // 2]
    return [], ()


def _give_up(context: BatchContext, mark: Mark, deadline: Deadline) -> None:
    """Its time is up and no job has it: it is asked for at once."""
    ask_at_once(context, mark.digest, "no batch answered in time", deadline)
    context.storage.delete(context.output_bucket, mark.stored.name, deadline, generation=mark.stored.generation)
