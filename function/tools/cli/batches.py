"""`python -m function batches list|cancel|sweep`: jobs that are under way, brought to their end, looked at now."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import click

from function.batch.names import JOBS
from function.batch.records import Job, job_records, request_records
from function.batch.sweep import all_jobs
from function.batch.waiting import FINISH_BY, marks
from function.deadline import Deadline
from function.errors import CompositeError
from function.settings import InvalidSettingsError, Settings
from function.storage.client import AccessDeniedError, ObjectNotFoundError, Storage
from function.tools.cli.odd_objects import shown
from function.tools.cli.terminal import bucket_and_prefix, confirmed, counted, fail, open_storage
from function.tools.explain import UsageError
from function.tools.timeouts import LISTING_S

HELP = """\
Pairs that ask for batches (`submit --batch`) wait for a job; a job is answered within hours, at half the price.

\b
  list    the jobs of the last week: state, age, how many pictures, what went wrong; and what waits for a job
  cancel  a job's time is up now (JOB as listed, or `all`, with what waits too): the service is asked to end it, and
          what it has not answered by then is asking now, at full price
  sweep   what the scheduler does every few minutes: looks at jobs, collects, makes new ones. It takes the function's
          own environment (OUTPUT_BUCKET, BATCH_BUCKET, how the model is reached)

\b
  python -m function batches list gs://output
  python -m function batches cancel gs://output all
  python -m function batches sweep
"""


@click.command(help=HELP)
@click.argument("action", type=click.Choice(["list", "cancel", "sweep"]))
@click.argument("target", required=False, metavar="[gs://OUTPUT]", help="default: OUTPUT_BUCKET of the environment")
@click.argument("job", required=False, metavar="[JOB]", help="of cancel: a job's id, or all")
@click.option("--json", "as_json", is_flag=True, help="of list: print JSON, one object a line")
@click.option("--yes", is_flag=True, help="of cancel: do not ask")
def batches(action: str, target: str | None, job: str | None, as_json: bool, yes: bool) -> int:
    """0: done; 1: no such job, or another sweep is in progress; 2: it could not be done."""
    try:
        if action == "sweep":
            return _sweep()
        bucket = _output_bucket(target)
        storage = open_storage(bucket)
        if action == "list":
            return _list(storage, bucket, as_json=as_json)
        return _cancel(storage, bucket, job, yes=yes)
    except (UsageError, InvalidSettingsError, CompositeError, AccessDeniedError, OSError) as error:
        return fail(error)
    except KeyboardInterrupt:
        return fail("stopped", code=130)


def _output_bucket(uri: str | None) -> str:
    name = uri or os.environ.get("OUTPUT_BUCKET")
    if not name:
        raise UsageError("say gs://OUTPUT (or set OUTPUT_BUCKET)")
    return bucket_and_prefix(name if name.startswith("gs://") else f"gs://{name}")[0]


def _list(storage: Storage, bucket: str, *, as_json: bool) -> int:
    deadline = Deadline(LISTING_S)
    jobs, waiting = all_jobs(storage, bucket, deadline), sum(1 for _ in marks(storage, bucket, deadline))
    if as_json:
        for job in jobs:
            print(json.dumps(_described(job)))
        print(json.dumps({"waiting": waiting}))
        return 0
    for job in jobs:
        print(_line(job))
    print(f"{counted(waiting, 'picture')} {'waits' if waiting == 1 else 'wait'} for a job")
    return 0


def _described(job: Job) -> dict[str, Any]:
    fields = job.model_dump(exclude={"keys", "digests", "posted_to"})
    return {**fields, "requests": len(job.digests), "age_s": round(time.time() - job.created)}


def _line(job: Job) -> str:
    state = f"{job.state} ({job.service_state})" if job.service_state else job.state
    said = [f"{job.id}  {state}, {counted(len(job.digests), 'picture')} by {job.model}, {_age(job.created)} old"]
    if job.state == "closed":
        counts = (("answered", job.answered), ("waiting again", job.waiting_again), ("at once", job.asked_at_once))
        said.append(", ".join(f"{count:,} {name}" for name, count in (*counts, ("lost", job.lost)) if count))
    said += [shown(one) for one in (job.catalogue, job.note) if one]
    return "\n    ".join(part for part in said if part)


def _age(created: float) -> str:
    minutes = max(0, round((time.time() - created) / 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _cancel(storage: Storage, bucket: str, job: str | None, *, yes: bool) -> int:
    """Bring the deadline forward to now; the next sweep does the rest."""
    if job is None:
        raise UsageError("say which job, as `batches list` shows it, or all")
    deadline, now = Deadline(LISTING_S), time.time()
    ids = [one.id for one in all_jobs(storage, bucket, deadline) if one.state != "closed" and job in ("all", one.id)]
    waiting = [mark for mark in marks(storage, bucket, deadline) if job == "all"]
    if not ids and not waiting:
        return fail(f"no such job is under way in gs://{bucket}/{JOBS}", code=1)
    open_now = f"{counted(len(ids), 'job')} and {counted(len(waiting), 'waiting picture')}"
    if not confirmed(f"ask for what {open_now} have open at full price?", yes=yes):
        print("nothing was cancelled")
        return 0
    jobs, requests = job_records(storage, bucket), request_records(storage, bucket)
    for one in ids:
        jobs.change(one, lambda stored: stored and stored.model_copy(update={"finish_by": now}), deadline)
    for mark in waiting:
        requests.change(mark.digest, lambda stored: stored and stored.model_copy(update={"finish_by": now}), deadline)
        try:
            storage.update_metadata(bucket, mark.stored.name, {FINISH_BY: f"{now:.3f}"}, deadline)
        except ObjectNotFoundError:
            continue  # a job has taken it meanwhile
    print(f"{open_now} end with the next sweep")
    return 0


def _sweep() -> int:
    from function.delivery.batch_files import run_sweep  # noqa: PLC0415
    from function.service import Service  # noqa: PLC0415

    settings = Settings.from_environment()
    if settings.batch_bucket is None:
        raise UsageError("BATCH_BUCKET is not set")
    swept = run_sweep(Service(settings).services(), Deadline(settings.event_deadline_s))
    if swept is None:
        return fail("another sweep is in progress", code=1)
    print(f"{swept.looked_at:,} jobs looked at, {swept.created:,} made, {swept.closed:,} closed")
    return 0
