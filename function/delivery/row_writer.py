"""The rows of a catalogue → pair manifests in the input bucket: their names, their bytes, and how they are written.

A row's manifest carries the catalogue it comes from and that one's generation. What already stands is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from itertools import islice

from function.delivery.cloud_event import Upload
from function.delivery.persons_request import is_of
from function.delivery.services import Delivery
from function.errors import (
    ForbiddenReferenceError,
    InvalidManifestError,
    StorageUnavailableError,
    SupersededError,
    TransientError,
)
from function.manifest.parse import manifest_from
from function.manifest.references import manifest_targets, references_one_folder_deeper
from function.manifest.spreadsheet import Row
from function.manifest.style import style_object
from function.settings import Settings
from function.sidecar.catalogue import RefusedRow
from function.storage.client import AccessDeniedError, StoredObject, crc32c
from function.storage.compare_and_swap import WriteContentionError, compare_and_swap
from function.storage.names import MAX_OBJECT_NAME_BYTES, gs_uri, is_style

CATALOGUE_KEY = "catalogue"  # custom metadata of a row's manifest: gs:// name of the catalogue …
CATALOGUE_GENERATION_KEY = "catalogue-generation"  # … and the generation that it was written for
BUDGET_FIELD = "budget_usd"
WRITERS = 32  # a write takes Cloud Storage 30 to 100 ms: 10,000 rows in about half a minute
BATCH_ROWS = 512  # between two checks of the deadline and of the lease
MAX_REASON_CHARS = 500
LONGEST_ROW_NAME = "/000001.json"


class RowRefusedError(Exception):
    """A row that cannot be written for good; the message says why."""


def rows_prefix(catalogue: str) -> str:
    """What the names of its rows' manifests begin with: `a/spring.csv` → `a/spring/`."""
    return catalogue.rpartition(".")[0] + "/"


def row_name(catalogue: str, number: int, name: str | None = None) -> str:
    """Object name of one row's manifest: `a/spring/NAME.json`, and of one without a name `a/spring/000001.json`."""
    return f"{rows_prefix(catalogue)}{name or f'{number:06}'}.json"


def catalogue_of(upload: Upload, metadata: dict[str, str]) -> str | None:
    """gs:// name of the catalogue that a pair manifest is a row of; None for any other, whatever its metadata says."""
    stated = metadata.get(CATALOGUE_KEY, "")
    bucket, _, name = stated.removeprefix("gs://").partition("/")
    is_row = bucket == upload.bucket and "." in name and upload.name.startswith(rows_prefix(name))
    return stated if is_row else None


@dataclass(frozen=True)
class RowManifest:
    """The pair manifest of one row: its object name and its bytes."""

    name: str
    body: bytes


