"""A pair manifest as work to be settled: read it, run its pipeline, write result and sidecar."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING

from function.deadline import Deadline
from function.delivery.batch_pair import batch_queue, wants_batch
from function.delivery.cloud_event import Upload
from function.delivery.earlier_attempts import earlier_attempts
from function.delivery.lease import LeaseHandle
from function.delivery.output_metadata import STATUS_KEY, labels_that_fit, sidecar_metadata
from function.delivery.outputs import Leftovers, Outputs, OutputWriter, Picture, log_settled
from function.delivery.persons_request import persons_request
from function.delivery.picked_attempt import find_picked
from function.delivery.process_once import process_once
from function.delivery.reconciliation import NO_RESULT, PENDING_KEY, reconcile, stage_results
from function.delivery.row_writer import catalogue_of
from function.delivery.services import Delivery, Services
from function.delivery.sign_results import sign_results
from function.delivery.successor_ledger import SuccessorLedger
from function.errors import (
    AwaitsBatchError,
    CompositeError,
    InvalidManifestError,
    MissingSourceError,
    SourceNotYetThereError,
    StorageUnavailableError,
    SupersededError,
    TransientError,
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
from function.pipeline.style import apply_style
from function.sidecar.pair import Sidecar
from function.storage.client import AccessDeniedError, ObjectNotFoundError, ObjectTooLargeError, StoredObject
from function.storage.content_encoding import DamagedContentError
from function.storage.names import gs_uri

if TYPE_CHECKING:
    from function.batch.pair_queue import PairQueue

logger = logging.getLogger(__name__)

SOURCE_WAIT_S = 600.0  # how long after its manifest's first delivery an image may arrive


def process_pair(upload: Upload, services: Services, deadline: Deadline) -> None:
    """Bring one pair manifest to its sidecar. Returns when it is settled; raises TransientError to be called again."""
    delivery = Delivery(upload, services, deadline)
    process_once(PairWork(Outputs.of(delivery.output_bucket, upload.name)), delivery)


class PairWork:
    """One delivery of a pair manifest; see `process_once.Work`."""

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
            metadata, catalogue = existing.metadata, catalogue_of(delivery.upload, existing.metadata)
            record.labels, record.placement, record.pose = manifest.labels, manifest.placement_words, manifest.pose
            record.feedback = manifest.feedback
            record.name = manifest.name
            own = delivery.upload.bucket, delivery.upload.name
            manifest, wording = apply_style(manifest, own, services.storage, services.settings, deadline, record)
            targets = manifest_targets(manifest, services.settings, *own)
            sources = fetch_sources(targets, services.storage, services.settings, deadline)
            store = AnswerStore(services.storage, delivery.output_bucket)
            record.person = persons_request(metadata)
            record.earlier = earlier_attempts(delivery, self.sidecar_name, record, sources)
            picked = find_picked(delivery, store, self.sidecar_name, record, sources)
        owner = f"{delivery.upload.uri}#{delivery.upload.generation}"
        batch: PairQueue | None = None
        if wants_batch(manifest, metadata):
            first, batch = batch_queue(delivery, manifest, existing, catalogue)
            owner = f"{delivery.upload.uri}#{first}"
            lease.count_since(first)
        budget = services.budget.of_pair(catalogue, manifest.budget_usd)
        ledger = lease if lease.is_first else SuccessorLedger(lease, delivery, self.sidecar_name)
        self._calls = PaidCalls(
            services.model, store, owner, deadline, ledger, budget, services.leases.is_shutting_down, batch
        )
        resources = PairResources(services.memory, deadline)
        try:
            composite = run_pair(
                PairContext(
                    manifest, sources, self._calls, services.settings, deadline, record, resources, services.models,
                    services.credentials,
                    wording,
                ),
                picked,
            )  # fmt: skip
        except AwaitsBatchError as waiting:
            logger.info("waits for a batch: %s", waiting, extra={"stage": "batch"})
            return None
        may_wait = delivery.waited_s(lease.first_delivery) <= services.settings.event_max_age_s
        generation = delivery.upload.generation
        return sign_results(composite, record, services.credentials, deadline, generation, may_wait=may_wait)

    def commit(self, delivery: Delivery, done: Composite, *, replaces_older: bool) -> bool:
        """Write the results, then the sidecar → whether this run settled it."""
        named = {self._outputs.named_result(one.name, one.suffix): one for one in done.pictures}
        pending = None
        with self._record.stage("upload"):
            metadata = {**labels_that_fit(self._record.labels, delivery.upload.uri), STATUS_KEY: done.status}
            pictures = [Picture(name, one.content, one.mime_type, metadata) for name, one in named.items()]
            if self._leftovers:
                pending = stage_results(delivery, pictures, self._leftovers)
            else:
                for picture in pictures:
                    OutputWriter(delivery).write_result(picture, self._leftovers)
        self._note_interrupted()
        results = [one.record(gs_uri(self._outputs.bucket, name)) for name, one in named.items()]
        sidecar = self._record.sidecar(done.status, delivery.identity(), results=results)
        if replaces_older:
            OutputWriter(delivery).remove_results(self._outputs, keep=named, leftovers=self._leftovers)
        return self._write_sidecar(delivery, sidecar, self.sidecar_name, pending)

    def record(self, delivery: Delivery, error: CompositeError, name: str, *, replaces_older: bool) -> bool:
        """Write a sidecar that says why there is no result. Results of this generation go, and older ones, unless
        the reason may pass: then a picture is better than none until this upload is delivered again.
        → whether this run settled it."""
        self._note_interrupted()
        sidecar = self._record.sidecar("failed", delivery.identity(), error=error)
        pending = NO_RESULT if self._leftovers and name == self.sidecar_name else None
        if name == self.sidecar_name:
            OutputWriter(delivery).remove_results(self._outputs, older=not error.retryable, leftovers=self._leftovers)
        return self._write_sidecar(delivery, sidecar, name, pending)

    def reconcile(self, delivery: Delivery, lease: LeaseHandle | None) -> None:
        """The result as the sidecar that stands describes it, and every call listed there; nothing where none does."""
        reconcile(delivery, self._outputs, lease, self._record.attempts)

    def discard(self, delivery: Delivery) -> None:
        """Remove results of this generation: a newer one has taken over."""
        OutputWriter(delivery).remove_results(self._outputs, older=False)

    def give_up(self, error: TransientError, delivery: Delivery, waited_s: float) -> CompositeError | None:
        """What to record once the upload has waited long enough; None before that."""
        if isinstance(error, SourceNotYetThereError):
            if waited_s <= SOURCE_WAIT_S:
                return None
            return MissingSourceError(f"{error.message}; waited for it for {SOURCE_WAIT_S / 60:.0f} minutes")
        return error if waited_s > delivery.services.settings.event_max_age_s else None

    def _note_interrupted(self) -> None:
        """Once, even when writing the result fails and that failure is what is recorded."""
        if self._calls is not None:
            self._record.add_interrupted(self._calls.interrupted(), self._calls.lost_in_batches())
            self._calls = None

    def _write_sidecar(self, delivery: Delivery, sidecar: Sidecar, name: str, pending: str | None) -> bool:
        metadata = sidecar_metadata(sidecar)
        if pending:
            metadata[PENDING_KEY] = pending
        written = OutputWriter(delivery).write(
            name, sidecar.to_json(), "application/json", metadata,
            skip_if_current=name == self.sidecar_name,
        )  # fmt: skip
        if not written:
            logger.info("another delivery has settled it", extra={"stage": "commit"})
            return False
        log_settled(sidecar, delivery.upload.age_s())
        if pending:
            self.reconcile(delivery, None)
        return True


def _read_manifest(delivery: Delivery) -> tuple[Manifest, StoredObject] | None:
    """This generation of the manifest, and what storage says of it; None when it was deleted. Raises SupersededError
    when it was replaced.

    A versioned bucket still serves a replaced generation, hence the look at the live one: a picture for a replaced
    manifest would be paid for and thrown away.
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
            logger.warning("the manifest was deleted before it was read; nothing to do", extra={"stage": "manifest"})
            return None
        if existing.generation > upload.generation:
            raise SupersededError("the manifest was replaced before it was read")
        manifest = parse_manifest(body.result(), delivery.services.settings)
        return manifest, existing
    except ObjectNotFoundError:
        raise StorageUnavailableError("the manifest was replaced while it was read", stage="manifest") from None
    except ObjectTooLargeError:
        raise InvalidManifestError(f"the manifest has more than the {MAX_MANIFEST_BYTES} bytes allowed") from None
    except DamagedContentError as error:
        raise InvalidManifestError(f"the manifest is stored as gzip and cannot be unpacked: {error}") from None
    except AccessDeniedError as error:
        raise StorageUnavailableError(f"the manifest cannot be read: {error}", stage="manifest") from None
