"""What `status` says of batches: jobs that are under way, and what waits for one."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from function.batch.sweep import all_jobs
from function.batch.waiting import marks
from function.deadline import Deadline
from function.storage.client import Storage
from function.tools.cli.terminal import counted
from function.tools.timeouts import LISTING_S


@dataclass(frozen=True)
class BatchSummary:
    """`states` counts open jobs by state, `pictures` what they hold; `oldest_s` is the age of the oldest of them."""

    states: dict[str, int]
    pictures: int
    waiting: int
    oldest_s: int

    def __str__(self) -> str:
        jobs = ", ".join(f"{count:,} {state}" for state, count in sorted(self.states.items()))
        parts = [f"{counted(self.pictures, 'picture')} in jobs ({jobs}; the oldest for {self.oldest_s // 60:,} min)"]
        return "; ".join((parts if self.states else []) + [f"{self.waiting:,} wait for a job"])


def batch_summary(storage: Storage, bucket: str) -> BatchSummary | None:
    """Of all of an output bucket; None when nothing is asked for in batches. Raises StorageUnavailableError,
    AccessDeniedError."""
    deadline = Deadline(LISTING_S)
    open_jobs = [job for job in all_jobs(storage, bucket, deadline) if job.state != "closed"]
    waiting = sum(1 for _ in marks(storage, bucket, deadline))
    if not open_jobs and not waiting:
        return None
    return BatchSummary(
        dict(Counter(job.state for job in open_jobs)),
        sum(len(job.digests) for job in open_jobs),
        waiting,
        round(time.time() - min((job.created for job in open_jobs), default=time.time())),
    )