def row_manifest(row: Row, upload: Upload, settings: Settings) -> RowManifest:
    """The pair manifest of one row, as it is stored. The same row always gives the same bytes.

    Raises InvalidManifestError, ForbiddenReferenceError.
    """
    try:
        fields = row.read()
    except ValueError as problem:
        raise InvalidManifestError(str(problem)) from None
    # The budget is the catalogue's: in its rows it would make every one of them another when it is raised.
    if isinstance(fields, dict):
        fields = {name: value for name, value in fields.items() if name != BUDGET_FIELD}
    manifest = manifest_from(fields, settings)
    manifest_targets(manifest, settings, upload.bucket, upload.name)
    style_object(manifest, settings, upload.bucket, upload.name)
    fields = manifest.model_dump(mode="json", exclude_unset=True)
    references_one_folder_deeper(fields)
    body = (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()
    name = row_name(upload.name, row.number, manifest.name)
    if len(name.encode()) > MAX_OBJECT_NAME_BYTES:
        raise InvalidManifestError("name: it is too long together with the catalogue's own")
    return RowManifest(name, body)


class NamesTaken:
    """The names that rows of one catalogue have; on many computers files that differ in case are one."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def take(self, name: str, row: Row) -> None:
        """Raises InvalidManifestError when another row has it."""
        first = self._rows.setdefault(name.casefold(), row.number)
        if first != row.number:
            raise InvalidManifestError(f"name: row {first} has this name too")


def check_name(name: str) -> None:
    """Raises InvalidManifestError when its rows could not be named after it."""
    stem = name.rpartition(".")[0]
    if not stem or stem.endswith("/"):
        raise InvalidManifestError("the catalogue needs a name before its suffix: its rows are named after it")
    if is_style(f"{stem}{LONGEST_ROW_NAME}"):
        raise InvalidManifestError("the catalogue cannot have this name: its rows would lie where style profiles are")
    if len(f"{stem}{LONGEST_ROW_NAME}".encode()) > MAX_OBJECT_NAME_BYTES:
        raise InvalidManifestError("the catalogue's name is too long: its rows' names would not fit after it")


class RowWriter:
    """Writes the rows of one catalogue and counts them.

    `existing` rows have their manifest, `written` of them by this run; the others are `refused`, in no order.
    """

    def __init__(self, delivery: Delivery):
        self._upload, self._deadline = delivery.upload, delivery.deadline
        self._storage, self._settings = delivery.storage, delivery.services.settings
        self.existing = self.written = 0
        self.refused: list[RefusedRow] = []
        self._names = NamesTaken()

    def write(self, rows: list[Row], before_batch: Callable[[], None]) -> None:
        """Have every good row's manifest stored; `before_batch` may raise to stop.

        Raises SupersededError, StorageUnavailableError, and InvalidManifestError when not one row can be used.
        """
        prefix = rows_prefix(self._upload.name)
        existing = {one.name: one for one in self._storage.list(self._upload.bucket, prefix, self._deadline)}
        waiting = iter(rows)
        with ThreadPoolExecutor(max_workers=WRITERS) as pool:
            while batch := list(islice(waiting, BATCH_ROWS)):
                before_batch()
                self._write_batch(pool, batch, existing)
        if not self.existing:
            first = self.refused[0]
            raise InvalidManifestError(f"none of the {len(rows):,} rows can be used; row {first.row}: {first.reason}")

    def _write_batch(self, pool: ThreadPoolExecutor, batch: list[Row], existing: dict[str, StoredObject]) -> None:
        futures = {}
        for row in batch:
            try:
                made = row_manifest(row, self._upload, self._settings)
                self._names.take(made.name, row)
            except (InvalidManifestError, ForbiddenReferenceError) as error:
                self._refuse(row, error.message)
            else:
                stored = existing.get(made.name)
                futures[pool.submit(copy_context().run, self._write_row, made.name, made.body, stored)] = row
        done, pending = wait(futures, return_when=FIRST_EXCEPTION)
        if any(future.exception() and not isinstance(future.exception(), RowRefusedError) for future in done):
            for future in pending:  # the batch is given up; what is under way is waited for
                future.cancel()
            done = wait(futures).done
        failures = []
        for future, row in futures.items():
            if future.cancelled():
                continue
            failure = future.exception()
            if isinstance(failure, RowRefusedError):
                self._refuse(row, str(failure))
            elif failure is not None:
                failures.append(failure)
            else:
                self.existing += 1
                self.written += future.result()
        if failures:
            raise next((one for one in failures if not isinstance(one, TransientError)), failures[0])

    def _write_row(self, name: str, body: bytes, existing: StoredObject | None) -> bool:
        """Have `body` stored under `name` → whether it had to be written. Raises RowRefusedError, SupersededError."""
        bucket = self._upload.bucket
        try:
            return compare_and_swap(
                self._storage, bucket, name, body, "application/json", self._deadline,
                metadata={CATALOGUE_KEY: self._upload.uri, CATALOGUE_GENERATION_KEY: str(self._upload.generation)},
                may_replace=lambda stored: not self._may_stay(stored, body),
                existing=existing,
            )  # fmt: skip
        except WriteContentionError as contention:
            raise StorageUnavailableError(str(contention)) from None
        except AccessDeniedError as error:
            # An identity that may only create is told so whether or not the object is its own, earlier write.
            stored = self._storage.stat(bucket, name, self._deadline)
            if stored is None:
                raise StorageUnavailableError(f"the row's manifest may not be written: {error}") from None
            if self._may_stay(stored, body):
                return False
            raise RowRefusedError(
                f"{gs_uri(bucket, name)} belongs to an older row, and this function's identity may not replace "
                "objects there (storage.objects.delete)"
            ) from None

    def _may_stay(self, stored: StoredObject, body: bytes) -> bool:
        """Whether what is stored is left alone. Raises RowRefusedError for another's object, SupersededError for a
        newer one."""
        if stored.crc32c == crc32c(body) and stored.size == len(body):
            return True
        try:
            generation = int(stored.metadata[CATALOGUE_GENERATION_KEY])
        except (KeyError, ValueError):
            generation = None
        if generation is None or stored.metadata.get(CATALOGUE_KEY) != self._upload.uri:
            raise RowRefusedError(
                f"{gs_uri(stored.bucket, stored.name)} was not written by this catalogue; it is left alone"
            )
        if generation > self._upload.generation:
            raise SupersededError("a newer generation of this catalogue is in progress")
        if is_of(body, stored.metadata):
            return True  # a person has asked for another picture of the row as it is
        return generation == self._upload.generation

    def _refuse(self, row: Row, reason: str) -> None:
        if len(reason) > MAX_REASON_CHARS:
            reason = reason[: MAX_REASON_CHARS - 1] + "…"
        self.refused.append(RefusedRow(row=row.number, line=row.line, reason=reason))
