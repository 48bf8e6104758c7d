"""A catalogue → one pair manifest a row, written back to the input bucket; the platform's own events do the rest.

A row's manifest carries the catalogue it comes from and that one's generation. What already stands is left alone,
so a delivery that was cut off is taken up where it stopped, and a re-uploaded catalogue starts only the rows that
it changes.
"""

from __future__ import annotations

import json
import time
import traceback
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import islice
from typing import Any

from function.claims import HeldClaim, take_claim
from function.commit import STATUS_KEY, Committer
from function.deadline import Deadline
from function.errors import (
    AtWorkElsewhere,
    CompositeError,
    ManifestInvalid,
    OutputConflict,
    Permanent,
    ReferenceForbidden,
    Superseded,
    Transient,
    Unexpected,
)
from function.events import Upload
from function.job import RELEASE_BUDGET_S, Services, manifest_targets
from function.logs import log
from function.manifest import MAX_OBJECT_NAME_BYTES, manifest_from
from function.rows import MAX_CATALOGUE_BYTES, Row, read_rows
from function.settings import Settings
from function.sidecar import CatalogueSidecar, ErrorRecord, ManifestIdentity, RefusedRow, Timings
from function.storage import Changed, Forbidden, NotFound, Storage, StorageUnavailable, StoredObject, TooLarge, crc32c

CATALOGUE_KEY = "catalogue"  # custom metadata of a row's manifest: gs:// name of the catalogue …
CATALOGUE_GENERATION_KEY = "catalogue-generation"  # … and the generation that it was written for
WRITERS = 32  # a write takes Cloud Storage 30 to 100 ms: 10,000 rows in about half a minute
BATCH_ROWS = 512  # between two looks at the clock and at the claim
MAX_WRITES = 5  # each further one means that somebody else wrote in between
MAX_REFUSED_LISTED = 10_000  # with reasons of MAX_REASON_CHARS a sidecar of a few MB; all of them are counted
MAX_REASON_CHARS = 500
LONGEST_ROW_NAME = "/000001.json"


class RowRefused(Exception):
    """A row that cannot be written for good; the message says why."""


def settle_catalogue(upload: Upload, services: Services, deadline: Deadline) -> None:
    """Bring one catalogue to its sidecar. Returns when it is settled; raises Transient to be called again."""
    bucket = services.settings.output_bucket
    if len(sidecar_name(upload.name).encode()) > MAX_OBJECT_NAME_BYTES:
        log("ERROR", "refused: the catalogue's name is too long for a sidecar beside it", stage="event")
        return
    committer = Committer(services.storage, bucket, upload, deadline)
    try:
        if committer.is_settled(sidecar_name(upload.name)):
            log("INFO", "already settled", stage="claim")
            return
        claim = take_claim(services.storage, bucket, upload, deadline)
    except Superseded as newer:
        log("INFO", f"nothing to do: {newer}", stage="claim")
        return
    except OutputConflict as conflict:
        _Job(upload, services, deadline, None).record_conflict(conflict)
        return
    _Job(upload, services, deadline, claim).settle()


def sidecar_name(catalogue: str) -> str:
    """Object name of a catalogue's sidecar: `a/spring.csv` → `a/spring.csv.json`."""
    return f"{catalogue}.json"


def rows_prefix(catalogue: str) -> str:
    """What the names of its rows' manifests begin with: `a/spring.csv` → `a/spring/`."""
    return catalogue.rpartition(".")[0] + "/"


def row_name(catalogue: str, number: int) -> str:
    """Object name of one row's manifest: `a/spring/000001.json`."""
    return f"{rows_prefix(catalogue)}{number:06}.json"


def row_manifest(row: Row, upload: Upload, settings: Settings) -> bytes:
    """The pair manifest of one row, as it is stored. The same row always gives the same bytes.

    Raises ManifestInvalid, ReferenceForbidden.
    """
    if row.problem is not None:
        raise ManifestInvalid(row.problem)
    manifest = manifest_from(row.fields, settings)
    manifest_targets(manifest, settings, upload)
    fields = manifest.model_dump(mode="json", exclude_unset=True)
    for name in ("product", "scene"):
        if isinstance(fields[name], str):
            fields[name] = _one_folder_deeper(fields[name])
    return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()


def _one_folder_deeper(reference: str) -> str:
    """A reference of the catalogue, as its rows' manifests must say it from the folder that they stand in."""
    if reference.startswith("/") or reference[:5].lower() in ("gs://", "data:"):
        return reference
    return f"../{reference}"


