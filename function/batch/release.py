"""Requests that no job has any more: answered, to be asked for at once, or waiting for another job."""

from __future__ import annotations

import logging

from function.batch.context import BatchContext
from function.batch.records import BatchRequest
from function.batch.touch import touch
from function.batch.waiting import mark_waiting
from function.deadline import Deadline
from function.storage.client import PreconditionFailedError

logger = logging.getLogger(__name__)


def mark_answered(
    context: BatchContext, digest: str, job: str, results: str, deadline: Deadline
) -> BatchRequest | None:
    """Its answer is stored: touch whoever waits, then note it → the request as it was before; None when it is none, or
    that is noted already.

    In this order, so that a crash between the two is made good by the line's next delivery. A manifest that begins to
    wait meanwhile changes the record, and is touched too.
    """
    while True:
        before, generation = context.requests.read(digest, deadline)
        if before is None:
            return None
        if results in before.answered_from:
            return None
        for waiter in before.waiters:
            touch(context.storage, waiter, digest, deadline)
        # Of a second answer to the same request nothing comes but its bill. That of a twin is counted already.
        twice = before.state == "answered" and not before.twins
        after = before.model_copy(
            update={
                "state": "answered",
                "job": job,
                "answered_from": (*before.answered_from, results),
                "lost": before.lost + twice,
            }
        )
        try:
            context.requests.write(digest, after, generation, deadline)
        except PreconditionFailedError:
            continue
        if twice:
            logger.error(
                "a request was answered twice in batches, and may be billed twice", extra={"stage": "batch", "job": job}
            )
        return before


def note_unused_answer(context: BatchContext, digest: str, results: str, deadline: Deadline) -> None:
    """A batch has answered what is asked for at once by now: that may be billed, and nothing comes of it."""

    def changed(stored: BatchRequest | None) -> BatchRequest | None:
        if stored is None or stored.state != "ask_now" or stored.twins or results in stored.answered_from:
            return None
        return stored.model_copy(update={"lost": stored.lost + 1, "answered_from": (*stored.answered_from, results)})

    context.requests.change(digest, changed, deadline)


def ask_at_once(
    context: BatchContext, digest: str, why: str, deadline: Deadline, *, job: str | None = None, lost: bool = False
) -> None:
    """Have its manifests ask for it by themselves. With `job`: only while that job has it, without: only while it waits
    for one; `lost`: perhaps billed."""

    def changed(stored: BatchRequest | None) -> BatchRequest | None:
        if stored is None or (stored.state, stored.job) != (("in_job", job) if job else ("waiting", None)):
            return None
        return stored.model_copy(update={"state": "ask_now", "tries": stored.tries + 1, "lost": stored.lost + lost})

    record = context.requests.change(digest, changed, deadline)
    if record is None or record.state != "ask_now" or (job and record.job != job):
        return
    logger.info(
        "asking now, at full price",
        extra={"stage": "batch", "reason": why, "job": job, "attempt": record.number},
    )
    for waiter in record.waiters:
        touch(context.storage, waiter, digest, deadline)


def requeue(context: BatchContext, request: BatchRequest, job: str, deadline: Deadline, *, lost: bool) -> None:
    """Have it taken into another job, unless `job` has it no more. Marked first, so that a crash loses nothing."""

    def changed(stored: BatchRequest | None) -> BatchRequest | None:
        if stored is None or stored.state != "in_job" or stored.job != job:
            return None
        return stored.model_copy(
            update={
                "state": "waiting",
                "job": None,
                "tries": stored.tries + 1,
                "lost": stored.lost + lost,
                "line_error": None,
                "line_error_is_final": False,
            }
        )

    mark_waiting(context.storage, context.output_bucket, request, deadline)
    context.requests.change(request.digest, changed, deadline)
