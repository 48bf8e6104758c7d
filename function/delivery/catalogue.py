"""A catalogue as work to be settled: one pair manifest a row, written back to the input bucket; the platform's own
events do the rest.

What is written already is left alone, so a delivery that was cut off is taken up where it stopped, and a re-uploaded
catalogue starts only the rows that it changes.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from function.deadline import Deadline
from function.delivery.batch_pair import batch_rows
from function.delivery.cloud_event import Upload
from function.delivery.lease import LeaseHandle
from function.delivery.output_metadata import STATUS_KEY
from function.delivery.outputs import OutputWriter
from function.delivery.process_once import process_once
from function.delivery.row_writer import BUDGET_FIELD, RowWriter, check_name, rows_prefix
from function.delivery.services import Delivery, Services
from function.errors import (
    CompositeError,
    InvalidManifestError,
    StorageUnavailableError,
    SupersededError,
    TransientError,
)
from function.manifest.parse import manifest_from
from function.manifest.quoting import quoted
from function.manifest.spreadsheet import MAX_CATALOGUE_BYTES, Row, read_rows
from function.pipeline.stage_times import StageTimes
from function.settings import Settings
from function.sidecar.catalogue import CatalogueSidecar
from function.sidecar.record import ErrorRecord
from function.storage.client import AccessDeniedError, ObjectNotFoundError, ObjectTooLargeError
from function.storage.content_encoding import DamagedContentError
from function.storage.names import MAX_OBJECT_NAME_BYTES, gs_uri

logger = logging.getLogger(__name__)

MAX_REFUSED_LISTED = 10_000  # with reasons of MAX_REASON_CHARS a sidecar of a few MB; all of them are counted


def process_catalogue(upload: Upload, services: Services, deadline: Deadline) -> None:
    """Bring one catalogue to its sidecar. Returns when it is settled; raises TransientError to be called again."""
    if len(sidecar_name(upload.name).encode()) > MAX_OBJECT_NAME_BYTES:
        logger.error("refused: the catalogue's name is too long for a sidecar beside it", extra={"stage": "event"})
        return
    delivery = Delivery(upload, services, deadline)
    process_once(CatalogueWork(delivery), delivery)


def catalogue_budget(rows: list[Row], settings: Settings) -> float | None:
    """What all pairs of a catalogue may cost together: the `budget_usd` of its rows, which state one or none.

    Raises InvalidManifestError when they state several, or one that cannot be used.
    """
    stated: dict[str, tuple[Row, Any]] = {}
    for row in rows:
        if not row.may_state(BUDGET_FIELD):
            continue
        with contextlib.suppress(ValueError):  # that row is refused by itself
            fields = row.read()
            if isinstance(fields, dict) and fields.get(BUDGET_FIELD) is not None:
                stated.setdefault(quoted(fields[BUDGET_FIELD]), (row, fields[BUDGET_FIELD]))
    if len(stated) > 1:
        (one, (first, _)), (other, (second, _)) = list(stated.items())[:2]
        raise InvalidManifestError(
            f"a catalogue has one budget_usd: row {first.number} says {one}, row {second.number} says {other}"
        )
    for _, budget in stated.values():
        fields = {"product": "p", "scene": "s", BUDGET_FIELD: budget}
        return manifest_from(fields, settings).budget_usd
    return None


def sidecar_name(catalogue: str) -> str:
    """Object name of a catalogue's sidecar: `a/spring.csv` → `a/spring.csv.json`."""
    return f"{catalogue}.json"


