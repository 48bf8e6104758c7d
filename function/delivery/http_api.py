"""A pair over HTTP: JSON or multipart/form-data in, the picture or JSON out."""

from __future__ import annotations

import json
import uuid

from flask import Request, Response

from function.deadline import Deadline
from function.delivery.http_answers import error_answer, json_answer
from function.delivery.http_form import parse_form
from function.delivery.outputs import log_settled
from function.delivery.services import Services
from function.errors import (
    CompositeError,
    ErrorCode,
    SourceMissing,
    SourceNotYetThere,
    StorageUnavailable,
    Unexpected,
)
from function.generation.answer_store import AnswerStore
from function.generation.call_ledger import InMemoryLedger
from function.generation.paid_calls import PaidCalls
from function.imaging.data_uri import encode_data_uri
from function.manifest.parse import manifest_from, parse_manifest
from function.manifest.references import manifest_targets
from function.pipeline.context import Composite, PairContext
from function.pipeline.fetch import Source, fetch_sources
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.sidecar import Sidecar
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


def answer_request(request: Request, body: bytes, services: Services) -> Response:
    """Run one pair and answer with it. Errors carry their code and message as JSON."""
    record = RunRecord()
    deadline = Deadline(services.settings.event_deadline_s)
    try:
        composite = _run(request, body, services, deadline, record)
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
    headers = _outcome_headers(sidecar)
    if _wants_image(request):
        return Response(composite.content, 200, headers, mimetype=composite.mime_type)
    whole = {
        "sidecar": json.loads(sidecar.to_json()),
        "image": encode_data_uri(composite.content, composite.mime_type),
    }
    return json_answer(whole, 200, headers)


def _run(request: Request, body: bytes, services: Services, deadline: Deadline, record: RunRecord) -> Composite:
    settings = services.settings
    with record.stage("download"):
        uploaded: dict[str, Source] = {}
        if request.mimetype == "multipart/form-data":
            fields, uploaded = parse_form(body, request.mimetype_params, settings.max_source_bytes)
            manifest = manifest_from(fields, settings)
        else:
            manifest = parse_manifest(body, settings)
        record.labels, record.placement = manifest.labels, manifest.placement
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


def _wants_image(request: Request) -> bool:
    accepted = request.accept_mimetypes
    best = max((quality for mime, quality in accepted if mime.startswith("image/")), default=0)
    return best > 0 and best >= accepted["application/json"]


def _error(error: CompositeError, record: RunRecord) -> Response:
    sidecar = record.sidecar("failed", None, error=error)
    log_settled(sidecar, 0.0)
    status = STATUS_OF.get(error.code, 503 if error.retryable else 500)
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
