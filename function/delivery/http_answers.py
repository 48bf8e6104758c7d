"""Answers of `composite_http` that are no picture: errors, and what is said of the service itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Request, Response

from function import PIPELINE_VERSION

PAIRS_PATH, HEALTH_PATH, OPENAPI_PATH = "/", "/health", "/openapi.json"
READING = ("GET", "HEAD")
METHODS = {PAIRS_PATH: ("POST",), HEALTH_PATH: READING, OPENAPI_PATH: READING}


def json_answer(body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    """`body` as JSON."""
    return Response(json.dumps(body), status, dict(headers or {}), mimetype="application/json")


def error_answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """`{"error": {code, message}}`."""
    return json_answer({"error": {"code": code, "message": message}}, status, headers)


def is_health_check(request: Request) -> bool:
    """Whether somebody asks if the server answers."""
    return request.path == HEALTH_PATH and request.method in READING


def health() -> Response:
    """That the server answers; nothing is asked of anybody else for it."""
    return json_answer({"status": "ok", "pipeline_version": PIPELINE_VERSION}, 200, {"Cache-Control": "no-store"})


def answer_without_pair(request: Request) -> Response | None:
    """The answer to what is no pair; None where one is to be made."""
    methods = METHODS.get(request.path)
    if methods is None:
        return error_answer(404, "not_found", f"there is nothing at this path; pairs are posted to {PAIRS_PATH}")
    if request.method not in methods:
        message = f"use {' or '.join(methods)}"
        return error_answer(405, "method_not_allowed", message, {"Allow": ", ".join(methods)})
    if is_health_check(request):
        return health()
    return None
