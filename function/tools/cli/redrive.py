"""`python -m function redrive`: finds manifests that are not settled and has them delivered again."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import click

from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.lease import is_held
from function.errors import CompositeError
from function.storage.client import AccessDeniedError, Storage, StoredObject
from function.storage.names import gs_uri
from function.tools.cli.odd_objects import OddObjects, shown
from function.tools.cli.reupload import UnreadableObjectError, write_again
from function.tools.cli.sidecar_index import Settled, SettledReader, list_manifests, unsettled
from function.tools.cli.terminal import bucket_and_prefix, counted, fail, open_storage
from function.tools.explain import UsageError
from function.tools.timeouts import CALL_S

WORKERS = 8  # as many as one function instance takes at once

HELP = """\
Finds manifests and catalogues without a sidecar of their present upload: lost events, and dead letters, which the
queue has delivered 100 times without success (about 16 hours), for example after a long pause. It needs only the
buckets to find them. Each is written over itself, which is a new upload with a new event and its full patience. A
manifest that a delivery holds at this moment is left alone.

What is settled is not done again. A fault that lasted for an hour from the first delivery (EVENT_MAX_AGE_S) is
settled too, as failed: --failed delivers the failures again.

\b
  python -m function redrive gs://input --output gs://output --dry-run
  python -m function redrive gs://input/spring --output gs://output
  python -m function redrive gs://input/spring --output gs://output --failed
  python -m function redrive gs://input --output gs://output --url http://localhost:8080

--url posts the events to a function instead (one that this machine can reach without a login) and waits for its
answers; nothing is written then.
"""


@click.command(help=HELP)
@click.argument("source", metavar="gs://INPUT[/PREFIX]", help="where the manifests are")
@click.option(
    "--output", metavar="gs://OUTPUT", help="where the sidecars are (default: OUTPUT_BUCKET of the environment)"
)
@click.option("--failed", "with_failed", is_flag=True, help="what is settled as failed, too")
@click.option("--dry-run", is_flag=True, help="only say which, and why")
@click.option("--url", metavar="URL", help="post the events to this function")
def redrive(source: str, output: str | None, with_failed: bool, dry_run: bool, url: str | None) -> int:
    """Find, say, deliver. 0: all delivered; 1: some could not be; 2: it could not be done."""
    try:
        if with_failed and url:
            raise UsageError("a failed pair is settled: it needs a new upload, so --failed goes without --url")
        bucket, prefix = bucket_and_prefix(source)
        output_bucket = _output_bucket(output)
        storage = open_storage(output_bucket, bucket)
        settled = SettledReader(storage, OddObjects()).list(output_bucket, prefix)
        manifests = list_manifests(storage, bucket, prefix)
        found = unsettled(manifests, settled)
        failed = _failed(manifests, settled) if with_failed else []
        done = _deliver(found, failed, storage, output_bucket, url, dry_run=dry_run)
    except (UsageError, CompositeError, AccessDeniedError, OSError) as error:
        return fail(error)
    except KeyboardInterrupt:
        return fail("stopped", code=130)
    return 0 if done else 1


def _output_bucket(uri: str | None) -> str:
    name = uri or os.environ.get("OUTPUT_BUCKET")
    if not name:
        raise UsageError("say --output gs://OUTPUT (or set OUTPUT_BUCKET)")
    return bucket_and_prefix(name if name.startswith("gs://") else f"gs://{name}")[0]


def _failed(manifests: list[StoredObject], settled: dict[str, Settled]) -> list[tuple[StoredObject, str]]:
    found = []
    for stored in manifests:
        known = settled.get(gs_uri(stored.bucket, stored.name))
        if known and known.status == "failed" and known.generation >= stored.generation:
            found.append((stored, f"it failed: {known.error_code or 'unknown'}"))
    return found


def _deliver(
    found: list[tuple[StoredObject, str]],
    failed: list[tuple[StoredObject, str]],
    storage: Storage,
    output: str,
    url: str | None,
    *,
    dry_run: bool,
) -> bool:
    """Deliver `found`, which a delivery may be at work on, and `failed`, which is settled → whether all went well."""
    everything = [(*one, True) for one in found] + [(*one, False) for one in failed]
    if not everything:
        print("everything is settled; nothing to deliver")
        return True

    def one(item: tuple[StoredObject, str, bool]) -> tuple[bool, str]:
        stored, why, may_be_held = item
        said = f"{shown(gs_uri(stored.bucket, stored.name))}: {why}"
        upload = Upload("", stored.bucket, stored.name, stored.generation, datetime.now(UTC))
        if may_be_held and is_held(storage, output, upload, Deadline(CALL_S)):
            return True, f"{said}; left alone, a delivery is at work on it"
        if dry_run:
            return True, f"{said}; would be delivered again"
        delivered, outcome = (_poster(url) if url else _writer(storage))(stored)
        return delivered, f"{said}; {outcome}"

    good = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for delivered, said in pool.map(one, everything):
            print(said, flush=True)
            good += delivered
    if dry_run:
        print(f"{counted(len(everything), 'manifest')} found; nothing was done (--dry-run)")
    elif good < len(everything):
        print(f"{good:,} of {counted(len(everything), 'manifest')} seen to")
    return good == len(everything)


def _writer(storage: Storage) -> Callable[[StoredObject], tuple[bool, str]]:
    def write(stored: StoredObject) -> tuple[bool, str]:
        try:
            if write_again(storage, stored):
                return True, "written again"
        except (UnreadableObjectError, AccessDeniedError) as problem:
            return False, f"left as it is: {shown(str(problem))}"
        return True, "replaced or deleted meanwhile; nothing to do"

    return write


def _poster(url: str) -> Callable[[StoredObject], tuple[bool, str]]:
    from function.tools.local.event_relay import post_event  # noqa: PLC0415

    def post(stored: StoredObject) -> tuple[bool, str]:
        resource = {"bucket": stored.bucket, "name": stored.name, "generation": stored.generation}
        status = post_event(url, resource, uuid.uuid4().hex)
        if 200 <= status < 300:
            return True, "delivered and settled"
        return False, f"answered {status}: not settled" if status else "no answer"

    return post
