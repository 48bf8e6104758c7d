"""A pair over HTTP: JSON or multipart/form-data in, the picture or JSON out."""

from __future__ import annotations

import base64
import json
import re
import uuid
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from function.deadline import Deadline
from function.delivery.pair import Services, log_settled, manifest_targets
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
from function.generation.paid_calls import PaidCalls
from function.manifest.parse import MAX_MANIFEST_BYTES, Manifest, manifest_from, parse_manifest
from function.pipeline.fetch import Source, check_size, fetch_sources
from function.pipeline.finish import Composite
from function.pipeline.record import RunRecord
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
    ErrorCode.MODEL_REFUSED: 502,
    ErrorCode.MODEL_NO_IMAGE: 502,
    ErrorCode.MODEL_UNAVAILABLE: 503,
    ErrorCode.DEADLINE_EXCEEDED: 504,
}
FILE_FIELDS = ("scene", "product")
NUMBER_FIELDS = {"max_px", "attempts", "seed", "output.quality", "output.width", "output.height"}
JSON_FIELDS = {"output", "labels"}  # may also be given whole, as JSON
NESTED_FIELDS = ("output.", "labels.")
MAX_BODY_BYTES = 2 * MAX_MANIFEST_BYTES
MAX_FORM_FIELDS = 200  # every field of a manifest, 32 labels, and room
NUMBER = re.compile(r"-?[0-9]{1,18}")


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
    image = f"data:{composite.mime_type};base64,{base64.b64encode(composite.content).decode()}"
    body = {"sidecar": json.loads(sidecar.to_json()), "image": image}
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
        record.labels, record.placement = manifest.labels, manifest.placement
        targets = manifest_targets(manifest, settings, None, skip=set(uploaded))
        sources = {**uploaded, **(fetch_sources(targets, services.storage, settings, deadline) if targets else {})}
    # An owner of its own: what another request paid for is reused, and its refusals are not.
    owner = f"http:{uuid.uuid4().hex}"
    calls = PaidCalls(services.model, AnswerStore(services.storage, settings.output_bucket), owner, deadline)
    try:
        return run_pair(manifest, sources, calls, settings, deadline, record)
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
    for name in names:
        _set_field(fields, name, request.form[name])
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


def _set_field(fields: dict[str, Any], name: str, text: str) -> None:
    value: Any = text
    if name in NUMBER_FIELDS:
        value = int(text) if NUMBER.fullmatch(text.strip()) else text
    elif name in JSON_FIELDS or (name == "scene" and text.lstrip().startswith("{")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise ManifestInvalid(f"{name}: is not JSON") from None
    for prefix in NESTED_FIELDS:
        if name.startswith(prefix):
            nested = fields.setdefault(prefix[:-1], {})
            if isinstance(nested, dict):
                nested[name.removeprefix(prefix)] = value
            return
    fields[name] = value


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
    return _json(body, status, {"X-Composite-Status": "failed"})


def _json(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, mimetype="application/json")
