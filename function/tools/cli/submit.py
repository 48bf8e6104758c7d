"""`python -m function submit`: checks a folder or a spreadsheet, says what it will cost, and uploads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from function.deadline import Deadline
from function.delivery.batch_pair import BATCH_KEY, FINISH_BY_KEY
from function.errors import CompositeError
from function.manifest.model import timestamp_s
from function.settings import InvalidSettingsError, Settings
from function.storage.client import AccessDeniedError, PreconditionFailedError, Storage, StoredObject
from function.storage.names import gs_uri, is_style
from function.tools.cli.cost import by_batch, estimate
from function.tools.cli.folder_documents import LocalFile
from function.tools.cli.reupload import write_again
from function.tools.cli.terminal import (
    Progress,
    bucket_and_prefix,
    confirmed,
    counted,
    fail,
    limits_here,
    megabytes,
    open_storage,
)
from function.tools.cli.upload_plan import Plan, make_plan
from function.tools.explain import UsageError
from function.tools.timeouts import UPLOAD_S

UPLOADERS = 16
PROBLEMS_SHOWN = 20

HELP = """\
Uploads a folder of pair manifests (.json) and catalogues (.csv, .jsonl), or one of them, with the images that
they name. Everything is checked first: manifests, references, images against the function's limits. Then it says
what the pictures will cost, and asks. Images go first and manifests last, so no manifest waits for its images.

Files that are in the bucket unchanged are not uploaded again. So you can run it again: after an interruption it
continues, after a change only the pairs that changed are made.

\b
  python -m function submit spring.csv gs://input --dry-run
  python -m function submit spring.csv gs://input
  python -m function submit ./spring gs://input/2027/spring --yes
  STORAGE_EMULATOR_HOST=http://localhost:4443 python -m function submit ./spring gs://input

Relative names in a manifest or a spreadsheet are relative to the folder it lies in. A style that they name goes
from FOLDER/_styles/NAME.json to where the function looks for it, gs://INPUT/_styles/NAME.json.