class CatalogueWork:
    """One delivery of a catalogue; see `process_once.Work`."""

    def __init__(self, delivery: Delivery):
        self._name = delivery.upload.name
        self._rows = RowWriter(delivery)
        self._times = StageTimes()
        self._budget_usd: float | None = None

    @property
    def sidecar_name(self) -> str:
        """`a/spring.csv.json`."""
        return sidecar_name(self._name)

    @property
    def conflict_name(self) -> str:
        """`a/spring.csv.conflict.json`."""
        return f"{self._name}.conflict.json"

    def run(self, delivery: Delivery, lease: LeaseHandle) -> RowWriter | None:
        """Write the rows' manifests; None when the catalogue was deleted."""
        with self._times.stage("download"):
            content = _read_catalogue(delivery)
        if content is None:
            return None
        with self._times.stage("prepare"):
            rows = batch_rows(read_rows(self._name, content), _metadata(delivery), delivery.services.settings)
            self._budget_usd = catalogue_budget(rows, delivery.services.settings)

        def before_batch() -> None:
            delivery.deadline.clamp(1, "upload")
            lease.assert_held(delivery.deadline)

        with self._times.stage("upload"):
            delivery.services.budget.open_catalogue(delivery.upload.uri, self._budget_usd, delivery.deadline)
            self._rows.write(rows, before_batch)
        return self._rows

    def commit(self, delivery: Delivery, done: RowWriter, *, replaces_older: bool) -> bool:
        """Write the sidecar."""
        return self._write_sidecar(delivery, None, self.sidecar_name)

    def record(self, delivery: Delivery, error: CompositeError, name: str, *, replaces_older: bool) -> bool:
        """Write a sidecar that says why not every row is written."""
        return self._write_sidecar(delivery, error, name)

    def reconcile(self, delivery: Delivery, lease: LeaseHandle | None) -> None:
        """Nothing: every delivery writes the same rows."""

    def discard(self, delivery: Delivery) -> None:
        """Nothing: the rows that are written are the newer generation's to keep or replace."""

    def give_up(self, error: TransientError, delivery: Delivery, waited_s: float) -> CompositeError | None:
        """What to record once the upload has waited long enough; None before that, and as long as each delivery
        brings it further: a large catalogue is only slow."""
        logger.info(
            "catalogue cut off",
            extra={"stage": "upload", "rows_written": self._rows.existing, "rows_written_now": self._rows.written},
        )
        out_of_patience = waited_s > delivery.services.settings.event_max_age_s
        return error if out_of_patience and not self._rows.written else None

    def _write_sidecar(self, delivery: Delivery, error: CompositeError | None, name: str) -> bool:
        upload, rows = delivery.upload, self._rows
        refused = sorted(rows.refused, key=lambda one: one.row)
        sidecar = CatalogueSidecar(
            status="failed" if error else "review" if refused else "accepted",
            catalogue=delivery.identity(),
            rows_written=rows.existing,
            rows_refused=len(refused),
            budget_usd=self._budget_usd,
            refused=refused[:MAX_REFUSED_LISTED],
            manifests=gs_uri(upload.bucket, rows_prefix(upload.name)) if rows.existing else None,
            timings_ms=self._times.timings(),
            error=ErrorRecord.of(error) if error else None,
        )
        written = OutputWriter(delivery).write(
            name, sidecar.to_json(), "application/json", {STATUS_KEY: sidecar.status},
            skip_if_current=name == self.sidecar_name,
        )  # fmt: skip
        if not written:
            logger.info("another delivery has settled it", extra={"stage": "commit"})
            return False
        self._log(sidecar, upload.age_s())
        return True

    def _log(self, sidecar: CatalogueSidecar, age_s: float) -> None:
        error: dict[str, Any] = {}
        if sidecar.error:
            error = {"error_code": sidecar.error.code.value, "error": sidecar.error.message}
        logger.log(
            logging.ERROR if error else logging.WARNING if sidecar.rows_refused else logging.INFO,
            "catalogue settled",
            extra={
                "stage": sidecar.error.stage if sidecar.error else "done",
                "status": sidecar.status,
                "rows_written": sidecar.rows_written,
                "rows_refused": sidecar.rows_refused,
                "rows_written_now": self._rows.written,
                "age_s": round(age_s, 3),
                "duration_ms": sidecar.timings_ms.total,
                "timings_ms": sidecar.timings_ms.model_dump(),
                **error,
            },
        )


def _metadata(delivery: Delivery) -> dict[str, str]:
    """The custom metadata of the catalogue's upload; none of one that was replaced meanwhile."""
    upload = delivery.upload
    stored = delivery.storage.stat(upload.bucket, upload.name, delivery.deadline)
    return stored.metadata if stored is not None and stored.generation == upload.generation else {}


def _read_catalogue(delivery: Delivery) -> bytes | None:
    """The catalogue's bytes; None when it was deleted. Raises SupersededError when it was replaced."""
    upload, storage, deadline = delivery.upload, delivery.storage, delivery.deadline
    check_name(upload.name)
    try:
        return storage.read(
            upload.bucket, upload.name, deadline, generation=upload.generation, limit=MAX_CATALOGUE_BYTES
        )
    except ObjectNotFoundError:
        live = storage.stat(upload.bucket, upload.name, deadline)
        if live is not None and live.generation > upload.generation:
            raise SupersededError("the catalogue was replaced before it was read") from None
        logger.warning("the catalogue was deleted before it was read; nothing to do", extra={"stage": "manifest"})
        return None
    except ObjectTooLargeError:
        raise InvalidManifestError(
            f"the catalogue has more than the {MAX_CATALOGUE_BYTES:,} bytes allowed; split it"
        ) from None
    except DamagedContentError as error:
        raise InvalidManifestError(f"the catalogue is stored as gzip and cannot be unpacked: {error}") from None
    except AccessDeniedError as error:
        raise StorageUnavailableError(f"the catalogue cannot be read: {error}", stage="manifest") from None
