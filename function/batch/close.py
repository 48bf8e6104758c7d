"""Closes a job that has ended: collects its results, and queues again what it did not answer."""

from __future__ import annotations

import logging
import time

from function.batch.collect import collect_range, ranges_of
from function.batch.context import BatchContext, in_parallel
from function.batch.follow import NO_END
from function.batch.names import collected_prefix, results_prefix
from function.batch.pieces import fetch_results
from function.batch.records import Job
from function.batch.release import ask_at_once, requeue
from function.deadline import Deadline
from function.storage.client import StoredObject

logger = logging.getLogger(__name__)

MAX_TRIES = 3  # jobs that a request is sent in; after that it is asked for at once
RESULTS_WAITS = 2  # results appear no later than so many times gather_s after a job's end
# Ends after which what was not answered may have been billed nevertheless.
MAY_BE_BILLED = frozenset({"SUCCEEDED", NO_END})
WITH_RESULTS = frozenset({"SUCCEEDED", "PARTIALLY_SUCCEEDED"})
# Ends that leave results, of some requests at least, which were billed.
MAY_HAVE_RESULTS = WITH_RESULTS | {"CANCELLED", "EXPIRED"}


def close(context: BatchContext, job: Job, deadline: Deadline) -> Job:
    """The job as far as it came. Raises what storage and service raise; done again it goes on."""
    if not job.fetched and not context.service.reads_buckets:
        if not fetch_results(context, job, deadline):
            return job
        job = context.update(job, deadline, fetched=True)
    since_end_s = time.time() - (job.ended_at or 0)
    prefix = results_prefix(job.id)
    found = [one for one in context.storage.list(context.batch_bucket, prefix, deadline)
             if one.name.endswith("/predictions.jsonl")]  # fmt: skip
    may_come = context.service.reads_buckets and job.service_state in MAY_HAVE_RESULTS
    if not found and may_come and since_end_s < RESULTS_WAITS * context.gather_s:
        return job
    if not _collected(context, job, found, since_end_s, deadline):
        return job
    results_lost = job.service_state in WITH_RESULTS and not found
    counts = in_parallel(lambda digest: _close_request(context, job, digest, results_lost, deadline), job.digests)
    kinds = [kind for kind, _ in counts]
    changes: dict[str, object] = {
        "state": "closed",
        "answered": kinds.count("answered"),
        "waiting_again": kinds.count("again"),
        "asked_at_once": kinds.count("at_once"),
        "lost": kinds.count("lost"),
    }
    closed = context.update(job, deadline, **changes)
    logger.log(
        logging.WARNING if len(kinds) > kinds.count("answered") else logging.INFO,
        "batch job closed",
        extra={
            "stage": "batch",
            "job": job.id,
            "state": job.service_state,
            **{name: kinds.count(name) for name in ("answered", "again", "at_once", "lost")},
        },
    )
    unspent_usd = sum(usd for _, usd in counts)
    # Last, and by the one sweep that has closed it: what is given back twice is missing in the caps.
    if unspent_usd > 0:
        context.budget.refund(job.posted_to, unspent_usd, deadline)
    return closed


def _collected(
    context: BatchContext, job: Job, found: list[StoredObject], since_end_s: float, deadline: Deadline
) -> bool:
    """Whether all ranges are collected. Their events do that; what they have not done after a while is done here."""
    prefix = collected_prefix(job.id)
    done = {one.name.removeprefix(prefix) for one in context.storage.list(context.output_bucket, prefix, deadline)}
    missing = [part for results in found for part in ranges_of(results) if part.id not in done]
    if missing and since_end_s < context.gather_s:
        return False
    for part in missing:
        logger.warning(
            "no event collected these results in time; the sweep collects them", extra={"stage": "batch", "job": job.id}
        )
        collect_range(context, job.id, part, deadline)
    return True


def _close_request(
    context: BatchContext, job: Job, digest: str, results_lost: bool, deadline: Deadline
) -> tuple[str, float]:
    """What became of one request, in a word, and how much of the USD reserved for it was not spent."""
    request, _ = context.requests.read(digest, deadline)
    if request is None:
        return "gone", 0.0
    if request.state == "answered":
        return "answered", 0.0
    if request.job != job.id:
        return "elsewhere", request.max_usd if digest not in job.keys.values() else 0.0
    if request.state == "ask_now":  # of a run of this that was cut off
        ask_at_once(context, digest, "", deadline, job=job.id)
        return "at_once", 0.0
    was_sent = digest in job.keys.values()
    lost = was_sent and request.line_error is None and (job.service_state in MAY_BE_BILLED or results_lost)
    late = min(request.finish_by, job.finish_by) <= time.time()
    at_once = request.line_error_is_final or late or request.tries + 1 >= MAX_TRIES
    if at_once:
        why = request.line_error or ("past its deadline" if late else f"no answer from {MAX_TRIES} jobs")
        ask_at_once(context, digest, why, deadline, job=job.id, lost=lost)
    else:
        requeue(context, request, job.id, deadline, lost=lost)
    return "lost" if lost else "at_once" if at_once else "again", 0.0 if lost else request.max_usd