class _Job:
    """A claimed delivery of a catalogue."""

    def __init__(self, upload: Upload, services: Services, deadline: Deadline, claim: HeldClaim | None):
        self._upload, self._services, self._deadline, self._claim = upload, services, deadline, claim
        self._storage: Storage = services.storage
        self._standing_rows = self._written_now = 0
        self._refused: list[RefusedRow] = []
        self._timings: dict[str, int] = {}
        self._started = time.monotonic()

    def settle(self) -> None:
        """Write the rows, then the sidecar. What may pass frees the claim and is raised, until it is too old."""
        try:
            try:
                content = self._read()
                if content is None:
                    return
                self._write_rows(content)
                self._commit(None)
            except OutputConflict:
                raise
            except Permanent as error:
                self._commit(error)
            except Exception as error:  # noqa: BLE001 (recorded, or raised again)
                self._commit(self._for_good(error))
        except Superseded as newer:
            log("INFO", f"stopped: {newer}", stage="commit")
        except OutputConflict as conflict:
            self.record_conflict(conflict)
        except BaseException:
            self._release()
            raise
        finally:
            self._claim.end()

    def record_conflict(self, conflict: OutputConflict) -> None:
        """The sidecar's own place is taken by something else: the error is recorded beside it."""
        name = f"{self._upload.name}.conflict.json"
        try:
            self._commit(conflict, name)
        except (OutputConflict, Superseded) as error:
            log("ERROR", f"{conflict}; and {name} could not be written: {error}", stage="upload")

    def _read(self) -> bytes | None:
        """The catalogue's bytes; None when it was deleted and there is nothing to do."""
        upload, started = self._upload, time.monotonic()
        _check_name(upload.name)
        try:
            content = self._storage.read(
                upload.bucket, upload.name, self._deadline, generation=upload.generation, limit=MAX_CATALOGUE_BYTES
            )
        except NotFound:
            live = self._storage.stat(upload.bucket, upload.name, self._deadline)
            if live is not None and live.generation > upload.generation:
                raise Superseded("the catalogue was replaced before it was read") from None
            log("WARNING", "the catalogue was deleted before it was read; nothing to do", stage="manifest")
            self._release()
            return None
        except TooLarge:
            raise ManifestInvalid(
                f"the catalogue has more than the {MAX_CATALOGUE_BYTES:,} bytes allowed; split it"
            ) from None
        except Forbidden as error:
            raise StorageUnavailable(f"the catalogue cannot be read: {error}", stage="manifest") from None
        self._timings["download"] = _ms_since(started)
        return content

    def _write_rows(self, content: bytes) -> None:
        started = time.monotonic()
        rows = read_rows(self._upload.name, content)
        self._timings["prepare"] = _ms_since(started)
        started = time.monotonic()
        prefix = rows_prefix(self._upload.name)
        standing = {there.name: there for there in self._storage.list(self._upload.bucket, prefix, self._deadline)}
        waiting = iter(rows)
        try:
            with ThreadPoolExecutor(max_workers=WRITERS) as pool:
                while batch := list(islice(waiting, BATCH_ROWS)):
                    self._deadline.within(1, "upload")
                    self._claim.confirm(self._deadline)
                    self._write_batch(pool, batch, standing)
        finally:
            self._timings["upload"] = _ms_since(started)
        if not self._standing_rows:
            first = self._refused[0]
            raise ManifestInvalid(f"none of the {len(rows):,} rows can be used; row {first.row}: {first.reason}")

    def _write_batch(self, pool: ThreadPoolExecutor, batch: list[Row], standing: dict[str, StoredObject]) -> None:
        futures = {}
        for row in batch:
            name = row_name(self._upload.name, row.number)
            try:
                body = row_manifest(row, self._upload, self._services.settings)
            except (ManifestInvalid, ReferenceForbidden) as error:
                self._refuse(row, error.message)
            else:
                futures[pool.submit(copy_context().run, self._place, name, body, standing.get(name))] = row
        done, pending = wait(futures, return_when=FIRST_EXCEPTION)
        if any(future.exception() and not isinstance(future.exception(), RowRefused) for future in done):
            for future in pending:  # the batch is given up; what is under way is waited for
                future.cancel()
            done = wait(futures).done
        failures = []
        for future, row in futures.items():
            if future.cancelled():
                continue
            failure = future.exception()
            if isinstance(failure, RowRefused):
                self._refuse(row, str(failure))
            elif failure is not None:
                failures.append(failure)
            else:
                self._standing_rows += 1
                self._written_now += future.result()
        if failures:
            raise next((one for one in failures if not isinstance(one, Transient)), failures[0])

    def _place(self, name: str, body: bytes, standing: StoredObject | None) -> bool:
        """Have `body` stand under `name` → whether it had to be written. Raises RowRefused, Superseded."""
        bucket = self._upload.bucket
        metadata = {CATALOGUE_KEY: self._upload.uri, CATALOGUE_GENERATION_KEY: str(self._upload.generation)}
        for _ in range(MAX_WRITES):
            if standing is not None and self._may_stay(standing, body):
                return False
            try:
                self._storage.write(
                    bucket, name, body, "application/json", self._deadline,
                    if_generation=standing.generation if standing else 0, metadata=metadata,
                )  # fmt: skip
                return True
            except Changed:
                standing = self._storage.stat(bucket, name, self._deadline)
            except Forbidden as error:
                # An identity that may only create is told so whether or not the object is its own, earlier write.
                before, standing = standing, self._storage.stat(bucket, name, self._deadline)
                if standing is None:
                    raise StorageUnavailable(f"the row's manifest may not be written: {error}") from None
                if before is not None and before.generation == standing.generation:
                    raise RowRefused(
                        f"gs://{bucket}/{name} stands for an older row, and this function's identity may not "
                        "replace objects there (storage.objects.delete)"
                    ) from None
        raise StorageUnavailable(f"gs://{bucket}/{name} is being written by something else all the time")

    def _may_stay(self, there: StoredObject, body: bytes) -> bool:
        if there.crc32c == crc32c(body) and there.size == len(body):
            return True
        try:
            generation = int(there.metadata[CATALOGUE_GENERATION_KEY])
        except (KeyError, ValueError):
            generation = None
        if generation is None or there.metadata.get(CATALOGUE_KEY) != self._upload.uri:
            raise RowRefused(f"gs://{there.bucket}/{there.name} was not written by this catalogue; it is left alone")
        if generation > self._upload.generation:
            raise Superseded("a newer generation of this catalogue is at work")
        return generation == self._upload.generation

    def _refuse(self, row: Row, reason: str) -> None:
        if len(reason) > MAX_REASON_CHARS:
            reason = reason[: MAX_REASON_CHARS - 1] + "…"
        self._refused.append(RefusedRow(row=row.number, line=row.line, reason=reason))

    def _commit(self, error: CompositeError | None, name: str | None = None) -> None:
        upload, bucket = self._upload, self._services.settings.output_bucket
        self._refused.sort(key=lambda refused: refused.row)
        sidecar = CatalogueSidecar(
            status="failed" if error else "review" if self._refused else "accepted",
            catalogue=ManifestIdentity(bucket=upload.bucket, name=upload.name, generation=upload.generation),
            rows_written=self._standing_rows,
            rows_refused=len(self._refused),
            refused=self._refused[:MAX_REFUSED_LISTED],
            manifests=f"gs://{upload.bucket}/{rows_prefix(upload.name)}" if self._standing_rows else None,
            timings_ms=Timings(**self._timings, total=_ms_since(self._started)),
            error=ErrorRecord.of(error) if error else None,
        )
        Committer(self._storage, bucket, upload, self._deadline).write(
            name or sidecar_name(upload.name), sidecar.to_json(), "application/json", {STATUS_KEY: sidecar.status}
        )
        self._log(sidecar)

    def _log(self, sidecar: CatalogueSidecar) -> None:
        error: dict[str, Any] = {}
        if sidecar.error:
            error = {"error_code": sidecar.error.code.value, "error": sidecar.error.message}
        log(
            "ERROR" if error else "WARNING" if sidecar.rows_refused else "INFO",
            "catalogue settled",
            stage=sidecar.error.stage if sidecar.error else "done",
            status=sidecar.status,
            rows_written=sidecar.rows_written,
            rows_refused=sidecar.rows_refused,
            rows_written_now=self._written_now,
            age_s=round(self._upload.age_s(), 3),
            duration_ms=sidecar.timings_ms.total,
            timings_ms=sidecar.timings_ms.model_dump(),
            **error,
        )

    def _for_good(self, passing: Exception) -> CompositeError:
        """What a failure that may pass becomes when the event is too old to wait any longer; else it is raised."""
        if isinstance(passing, Superseded | AtWorkElsewhere):
            raise passing
        if not isinstance(passing, Transient):
            log("ERROR", f"unexpected: {type(passing).__name__}: {passing}", stack_trace=traceback.format_exc())
            passing = Unexpected(f"an unexpected {type(passing).__name__}; the log has the details")
        log(
            "INFO", "catalogue cut off", stage="upload",
            rows_written=self._standing_rows, rows_written_now=self._written_now,
        )  # fmt: skip
        # As long as each delivery brings it further, a large catalogue is only slow.
        if self._written_now or self._upload.age_s() <= self._services.settings.event_max_age_s:
            raise passing
        # The time of this delivery may be what ran out: writing why needs a little of its own.
        self._deadline = Deadline(max(RELEASE_BUDGET_S, self._deadline.remaining()))
        return passing

    def _release(self) -> None:
        try:
            self._claim.release(Deadline(max(RELEASE_BUDGET_S, self._deadline.remaining())))
        except (Transient, Forbidden) as error:
            log("WARNING", f"the claim could not be freed, it will expire: {error}", stage="claim")


def _check_name(name: str) -> None:
    """Raises ManifestInvalid when its rows could not be named after it."""
    stem = name.rpartition(".")[0]
    if not stem or stem.endswith("/"):
        raise ManifestInvalid("the catalogue has no name before its ending, and its rows are named after it")
    if len(f"{stem}{LONGEST_ROW_NAME}".encode()) > MAX_OBJECT_NAME_BYTES:
        raise ManifestInvalid("the catalogue's name is too long: its rows' names would not fit after it")


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
