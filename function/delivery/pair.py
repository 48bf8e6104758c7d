"""One delivery of a pair manifest → one settled outcome: claim, run, commit, acknowledge."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.lease import HeldClaim, take_claim
from function.delivery.outputs import ERROR_KEY, STATUS_KEY, USD_KEY, Committer, Outputs
from function.errors import (
    AtWorkElsewhere,
    CompositeError,
    ManifestInvalid,
    OutputConflict,
    Permanent,
    SourceMissing,
    SourceNotYetThere,
    Superseded,
    Transient,
    Unexpected,
)
from function.generation.answer_store import AnswerStore
from function.generation.gemini.client import GeminiClient
from function.generation.paid_calls import PaidCalls
from function.manifest.parse import (
    MAX_MANIFEST_BYTES,
    MAX_METADATA_BYTES,
    InlineImage,
    Manifest,
    StoredImage,
    parse_manifest,
    resolve,
)
from function.pipeline.fetch import fetch_sources
from function.pipeline.finish import Composite
from function.pipeline.record import RunRecord
from function.pipeline.run import run_pair
from function.settings import Settings
from function.sidecar import ManifestIdentity, ResultRecord, Sidecar
from function.storage.client import Forbidden, NotFound, Storage, StorageUnavailable, TooLarge
from function.telemetry.structured_logging import log, log_unexpected

SOURCE_WAIT_S = 600.0  # how long after its manifest an image may arrive


@dataclass(frozen=True)
class Services:
    """What a run needs from outside; made once per process."""

    settings: Settings
    storage: Storage
    model: GeminiClient


def settle_pair(upload: Upload, services: Services, deadline: Deadline) -> None:
    """Bring one pair manifest to its sidecar. Returns when it is settled; raises Transient to be called again."""
    bucket = services.settings.output_bucket
    outputs = Outputs.of(bucket, upload.name)
    committer = Committer(services.storage, bucket, upload, deadline)
    try:
        if committer.is_settled(outputs.sidecar):
            log("INFO", "already settled", stage="claim")
            return
        claim = take_claim(services.storage, bucket, upload, deadline)
    except Superseded as newer:
        log("INFO", f"nothing to do: {newer}", stage="claim")
        committer.remove_results(outputs, older=False)  # an earlier delivery may have been killed after writing one
        return
    except Forbidden as error:
        raise StorageUnavailable(f"the output bucket cannot be used: {error}", stage="claim") from None
    except OutputConflict as conflict:
        _record_conflict(upload, services, conflict, deadline)
        return
    _Job(upload, services, deadline, outputs, committer, claim).settle()


class _Job:
    """A claimed delivery."""

    def __init__(
        self,
        upload: Upload,
        services: Services,
        deadline: Deadline,
        outputs: Outputs,
        committer: Committer,
        claim: HeldClaim,
    ):
        self._upload, self._services, self._deadline = upload, services, deadline
        self._outputs, self._committer, self._claim = outputs, committer, claim
        self._record = RunRecord()
        self._calls: PaidCalls | None = None
        self._replaces_older = claim.replaces_older or committer.saw_older

    def settle(self) -> None:
        """Run and commit. A failure that may pass frees the claim and is raised, until the event is too old."""
        try:
            try:
                composite = self._run()
                if composite is not None:
                    self._commit(composite)
            except Permanent as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001 (a mistake of ours is recorded too, in the end)
                self._fail(self._for_good(error))
        except Superseded as newer:
            log("INFO", f"stopped: {newer}", stage="commit")
            self._committer.remove_results(self._outputs, older=False)
        except OutputConflict as conflict:
            _record_conflict(self._upload, self._services, conflict, self._deadline)
        except BaseException:
            self._claim.release(self._deadline)
            raise
        finally:
            self._claim.end()

    def _run(self) -> Composite | None:
        """Manifest → composite; None when the manifest is gone and there is nothing to do."""
        record, services = self._record, self._services
        with record.stage("download"):
            manifest = self._read_manifest()
            if manifest is None:
                return None
            record.labels, record.placement = manifest.labels, manifest.placement
            targets = manifest_targets(manifest, services.settings, self._upload)
            sources = fetch_sources(targets, services.storage, services.settings, self._deadline)
        store = AnswerStore(services.storage, services.settings.output_bucket)
        owner = f"{self._upload.uri}#{self._upload.generation}"
        self._calls = PaidCalls(services.model, store, owner, self._deadline, self._claim)
        return run_pair(manifest, sources, self._calls, services.settings, self._deadline, record)

    def _read_manifest(self) -> Manifest | None:
        """This generation of the manifest; None when it was deleted. Raises Superseded when it was replaced.

        A versioned bucket still serves a replaced generation, hence the look at the live one: a picture for a
        manifest that nobody wants any more would be paid for in vain.
        """
        upload, storage, deadline = self._upload, self._services.storage, self._deadline
        with ThreadPoolExecutor(max_workers=2) as pool:
            body = pool.submit(
                copy_context().run, storage.read, upload.bucket, upload.name, deadline,
                generation=upload.generation, limit=MAX_MANIFEST_BYTES,
            )  # fmt: skip
            live = pool.submit(copy_context().run, storage.stat, upload.bucket, upload.name, deadline)
        try:
            standing = live.result()
            if standing is None:
                log("WARNING", "the manifest was deleted before it was read; nothing to do", stage="manifest")
                self._claim.release(self._deadline)
                return None
            if standing.generation > upload.generation:
                raise Superseded("the manifest was replaced before it was read")
            return parse_manifest(body.result(), self._services.settings)
        except NotFound:
            raise StorageUnavailable("the manifest was replaced while it was read", stage="manifest") from None
        except TooLarge:
            raise ManifestInvalid(f"the manifest has more than the {MAX_MANIFEST_BYTES} bytes allowed") from None
        except Forbidden as error:
            raise StorageUnavailable(f"the manifest cannot be read: {error}", stage="manifest") from None

    def _commit(self, composite: Composite) -> None:
        """Write the result, then the sidecar: where that stands, the pair is settled."""
        record, outputs = self._record, self._outputs
        name = outputs.result(composite.ending)
        self._claim.confirm(self._deadline)
        with record.stage("upload"):
            labels = labels_that_fit(record.labels, MAX_METADATA_BYTES - len(self._upload.uri.encode()))
            metadata = {**labels, STATUS_KEY: composite.status}
            self._committer.write(name, composite.content, composite.mime_type, metadata)
        uri = f"gs://{outputs.bucket}/{name}"
        self._settle(self._sidecar(composite.status, result=composite.record(uri)), keep=name)

    def _fail(self, error: CompositeError) -> None:
        self._claim.confirm(self._deadline)
        self._settle(self._sidecar("failed", error=error), keep=None)

    def _sidecar(
        self, status: str, *, result: ResultRecord | None = None, error: CompositeError | None = None
    ) -> Sidecar:
        if self._calls is not None:
            self._record.add_interrupted(self._calls.interrupted())
            self._calls = None  # noted once, even when writing the result fails and the failure is what is written
        return self._record.sidecar(status, self._identity(), result=result, error=error)

    def _settle(self, sidecar: Sidecar, keep: str | None) -> None:
        if keep is None or self._replaces_older:
            self._committer.remove_results(self._outputs, keep=keep)
        metadata = sidecar_metadata(sidecar)
        body = sidecar.to_json()
        if not self._committer.write(self._outputs.sidecar, body, "application/json", metadata, once=True):
            log("INFO", "another delivery has settled it", stage="commit")
            return
        log_settled(sidecar, self._upload.age_s())

    def _for_good(self, passing: Exception) -> CompositeError:
        """What a failure that may pass becomes when the event is too old to wait any longer; else it is raised."""
        age = self._upload.age_s()
        if isinstance(passing, Superseded | AtWorkElsewhere):
            raise passing
        if not isinstance(passing, Transient):
            # A mistake of ours: another delivery, perhaps of a mended version, may do better.
            log_unexpected(passing, "run")
            passing = Unexpected(f"an unexpected {type(passing).__name__}; the log has the details")
        if isinstance(passing, SourceNotYetThere):
            if age <= SOURCE_WAIT_S:
                raise passing
            return SourceMissing(f"{passing.message}; waited for it for {SOURCE_WAIT_S / 60:.0f} minutes")
        if age <= self._services.settings.event_max_age_s:
            raise passing
        # The time of this delivery may be what ran out: writing why needs a little of its own.
        self._deadline = self._deadline.last_word()
        self._committer = Committer(self._services.storage, self._outputs.bucket, self._upload, self._deadline)
        return passing

    def _identity(self) -> ManifestIdentity:
        return ManifestIdentity(bucket=self._upload.bucket, name=self._upload.name, generation=self._upload.generation)


def sidecar_metadata(sidecar: Sidecar) -> dict[str, str]:
    """What a listing tells of a pair without its sidecar being read."""
    metadata = {STATUS_KEY: sidecar.status}
    if sidecar.cost.usd is not None:
        metadata[USD_KEY] = f"{sidecar.cost.usd:.6f}"
    if sidecar.error:
        metadata[ERROR_KEY] = sidecar.error.code.value
    return metadata


def manifest_targets(
    manifest: Manifest, settings: Settings, upload: Upload | None, skip: set[str] = frozenset()
) -> dict[str, StoredImage | InlineImage]:
    """What the manifest's references point at, by field (those in `skip` are there already).

    Raises ManifestInvalid, ReferenceForbidden.
    """
    allowed = set(settings.allowed_buckets) | ({upload.bucket} if upload else set())
    folder = upload.name.rpartition("/")[0] if upload else ""
    bucket = upload.bucket if upload else None
    references = {"product": manifest.product, "scene": manifest.scene}
    return {
        field: resolve(reference, field, allowed_buckets=allowed, bucket=bucket, folder=folder)
        for field, reference in references.items()
        if isinstance(reference, str) and field not in skip
    }


def labels_that_fit(labels: dict[str, str], room: int) -> dict[str, str]:
    """The labels that fit into `room` bytes of an object's custom metadata, in their order; the sidecar holds all."""
    fitting: dict[str, str] = {}
    for name, value in labels.items():
        room -= len(name.encode()) + len(value.encode())
        if room < 0:
            log("WARNING", "not all labels fit into the object's metadata; the sidecar holds them", stage="upload")
            break
        fitting[name] = value
    return fitting


