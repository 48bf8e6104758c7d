"""What the records and files of batches are called: records in the output bucket, files in BATCH_BUCKET."""

from __future__ import annotations

import hashlib
import re

from function.storage.names import WORK_PREFIX

RECORDS = f"{WORK_PREFIX}batch/"
JOBS = f"{RECORDS}jobs/"
WAITING = f"{RECORDS}waiting/"
SWEEP = f"{RECORDS}sweep"  # what the sweep's lease is named after
RESULTS_FILE = re.compile(r"jobs/(?P<job>[0-9a-f]{32})/results/(?:.+/)?predictions\.jsonl")
RANGE_FILE = re.compile(r"jobs/(?P<job>[0-9a-f]{32})/ranges/[0-9a-f]{16}-\d{6}\.json")


def request_name(digest: str) -> str:
    """Record of one request."""
    return f"{RECORDS}requests/{digest}.json"


def waiting_name(digest: str) -> str:
    """Mark of a request that waits for a job, so that a listing finds it."""
    return f"{WAITING}{digest}"


def job_name(job: str) -> str:
    """Record of one job."""
    return f"{JOBS}{job}.json"


def collected_prefix(job: str) -> str:
    """Marks of what is collected of a job's results."""
    return f"{RECORDS}collected/{job}/"


def image_name(sha256: str) -> str:
    """An image that requests refer to."""
    return f"images/{sha256}"


def lines_name(job: str) -> str:
    """The requests of a job, one a line."""
    return f"jobs/{job}/requests.jsonl"


def results_prefix(job: str) -> str:
    """Where a job's results appear."""
    return f"jobs/{job}/results/"


def piece_name(job: str, file_number: int, number: int) -> str:
    """One piece of results that were fetched as a file; a job that was made twice has two."""
    return f"{results_prefix(job)}file-{file_number}-piece-{number:06}/predictions.jsonl"


def range_id(results: str, generation: int, number: int) -> str:
    """A range of a results file, by its number from 0."""
    return f"{hashlib.sha256(f'{results}#{generation}'.encode()).hexdigest()[:16]}-{number:06}"


def range_name(job: str, range_of: str) -> str:
    """The object whose event has a range collected."""
    return f"jobs/{job}/ranges/{range_of}.json"
