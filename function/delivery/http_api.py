"""A pair over HTTP: JSON or multipart/form-data in, the picture or JSON out."""

from __future__ import annotations

import json
import logging
import uuid

from flask import Request, Response
from werkzeug.datastructures import MIMEAccept

from function.deadline import Deadline
from function.delivery.accept import NotAcceptableError, picture_format, wants_picture
from function.delivery.http_answers import STATUS_OF, error_answer, json_answer, refusal
from function.delivery.http_form import parse_form
from function.delivery.large_answer import MAX_ANSWER_BYTES, json_answer_size, store_pictures
from function.delivery.outputs import log_settled
from function.delivery.services import Services
from function.delivery.sign_results import sign_results
from function.errors import (
    CompositeError,
    ErrorCode,
    InternalError,
    InvalidManifestError,
    MissingSourceError,
    SourceNotYetThereError,
    StorageUnavailableError,
)
from function.generation.answer_store import AnswerStore
from function.generation.call_ledger import InMemoryLedger
from function.generation.paid_calls import PaidCalls
from function.imaging.data_uri import encode_data_uri
from function.imaging.formats import FORMATS, detect_format
from function.manifest.model import Manifest
from function.manifest.parse import manifest_from, parse_manifest
from function.manifest.references import manifest_targets
from function.pipeline.context import Composite, PairContext
from function.pipeline.fetch import Source, fetch_sources
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.pipeline.style import apply_style
from function.sidecar.pair import Sidecar
from function.storage.client import AccessDeniedError

logger = logging.getLogger(__name__)


def answer_request(request: Request, body: bytes, services: Services) -> Response:
    """Run one pair and answer with it. Errors carry their code and message as JSON."""
    record = RunRecord()
    deadline = Deadline(services.settings.event_deadline_s)
    try:
        as_picture = wants_picture(request.accept_mimetypes)
        composite = _run(request, body, services, deadline, record, as_picture=as_picture)
        return _answer(composite, services, deadline, record, as_picture=as_picture)
    except NotAcceptableError as error:
        return refusal("not_acceptable", str(error))
    except SourceNotYetThereError as missing:
        return _error(MissingSourceError(missing.message), record)
    except CompositeError as error:
        return _error(error, record)
    except AccessDeniedError as error:
        return _error(StorageUnavailableError(f"the output bucket cannot be used: {error}"), record)
    except Exception as error:
        logger.exception("unexpected: %s: %s", type(error).__name__, error, extra={"stage": "http"})
        return _error(InternalError(f"an unexpected {type(error).__name__}; the log has the details"), record)


def _answer(
    composite: Composite, services: Services, deadline: Deadline, record: RunRecord, *, as_picture: bool
) -> Response:
    """The first picture, or the sidecar with the pictures in it, or with their addresses where they are too large to
    be sent."""
    pictures = composite.pictures
    sidecar = record.sidecar(composite.status, None, results=[picture.record("data:") for picture in pictures])
    size = len(composite.first.content) if as_picture else json_answer_size(composite, sidecar.to_json())
    addresses: list[str] = []
    if size > MAX_ANSWER_BYTES:
        with record.stage("upload"):
            # They are paid for: they get a little time even where the request's own is used up.
            addresses = store_pictures(composite, record.labels, services, deadline.grace_period())
        results = [picture.record(uri) for picture, uri in zip(pictures, addresses, strict=True)]
        sidecar = record.sidecar(composite.status, None, results=results)
    log_settled(sidecar, 0.0)
    headers = _outcome_headers(sidecar)
    if as_picture and not addresses:
        return Response(composite.first.content, 200, headers, mimetype=composite.first.mime_type)
    images = addresses or [encode_data_uri(picture.content, picture.mime_type) for picture in pictures]
    whole = {"sidecar": json.loads(sidecar.to_json()), "image": images[0]}
    if composite.first.name is not None:
        whole["images"] = {picture.name: image for picture, image in zip(pictures, images, strict=True)}
    return (
        json_answer(whole, 201, {**headers, "Location": images[0]}) if addresses else json_answer(whole, 200, headers)
    )


def _run(
    request: Request, body: bytes, services: Services, deadline: Deadline, record: RunRecord, *, as_picture: bool
) -> Composite:
    settings = services.settings
    with record.stage("download"):
        uploaded: dict[str, Source] = {}
        if request.mimetype == "multipart/form-data":
            fields, uploaded = parse_form(body, request.mimetype_params, settings.max_source_bytes)
            manifest = manifest_from(fields, settings)
        else:
            manifest = parse_manifest(body, settings)
        if manifest.batch:
            raise InvalidManifestError(
                "batch: requests over HTTP are answered at once; upload the manifest to use a batch"
            )
        record.labels, record.placement, record.pose = manifest.labels, manifest.placement_words, manifest.pose
        record.feedback = manifest.feedback
        record.name = manifest.name
        manifest, wording = apply_style(manifest, None, services.storage, settings, deadline, record)
        targets = manifest_targets(manifest, settings, None, "", skip=uploaded)
        sources = {**uploaded, **(fetch_sources(targets, services.storage, settings, deadline) if targets else {})}
        if as_picture:
            manifest = _in_accepted_format(manifest, request.accept_mimetypes, sources.get("scene"))
    # An owner of its own: what another request paid for is reused, and its refusals are not.
    owner = f"http:{uuid.uuid4().hex}"
    store = AnswerStore(services.storage, settings.output_bucket)
    budget = services.budget.of_pair(None, manifest.budget_usd)
    calls = PaidCalls(
        services.model, store, owner, deadline, InMemoryLedger(), budget, services.leases.is_shutting_down
    )
    resources = PairResources(services.memory, deadline)
    try:
        context = PairContext(
            manifest,
            sources,
            calls,
            settings,
            deadline,
            record,
            resources,
            services.models,
            services.credentials,
            wording,
        )
        composite = run_pair(context)
    finally:
        record.add_interrupted(calls.interrupted())
    return sign_results(composite, record, services.credentials, deadline, None, may_wait=False)


def _in_accepted_format(manifest: Manifest, accepted: MIMEAccept, scene: Source | None) -> Manifest:
    """The manifest, asking for the picture in the format that the caller likes most, or the first of several.

    Raises NotAcceptableError.
    """
    scene_format = detect_format(scene.content) if scene else None
    own = FORMATS[scene_format].written_as if scene_format else None
    if manifest.outputs is None:
        kind = picture_format(accepted, manifest.output.format, own)
        return manifest.model_copy(update={"output": manifest.output.model_copy(update={"format": kind})})
    first, *others = manifest.outputs
    kind = picture_format(accepted, first.format, own)
    return manifest.model_copy(update={"outputs": [first.model_copy(update={"format": kind}), *others]})


def _error(error: CompositeError, record: RunRecord) -> Response:
    sidecar = record.sidecar("failed", None, error=error)
    log_settled(sidecar, 0.0)
    status = STATUS_OF.get(error.code, STATUS_OF[ErrorCode.INTERNAL])
    headers = _outcome_headers(sidecar)
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return error_answer(status, error.code.value, error.message, headers)


def _outcome_headers(sidecar: Sidecar) -> dict[str, str]:
    """What became of the pair and what it has cost, also where the answer has no sidecar; a cost that is not known
    has no header."""
    headers: dict[str, str] = {"X-Composite-Status": sidecar.status}
    if sidecar.cost.usd is not None:
        headers["X-Composite-Usd"] = f"{sidecar.cost.usd:.6f}"
    return headers
