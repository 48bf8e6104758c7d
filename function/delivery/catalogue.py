"""A catalogue → one pair manifest a row, written back to the input bucket; the platform's own events do the rest.

What already stands is left alone, so a delivery that was cut off is taken up where it stopped, and a re-uploaded
catalogue starts only the rows that it changes.
"""

from __future__ import annotations

import time
from typing import Any

from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.lease import HeldClaim, take_claim
from function.delivery.outputs import STATUS_KEY, Committer
from function.delivery.pair import Services
from function.delivery.row_writer import RowWriter, check_name, rows_prefix
from function.errors import (
    AtWorkElsewhere,
    CompositeError,
    ManifestInvalid,
    OutputConflict,
    Permanent,
    Superseded,
    Transient,
    Unexpected,
)
from function.manifest.parse import MAX_OBJECT_NAME_BYTES
from function.manifest.spreadsheet import MAX_CATALOGUE_BYTES, read_rows
from function.sidecar import CatalogueSidecar, ErrorRecord, ManifestIdentity, Timings
from function.storage.client import Forbidden, NotFound, Storage, StorageUnavailable, TooLarge
from function.telemetry.structured_logging import log, log_unexpected

MAX_REFUSED_LISTED = 10_000  # with reasons of MAX_REASON_CHARS a sidecar of a few MB; all of them are counted


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


class _Job:
    """A claimed delivery of a catalogue."""

    def __init__(self, upload: Upload, services: Services, deadline: Deadline, claim: HeldClaim | None):
        self._upload, self._services, self._deadline, self._claim = upload, services, deadline, claim
        self._storage: Storage = services.storage
        self._rows = RowWriter(upload, services, deadline)
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
            self._claim.release(self._deadline)
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
        check_name(upload.name)
        try:
            content = self._storage.read(
                upload.bucket, upload.name, self._deadline, generation=upload.generation, limit=MAX_CATALOGUE_BYTES
            )
        except NotFound:
            live = self._storage.stat(upload.bucket, upload.name, self._deadline)
            if live is not None and live.generation > upload.generation:
                raise Superseded("the catalogue was replaced before it was read") from None
            log("WARNING", "the catalogue was deleted before it was read; nothing to do", stage="manifest")
            self._claim.release(self._deadline)
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
        try:
            self._rows.write(rows, self._go_on)
        finally:
            self._timings["upload"] = _ms_since(started)

    def _go_on(self) -> None:
        """Raises DeadlineExceeded, or Superseded when the claim is lost."""
        self._deadline.within(1, "upload")
        self._claim.confirm(self._deadline)

    def _commit(self, error: CompositeError | None, name: str | None = None) -> None:
        upload, bucket = self._upload, self._services.settings.output_bucket
        refused = sorted(self._rows.refused, key=lambda one: one.row)
        sidecar = CatalogueSidecar(
            status="failed" if error else "review" if refused else "accepted",
            catalogue=ManifestIdentity(bucket=upload.bucket, name=upload.name, generation=upload.generation),
            rows_written=self._rows.standing,
            rows_refused=len(refused),
            refused=refused[:MAX_REFUSED_LISTED],
            manifests=f"gs://{upload.bucket}/{rows_prefix(upload.name)}" if self._rows.standing else None,
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
            rows_written_now=self._rows.written,
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
            log_unexpected(passing, "catalogue")
            passing = Unexpected(f"an unexpected {type(passing).__name__}; the log has the details")
        log(
            "INFO", "catalogue cut off", stage="upload",
            rows_written=self._rows.standing, rows_written_now=self._rows.written,
        )  # fmt: skip
        # As long as each delivery brings it further, a large catalogue is only slow.
        if self._rows.written or self._upload.age_s() <= self._services.settings.event_max_age_s:
            raise passing
        # The time of this delivery may be what ran out: writing why needs a little of its own.
        self._deadline = self._deadline.last_word()
        return passing


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