def log_settled(sidecar: Sidecar, age_s: float) -> None:
    """The line that metrics and dashboards are made from."""
    error = sidecar.error
    log(
        "ERROR" if error else "INFO",
        "settled",
        stage=error.stage if error else "done",
        status=sidecar.status,
        usd=sidecar.cost.usd,
        attempts=len(sidecar.attempts),
        prompt_tokens=sidecar.cost.prompt_tokens,
        output_tokens=sidecar.cost.output_tokens,
        error_code=error.code.value if error else None,
        error=error.message if error else None,
        age_s=round(age_s, 3),
        duration_ms=sidecar.timings_ms.total,
        timings_ms=sidecar.timings_ms.model_dump(),
    )


def _record_conflict(upload: Upload, services: Services, conflict: OutputConflict, deadline: Deadline) -> None:
    """The sidecar's own place is taken by something else: the error is recorded beside it."""
    bucket = services.settings.output_bucket
    identity = ManifestIdentity(bucket=upload.bucket, name=upload.name, generation=upload.generation)
    sidecar = RunRecord().sidecar("failed", identity, error=conflict)
    name = Outputs.of(bucket, upload.name).result(".conflict.json")
    try:
        Committer(services.storage, bucket, upload, deadline).write(
            name, sidecar.to_json(), "application/json", {STATUS_KEY: "failed"}
        )
    except (OutputConflict, Superseded) as error:
        log("ERROR", f"{conflict}; and {name} could not be written: {error}", stage="upload")
    log_settled(sidecar, upload.age_s())
