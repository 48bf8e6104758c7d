"""What `composite_http` answers at which path and to which method, before a pair is made."""

from __future__ import annotations

from flask import Request, Response

from function import PIPELINE_VERSION
from function.delivery.http_answers import HEALTH_PATH, OPENAPI_PATH, PAIRS_PATH, json_answer, refusal

READING = ("GET", "HEAD")
METHODS = {PAIRS_PATH: ("POST",), HEALTH_PATH: READING, OPENAPI_PATH: READING}


def is_health_check(request: Request) -> bool:
    """Whether it is a health check."""
    return request.path == HEALTH_PATH and request.method in READING


def health() -> Response:
    """The server answers; it calls no other service for this."""
    return json_answer({"status": "ok", "pipeline_version": PIPELINE_VERSION}, 200, {"Cache-Control": "no-store"})


def answer_without_pair(request: Request) -> Response | None:
    """The answer to what is no pair; None where one is to be made."""
    methods = METHODS.get(request.path)
    if methods is None:
        return refusal("not_found", f"there is nothing at this path; pairs are posted to {PAIRS_PATH}")
    if request.method not in methods:
        message = f"use {' or '.join(methods)}"
        return refusal("method_not_allowed", message, {"Allow": ", ".join(methods)})
    if is_health_check(request):
        return health()
    if request.path == OPENAPI_PATH:
        from function.delivery.openapi import openapi  # noqa: PLC0415

        return json_answer(openapi(), 200)
    return None