Limits and the model are read from this environment where it states them (MAX_ATTEMPTS, MAX_SOURCE_BYTES,
MAX_SOURCE_PIXELS, SOURCE_FORMATS, GEMINI_MODEL, ALLOWED_MODELS, ALLOWED_BUCKETS,
ALLOWED_PREFIXES), as the function reads them from its own.
"""


@click.command(help=HELP)
@click.argument("source", type=click.Path(path_type=Path), metavar="FOLDER-OR-CSV")
@click.argument("target", metavar="gs://INPUT[/PREFIX]", help="the function's input bucket")
@click.option("--dry-run", is_flag=True, help="only check, and say what would be uploaded")
@click.option("--yes", is_flag=True, help="do not ask before uploading")
@click.option("--batch", is_flag=True, help="in batches: half the price, within a day or two")
@click.option("--finish-by", metavar="TIME", help="with --batch: 2027-03-01T08:00:00Z; default: after 48 h")
@click.option("--skip-bad", is_flag=True, help="upload what is good when something is not")
def submit(
    source: Path, target: str, dry_run: bool, yes: bool, batch: bool, finish_by: str | None, skip_bad: bool
) -> int:
    """Check, say, ask, upload. 0: uploaded; 1: something is wrong with the files; 2: it could not be done."""
    try:
        bucket, prefix = bucket_and_prefix(target)
        settings = limits_here()
        storage, unknown = _open(bucket, dry_run=dry_run)
        wish = batch_wish(batch, finish_by)
        plan = make_plan(source, bucket, prefix, settings, storage, wish, skip_bad=skip_bad)
        if unknown:
            print(f"note: {unknown}\n      what gs://{bucket} holds is not known, so everything counts as new")
        if plan.problems:
            _tell_problems(plan)
            if not skip_bad:
                return fail("nothing was uploaded; fix these, or add --skip-bad", code=1)
        if not (plan.new_images or plan.new_documents or plan.rows_to_run_again):
            print("everything is in the bucket already; nothing to do")
            return 0
        _tell_plan(plan, target, settings)
        if dry_run:
            print("nothing was uploaded (--dry-run)")
            return 0
        if not confirmed("upload?", yes=yes):
            print("nothing was uploaded")
            return 0
        if storage:
            _upload(plan, bucket, storage, wish)
    except (UsageError, InvalidSettingsError, CompositeError, AccessDeniedError, OSError) as error:
        return fail(error)
    except KeyboardInterrupt:
        return fail("stopped; what is uploaded stays, and running it again goes on", code=130)
    output = os.environ.get("OUTPUT_BUCKET") or "OUTPUT"
    place = f"gs://{output}/{prefix}".rstrip("/")
    print(f"uploaded. Follow it with:\n  python -m function status {place} --watch")
    return 0


def _open(bucket: str, *, dry_run: bool) -> tuple[Storage | None, str]:
    """The storage; a dry run goes without, and says why. Raises UsageError."""
    try:
        return open_storage(bucket), ""
    except UsageError as problem:
        if dry_run:
            return None, str(problem)
        raise


def _tell_problems(plan: Plan) -> None:
    for problem in plan.problems[:PROBLEMS_SHOWN]:
        print(f"  {problem}")
    if len(plan.problems) > PROBLEMS_SHOWN:
        print(f"  … and {len(plan.problems) - PROBLEMS_SHOWN:,} more")


def _tell_plan(plan: Plan, target: str, settings: Settings) -> None:
    size = sum(file.size for file in plan.new_images)
    styles = sum(is_style(file.name) for file in plan.new_images)
    images = counted(len(plan.new_images) - styles, "image") + (f", {counted(styles, 'style')}" if styles else "")
    print(f"{_documents_said(plan)} and {images} ({megabytes(size)}) go to {target}")
    kept = len(plan.images) - len(plan.new_images) + len(plan.documents) - len(plan.new_documents)
    if kept:
        print(f"  {counted(kept, 'file')} {'is' if kept == 1 else 'are'} in the bucket already and will be left alone")
    if plan.foreign_buckets:
        names = ", ".join(sorted(plan.foreign_buckets))
        print(f"  the function must be allowed to read {names} (ALLOWED_BUCKETS)")
    print(f"  {counted(len(plan.pairs_to_make), 'pair')} to make")
    if plan.reused:
        same = "the model is told nothing new"
        print(f"  {counted(len(plan.reused), 'pair')} of them with a picture that is paid for already: {same}")
    if plan.paid:
        print(f"  cost: {estimate((pair.manifest for pair in plan.paid), settings)}")
        print(f"        {by_batch([pair.manifest for pair in plan.paid], settings)}")
    elif plan.reused:
        print("  cost: nothing")


def _documents_said(plan: Plan) -> str:
    catalogues = sum(document.is_catalogue for document in plan.new_documents)
    manifests = len(plan.new_documents) - catalogues
    parts = [counted(number, noun) for number, noun in ((manifests, "manifest"), (catalogues, "catalogue")) if number]
    return ", ".join(parts) or "no manifest"


def batch_wish(batch: bool, finish_by: str | None) -> dict[str, str]:
    """The custom metadata of manifests and catalogues that are to go into batches. Raises UsageError."""
    if finish_by is not None and not batch:
        raise UsageError("--finish-by is the deadline of batches: add --batch")
    if finish_by is not None:
        try:
            timestamp_s(finish_by)
        except ValueError as problem:
            raise UsageError(f"--finish-by {problem}") from None
    wish = {BATCH_KEY: "true"} if batch else {}
    return wish | ({FINISH_BY_KEY: finish_by} if finish_by else {})


def _upload(plan: Plan, bucket: str, storage: Storage, wish: dict[str, str]) -> None:
    """Images, then what reads them."""

    def put(file: LocalFile, metadata: dict[str, str] | None = None) -> int:
        content = file.read()
        try:
            storage.write(
                bucket, file.name, content, file.content_type, Deadline(UPLOAD_S),
                if_generation=plan.existing.get(file.name, 0), metadata=metadata or {},
            )  # fmt: skip
        except PreconditionFailedError:
            raise UsageError(f"{gs_uri(bucket, file.name)} is being written by another program") from None
        return file.size

    def put_one(file: LocalFile) -> int:
        put(file, wish)
        return 1

    def again(stored: StoredObject) -> int:
        write_again(storage, stored)  # one that was replaced meanwhile needs it no more
        return 1

    _in_parallel("images   ", plan.new_images, put, sum(file.size for file in plan.new_images), "bytes")
    documents = [document.file for document in plan.new_documents]
    _in_parallel("manifests", documents, put_one, len(documents))
    _in_parallel("rows     ", plan.rows_to_run_again, again, len(plan.rows_to_run_again))


def _in_parallel(doing: str, items: list[Any], work: Callable[[Any], int], total: int, unit: str = "") -> None:
    """Do `work` for every item; the first failure stops what has not begun, and is raised."""
    if not items:
        return
    progress = Progress(doing, total, unit)
    pool = ThreadPoolExecutor(UPLOADERS)
    try:
        for done in pool.map(work, items):
            progress.add(done)
    finally:
        pool.shutdown(cancel_futures=True)
        progress.close()
