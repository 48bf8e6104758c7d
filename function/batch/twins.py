"""Second jobs of the same requests, made by a repeated creation: found by their display name, noted and counted before
they are cancelled."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

from function.batch.context import IN_TROUBLE, BatchContext, in_parallel
from function.batch.records import BatchRequest, Job
from function.deadline import Deadline

logger = logging.getLogger(__name__)


def note_twins(context: BatchContext, job: Job, twins: Iterable[str], deadline: Deadline) -> None:
    """Note each request of the `twins`, service names, as one that may be billed twice, and count it; `follow` cancels
    them. In this order, for nothing can be added to the record of a pair that is settled. Done again it changes
    nothing; cut off before the note, it counts too much rather than too little. Raises what storage raises."""
    for twin in twins:
        logger.error(
            IN_TROUBLE,
            extra={
                "stage": "batch",
                "job": job.id,
                "reason": "the job was created twice; the later one will be cancelled",
            },
        )
        not_noted = in_parallel(partial(_max_usd, context, twin=twin, deadline=deadline), job.digests)
        if sum(not_noted) > 0:
            context.budget.count_more(job.posted_to, sum(not_noted), deadline)
        in_parallel(partial(_note, context, twin=twin, deadline=deadline), job.digests)


def _max_usd(context: BatchContext, digest: str, twin: str, deadline: Deadline) -> float:
    """What the request may cost in the twin; 0 where that is noted already."""
    request, _ = context.requests.read(digest, deadline)
    return request.max_usd if request is not None and twin not in request.twins else 0.0


def _note(context: BatchContext, digest: str, twin: str, deadline: Deadline) -> None:
    def changed(stored: BatchRequest | None) -> BatchRequest | None:
        if stored is None or twin in stored.twins:
            return None
        return stored.model_copy(update={"twins": (*stored.twins, twin)})

    context.requests.change(digest, changed, deadline)
