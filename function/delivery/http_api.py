"""A pair over HTTP: JSON or multipart/form-data in, the picture or JSON out."""

from __future__ import annotations

import json
import uuid
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from function.deadline import Deadline
from function.delivery.outputs import log_settled
from function.delivery.services import Services
from function.errors import (
    CompositeError,
    ErrorCode,
    ManifestInvalid,
    SourceMissing,
    SourceNotYetThere,
    StorageUnavailable,
    Unexpected,
)
from function.generation.answer_store import AnswerStore
from function.generation.call_ledger import InMemoryLedger
from function.generation.paid_calls import PaidCalls
from function.imaging.data_uri import encode_data_uri
from function.manifest.flat_fields import set_field
from function.manifest.model import Manifest
from function.manifest.parse import MAX_MANIFEST_BYTES, manifest_from, parse_manifest
from function.manifest.references import manifest_targets
from function.pipeline.context import Composite, PairContext
from function.pipeline.fetch import Source, check_size, fetch_sources
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.storage.client import Forbidden
from function.telemetry.structured_logging import log_unexpected

# What the caller can mend is 4xx; the model and the deadline are 502, 503 and 504.
STATUS_OF = {
    ErrorCode.MANIFEST_INVALID: 400,
    ErrorCode.REFERENCE_FORBIDDEN: 403,
    ErrorCode.SOURCE_MISSING: 404,
    ErrorCode.SOURCE_TOO_LARGE: 413,
    ErrorCode.SOURCE_UNSUPPORTED: 415,
    ErrorCode.SOURCE_UNREADABLE: 422,
    ErrorCode.BUDGET_EXHAUSTED: 429,
    ErrorCode.MODEL_REFUSED: 502,
    ErrorCode.MODEL_NO_IMAGE: 502,
    ErrorCode.MODEL_UNAVAILABLE: 503,
    ErrorCode.DEADLINE_EXCEEDED: 504,
}
FILE_FIELDS = ("scene", "product")
MAX_BODY_BYTES = 2 * MAX_MANIFEST_BYTES
MAX_FORM_FIELDS = 200  # every field of a manifest, 32 labels, and room


def answer_request(request: Request, services: Services) -> Response:
    """Run one pair and answer with it. Errors carry their code and message as JSON."""
    if request.method != "POST":
        return _json({"error": {"code": "method_not_allowed", "message": "use POST"}}, 405)
    record = RunRecord()
    deadline = Deadline(services.settings.event_deadline_s)
    try:
        composite = _run(request, services, deadline, record)
    except SourceNotYetThere as missing:
        return _error(SourceMissing(missing.message), record)
    except CompositeError as error:
        return _error(error, record)
    except Forbidden as error:
        return _error(StorageUnavailable(f"the output bucket cannot be used: {error}"), record)
    except Exception as error:  # noqa: BLE001 (the framework would answer with a page of HTML)
        log_unexpected(error, "http")
        return _error(Unexpected(f"an unexpected {type(error).__name__}; the log has the details"), record)
    sidecar = record.sidecar(composite.status, None, result=composite.record("data:"))
    log_settled(sidecar, 0.0)
    if _wants_image(request):
        return Response(composite.content, 200, {"X-Composite-Status": composite.status}, mimetype=composite.mime_type)
    body = {
        "sidecar": json.loads(sidecar.to_json()),
        "image": encode_data_uri(composite.content, composite.mime_type),
    }
    return _json(body, 200, {"X-Composite-Status": composite.status})


def _run(request: Request, services: Services, deadline: Deadline, record: RunRecord) -> Composite:
    settings = services.settings
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise ManifestInvalid(f"the request has {request.content_length} bytes; {MAX_BODY_BYTES} are allowed")
    with record.stage("download"):
        uploaded: dict[str, Source] = {}
        if request.mimetype == "multipart/form-data":
            manifest, uploaded = _from_form(request, services)
        else:
            manifest = parse_manifest(request.get_data(), settings)
        record.labels, record.placement, record.pose = manifest.labels, manifest.placement, manifest.pose
        targets = manifest_targets(manifest, settings, None, "", skip=uploaded)
        sources = {**uploaded, **(fetch_sources(targets, services.storage, settings, deadline) if targets else {})}
    # An owner of its own: what another request paid for is reused, and its refusals are not.
    owner = f"http:{uuid.uuid4().hex}"
    store = AnswerStore(services.storage, settings.output_bucket)
    budget = services.budget.of_pair(None, manifest.budget_usd)
    calls = PaidCalls(services.model, store, owner, deadline, InMemoryLedger(), budget)
    resources = PairResources(services.memory, deadline)
    try:
        return run_pair(PairContext(manifest, sources, calls, settings, deadline, record, resources, services.models))
    finally:
        record.add_interrupted(calls.interrupted())


def _from_form(request: Request, services: Services) -> tuple[Manifest, dict[str, Source]]:
    """Form fields are the manifest's (`labels.sku`, `output.format` too); files are its images."""
    fields: dict[str, Any] = {}
    # Images may come as data: references in fields; the library's own limit is half a megabyte.
    request.max_form_memory_size, request.max_form_parts = MAX_BODY_BYTES, MAX_FORM_FIELDS
    try:
        names = list(request.form)
    except HTTPException as error:
        raise ManifestInvalid(f"the form cannot be read: {error.description}") from None
    try:
        for name in names:
            set_field(fields, name, request.form[name])
    except ValueError as error:
        raise ManifestInvalid(str(error)) from None
    uploaded = {}
    for name in request.files:
        if name not in FILE_FIELDS:
            raise ManifestInvalid(f"{name}: unknown file (known: {', '.join(FILE_FIELDS)})")
        content = request.files[name].read()
        check_size(name, "the uploaded file", len(content), services.settings.max_source_bytes)
        # The manifest's model wants a reference; the bytes themselves go beside it.
        fields[name] = "data:,"
        uploaded[name] = Source("upload:" + name, None, content)
    return manifest_from(fields, services.settings), uploaded


def _wants_image(request: Request) -> bool:
    accepted = request.accept_mimetypes
    best = max((quality for mime, quality in accepted if mime.startswith("image/")), default=0)
    return best > 0 and best >= accepted["application/json"]


def _error(error: CompositeError, record: RunRecord) -> Response:
    sidecar = record.sidecar("failed", None, error=error)
    log_settled(sidecar, 0.0)
    status = STATUS_OF.get(error.code, 503 if error.retryable else 500)
    body = {
        "error": {"code": error.code.value, "message": error.message},
        "sidecar": json.loads(sidecar.to_json()),
    }
    headers = {"X-Composite-Status": "failed"}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return _json(body, status, headers)


def _json(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, mimetype="application/json")
