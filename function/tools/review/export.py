"""`python -m function export`: what is approved, under names that people know, with a table of everything."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from function.deadline import Deadline
from function.errors import CompositeError
from function.storage.client import (
    AccessDeniedError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    PreconditionFailedError,
    Storage,
    StoredObject,
    crc32c,
)
from function.storage.content_encoding import DamagedContentError
from function.storage.names import gs_uri, split_gs_uri
from function.tools.cli.odd_objects import OddObjects, shown
from function.tools.cli.terminal import Progress, bucket_and_prefix, counted, fail, open_storage
from function.tools.explain import UsageError
from function.tools.review.cloud import MAX_BYTES, CloudStore
from function.tools.review.export_plan import TABLE, Exported, plan, table
from function.tools.review.pair import load_pairs, uri_of
from function.tools.timeouts import DOWNLOAD_S, UPLOAD_S

HELP = """\
Copies the approved pictures under a prefix of the output bucket into a folder or another bucket, named by a label
(--name-by sku) or as they are, with a table, export.csv: what is approved and by whom, what is rejected and why, and
what is not decided yet.

\b
  python -m function export gs://output/spring approved
  python -m function export gs://output/spring gs://shop/spring --name-by sku

Approved is what a person has accepted, and what every check has accepted as long as no person has rejected it;
with --by-people only the first. --link makes symbolic links to pictures that lie in FOLDER/results of `local`.
Run it again as more is decided: what was exported already is left, and what is not approved any more is removed
from a folder if it was copied by this command.
"""

COPIERS = 8


@click.command(help=HELP)
@click.argument("source", metavar="gs://OUTPUT[/PREFIX]", help="where the pictures are")
@click.argument("target", metavar="FOLDER|gs://BUCKET[/PREFIX]", help="where they go")
@click.option("--name-by", metavar="LABEL", help="a label to name them by, such as sku; default: their names")
@click.option("--by-people", is_flag=True, help="only what a person has accepted")
@click.option("--link", type=click.Path(path_type=Path), metavar="RESULTS", help="link to the pictures in this folder")
def export(source: str, target: str, name_by: str | None, by_people: bool, link: Path | None) -> int:
    """Copy and say. 0: done; 1: there is nothing to export, or a picture is gone; 2: it could not be done."""
    try:
        storage = open_storage(bucket_and_prefix(source)[0])
        pairs = list(load_pairs(CloudStore(storage), source, OddObjects().name))
        if not pairs:
            return fail(f"no settled pair under {source} yet", code=1)
        found = plan(pairs, name_by, by_people=by_people)
        if target.startswith("gs://"):
            if link:
                raise UsageError("--link is for a folder")
            missing = _to_bucket(storage, found, target)
        else:
            missing = _to_folder(storage, found, Path(target), link)
    except (UsageError, CompositeError, AccessDeniedError, ValueError, OSError) as error:
        return fail(error)
    for name in missing:
        print(f"{shown(name)}: the picture is not there any more", file=sys.stderr)
    approved = sum(one.approved for one in found) - len(missing)
    rejected = sum(pair.decision == "reject" for pair in pairs)
    print(f"{counted(approved, 'approved picture')} in {target}, of {counted(len(pairs), 'pair')}; "
          f"{rejected:,} rejected (see {TABLE})")  # fmt: skip
    return 1 if missing else 0


def _read(storage: Storage, one: Exported) -> bytes | None:
    bucket, name = split_gs_uri(str(uri_of(one.record)))
    try:
        return storage.read(bucket, name, Deadline(DOWNLOAD_S), limit=MAX_BYTES)
    except (ObjectNotFoundError, ObjectTooLargeError, DamagedContentError):
        return None


def _to_folder(storage: Storage, found: list[Exported], folder: Path, results: Path | None) -> list[str]:
    """Copy, or link, what is approved; remove what this command had copied and is not any more → names of the gone."""
    folder.mkdir(parents=True, exist_ok=True)
    before = _listed(folder)
    wanted = [one for one in found if one.approved]
    progress = Progress("pictures ", len(wanted))

    def put(one: Exported) -> str | None:
        path = folder / one.file
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if results is not None:
                return _link(path, results / split_gs_uri(str(uri_of(one.record)))[1], one)
            content = _read(storage, one)
            if content is None:
                return one.pair.name
            _replace(path, content)
            return None
        finally:
            progress.add()

    with ThreadPoolExecutor(COPIERS) as pool:
        missing = [name for name in pool.map(put, wanted) if name]
    progress.close()
    for name in before - {one.file for one in wanted}:
        (folder / name).unlink(missing_ok=True)
    _replace(folder / TABLE, table(found))
    return missing


def _listed(folder: Path) -> set[str]:
    """The files that an earlier export into this folder has listed, and that lie in it."""
    try:
        with (folder / TABLE).open(encoding="utf-8-sig", newline="") as file:
            names = {row.get("file") or "" for row in csv.DictReader(file)}
    except OSError:
        return set()
    inside = folder.resolve()
    return {name for name in names if name and (folder / name).parent.resolve().is_relative_to(inside)}


def _link(path: Path, target: Path, one: Exported) -> str | None:
    if not target.is_file():
        return one.pair.name
    path.unlink(missing_ok=True)
    path.symlink_to(os.path.relpath(target.resolve(), path.parent.resolve()))
    return None


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; one that holds the same is left."""
    if (
        path.is_file()
        and not path.is_symlink()
        and path.stat().st_size == len(content)
        and path.read_bytes() == content
    ):
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
        part.write(content)
    Path(part.name).chmod(0o644)
    Path(part.name).replace(path)


def _to_bucket(storage: Storage, found: list[Exported], target: str) -> list[str]:
    bucket, prefix = bucket_and_prefix(target)
    start = f"{prefix}/" if prefix else ""
    wanted = [one for one in found if one.approved]
    progress = Progress("pictures ", len(wanted))

    def put(one: Exported) -> str | None:
        try:
            content = _read(storage, one)
            if content is None:
                return one.pair.name
            kind = str(one.record.get("mime_type") or "application/octet-stream")
            _store(storage, bucket, start + one.file, content, kind)
            return None
        finally:
            progress.add()

    with ThreadPoolExecutor(COPIERS) as pool:
        missing = [name for name in pool.map(put, wanted) if name]
    progress.close()
    _store(storage, bucket, start + TABLE, table(found), "text/csv")
    return missing


def _store(storage: Storage, bucket: str, name: str, content: bytes, kind: str) -> None:
    deadline = Deadline(UPLOAD_S)
    stored: StoredObject | None = storage.stat(bucket, name, deadline)
    if stored and (stored.size, stored.crc32c) == (len(content), crc32c(content)):
        return
    try:
        generation = stored.generation if stored else 0
        storage.write(bucket, name, content, kind, deadline, if_generation=generation, metadata={})
    except PreconditionFailedError:
        raise UsageError(f"{gs_uri(bucket, name)} is being written by another program") from None
