"""A pair manifest as work to be settled: read it, run its pipeline, write result and sidecar."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from function.batch.pair_queue import PairQueue
from function.deadline import Deadline
from function.delivery.batch_pair import batch_queue, wants_batch
from function.delivery.cloud_event import Upload
from function.delivery.lease import LeaseHandle
from function.delivery.outputs import (
    STATUS_KEY,
    Leftovers,
    Outputs,
    OutputWriter,
    labels_that_fit,
    log_settled,
    sidecar_metadata,
)
from function.delivery.row_writer import catalogue_of
from function.delivery.services import Delivery, Services
from function.delivery.settle import settle
from function.errors import (
    AwaitsBatch,
    CompositeError,
    ManifestInvalid,
    SourceMissing,
    SourceNotYetThere,
    StorageUnavailable,
    Superseded,
    Transient,
)
from function.generation.answer_store import AnswerStore
from function.generation.paid_calls import PaidCalls
from function.manifest.model import Manifest
from function.manifest.parse import MAX_MANIFEST_BYTES, parse_manifest
from function.manifest.references import manifest_targets
from function.pipeline.context import Composite, PairContext
from function.pipeline.fetch import fetch_sources
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.sidecar import Sidecar
from function.storage.client import Forbidden, NotFound, StoredObject, TooLarge
from function.storage.content_encoding import Damaged
from function.storage.names import gs_uri
from function.telemetry.structured_logging import log

SOURCE_WAIT_S = 600.0  # how long after its manifest's first delivery an image may arrive


def settle_pair(upload: Upload, services: Services, deadline: Deadline) -> None:
    """Bring one pair manifest to its sidecar. Returns when it is settled; raises Transient to be called again."""
    delivery = Delivery(upload, services, deadline)
    settle(PairWork(Outputs.of(delivery.output_bucket, upload.name)), delivery)


class PairWork:
    """One delivery of a pair manifest; see `settle.Work`."""

    def __init__(self, outputs: Outputs):
        self._outputs = outputs
        self._record = RunRecord()
        self._calls: PaidCalls | None = None
        self._leftovers: Leftovers = {}

    @property
    def sidecar_name(self) -> str:
        """`a/b/pair.json`."""
        return self._outputs.sidecar

    @property
    def conflict_name(self) -> str:
        """`a/b/pair.conflict.json`."""
        return self._outputs.result(".conflict.json")

    def run(self, delivery: Delivery, lease: LeaseHandle) -> Composite | None:
        """Manifest → composite; None when the manifest was deleted."""
        record, services, deadline = self._record, delivery.services, delivery.deadline
        if not lease.is_first:
            self._leftovers = OutputWriter(delivery).find_leftovers(self._outputs)
        with record.stage("download"):
            read = _read_manifest(delivery)
            if read is None:
                return None
            manifest, existing = read
            catalogue = catalogue_of(delivery.upload, existing.metadata)
            record.labels, record.placement, record.pose = manifest.labels, manifest.placement, manifest.pose
            targets = manifest_targets(manifest, services.settings, delivery.upload.bucket, delivery.upload.name)
            sources = fetch_sources(targets, services.storage, services.settings, deadline)
        store = AnswerStore(services.storage, delivery.output_bucket)
        owner = f"{delivery.upload.uri}#{delivery.upload.generation}"
        batch: PairQueue | None = None
        if wants_batch(manifest, existing.metadata):
            owner, batch = batch_queue(delivery, manifest, existing, catalogue)
        budget = services.budget.of_pair(catalogue, manifest.budget_usd)
        self._calls = PaidCalls(services.model, store, owner, deadline, lease, budget, batch)
        resources = PairResources(services.memory, deadline)
        try:
            return run_pair(
                PairContext(
                    manifest, sources, self._calls, services.settings, deadline, record, resources, services.models
                )
            )
        except AwaitsBatch as waiting:
            log("INFO", f"waits for a batch: {waiting}", stage="batch")
            return None

    def commit(self, delivery: Delivery, done: Composite, *, replaces_older: bool) -> None:
        """Write the result, then the sidecar."""
        name = self._outputs.result(done.suffix)
        with self._record.stage("upload"):
            labels = labels_that_fit(self._record.labels, delivery.upload.uri)
            metadata = {**labels, STATUS_KEY: done.status}
            OutputWriter(delivery).write_result(name, done.content, done.mime_type, metadata, self._leftovers)
        self._note_interrupted()
        result = done.record(gs_uri(self._outputs.bucket, name))
        sidecar = self._record.sidecar(done.status, delivery.identity(), result=result)
        if replaces_older:
            OutputWriter(delivery).remove_results(self._outputs, keep=name)
        self._write_sidecar(delivery, sidecar, self.sidecar_name)

    def record(self, delivery: Delivery, error: CompositeError, name: str, *, replaces_older: bool) -> None:
        """Write a sidecar that says why there is no result. Results of this generation go, and older ones, unless
        the reason may pass: then a picture is better than none until this upload is delivered again."""
        self._note_interrupted()
        sidecar = self._record.sidecar("failed", delivery.identity(), error=error)
        if name == self.sidecar_name:
            OutputWriter(delivery).remove_results(self._outputs, older=not error.retryable, leftovers=self._leftovers)
        self._write_sidecar(delivery, sidecar, name)

    def discard(self, delivery: Delivery) -> None:
        """Remove results of this generation: a newer one has taken over."""
        OutputWriter(delivery).remove_results(self._outputs, older=False)

    def give_up(self, error: Transient, delivery: Delivery, waited_s: float) -> CompositeError | None:
        """What to record once the upload has waited long enough; None before that."""
        if isinstance(error, SourceNotYetThere):
            if waited_s <= SOURCE_WAIT_S:
                return None
            return SourceMissing(f"{error.message}; waited for it for {SOURCE_WAIT_S / 60:.0f} minutes")
        return error if waited_s > delivery.services.settings.event_max_age_s else None

    def _note_interrupted(self) -> None:
        """Once, even when writing the result fails and that failure is what is recorded."""
        if self._calls is not None:
            self._record.add_interrupted(self._calls.interrupted(), self._calls.lost_in_batches())
            self._calls = None

    def _write_sidecar(self, delivery: Delivery, sidecar: Sidecar, name: str) -> None:
        written = OutputWriter(delivery).write(
            name, sidecar.to_json(), "application/json", sidecar_metadata(sidecar),
            skip_if_current=name == self.sidecar_name,
        )  # fmt: skip
        if not written:
            log("INFO", "another delivery has settled it", stage="commit")
            return
        log_settled(sidecar, delivery.upload.age_s())


def _read_manifest(delivery: Delivery) -> tuple[Manifest, StoredObject] | None:
    """This generation of the manifest, and what storage says of it; None when it was deleted. Raises Superseded when
    it was replaced.

    A versioned bucket still serves a replaced generation, hence the look at the live one: a picture for a manifest
    that nobody wants any more would be paid for in vain.
    """
    upload, storage, deadline = delivery.upload, delivery.storage, delivery.deadline
    with ThreadPoolExecutor(max_workers=2) as pool:
        body = pool.submit(
            copy_context().run, storage.read, upload.bucket, upload.name, deadline,
            generation=upload.generation, limit=MAX_MANIFEST_BYTES,
        )  # fmt: skip
        live = pool.submit(copy_context().run, storage.stat, upload.bucket, upload.name, deadline)
    try:
        existing = live.result()
        if existing is None:
            log("WARNING", "the manifest was deleted before it was read; nothing to do", stage="manifest")
            return None
        if existing.generation > upload.generation:
            raise Superseded("the manifest was replaced before it was read")
        manifest = parse_manifest(body.result(), delivery.services.settings)
        return manifest, existing
    except NotFound:
        raise StorageUnavailable("the manifest was replaced while it was read", stage="manifest") from None
    except TooLarge:
        raise ManifestInvalid(f"the manifest has more than the {MAX_MANIFEST_BYTES} bytes allowed") from None
    except Damaged as error:
        raise ManifestInvalid(f"the manifest is stored as gzip and cannot be unpacked: {error}") from None
    except Forbidden as error:
        raise StorageUnavailable(f"the manifest cannot be read: {error}", stage="manifest") from None
