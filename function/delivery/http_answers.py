"""Answers of `composite_http` as JSON, errors above all: their codes and statuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from function.errors import ErrorCode

PAIRS_PATH, HEALTH_PATH, OPENAPI_PATH = "/", "/health", "/openapi.json"

# What the caller can fix is 4xx; the model and the deadline are 502, 503 and 504.
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
    ErrorCode.INTERNAL: 503,
    ErrorCode.DEADLINE_EXCEEDED: 504,
}
# Of requests that are no pair yet. (Nothing else can stand in the place of an answer: no output_conflict.)
OWN_STATUS_OF = {
    "request_incomplete": 400,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "request_timeout": 408,
    "request_too_large": 413,
}


def json_answer(body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    """`body` as JSON."""
    return Response(json.dumps(body), status, dict(headers or {}), mimetype="application/json")


def error_answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """`{"error": {code, message}}`."""
    return json_answer({"error": {"code": code, "message": message}}, status, headers)


def refusal(code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to what is no pair; `code` is one of OWN_STATUS_OF."""
    return error_answer(OWN_STATUS_OF[code], code, message, headers)
