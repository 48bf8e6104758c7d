"""The calls of the emulated service that cost nothing: the list of models, one model, and a token count.

Shapes follow https://ai.google.dev/api/models, https://ai.google.dev/api/tokens and Vertex AI's v1beta1 reference;
paths are those that google-genai 3.4 sends. On Vertex AI it asks for models outside of any project and location.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qs

from function.tools.emulator.faults import FaultQueue, http_error
from function.tools.emulator.models import ModelCard
from function.tools.emulator.protocol import ApiError, authorise, find_model, model_not_found, usage
from function.tools.emulator.request_body import read_request

MODELS_PATH = re.compile(
    r"^/(?P<version>v1|v1beta|v1beta1)/(?P<vertex>publishers/google/)?models(/(?P<model>[^/:]+))?$"
)
METHODS = ["generateContent", "countTokens", "batchGenerateContent"]


def answer_models_call(
    url: SplitResult, headers: Any, models: dict[str, ModelCard], faults: FaultQueue
) -> dict[str, Any]:
    """`GET models` or `GET models/{id}` → its answer. Raises ApiError."""
    match = MODELS_PATH.match(url.path)
    if match is None:
        raise ApiError(404, "NOT_FOUND", "Requested entity was not found.")
    vertex, model_id = bool(match["vertex"]), match["model"]
    authorise(vertex, headers, parse_qs(url.query))
    fault = faults.take_for_free_call("getModel" if model_id else "listModels", model_id)
    if fault and fault.kind != "404":
        raise http_error(fault.kind)
    if model_id is None:
        described = [_described(card, vertex) for card in models.values()]
        return {"publisherModels" if vertex else "models": described}
    if fault or model_id not in models:
        words = f"Model is not found: models/{model_id} for api version {match['version']}"
        raise ApiError(404, "NOT_FOUND", words)
    return _described(models[model_id], vertex)


def count_tokens(
    match: re.Match[str], url: SplitResult, headers: Any, body: bytes, models: dict[str, ModelCard], faults: FaultQueue
) -> dict[str, Any]:
    """`POST models/{id}:countTokens` → its answer. Raises ApiError."""
    authorise(bool(match["vertex"]), headers, parse_qs(url.query))
    fault = faults.take_for_free_call("countTokens", match["model"])
    if fault and fault.kind != "404":
        raise http_error(fault.kind)
    if fault:
        raise model_not_found(match)
    counts = usage(read_request(body, find_model(match, models)))
    return {"totalTokens": counts["promptTokenCount"], "promptTokensDetails": counts["promptTokensDetails"]}


def _described(card: ModelCard, vertex: bool) -> dict[str, Any]:
    """A model as its service describes it."""
    if vertex:
        return {"name": f"publishers/google/models/{card.id}", "versionId": "default", "launchStage": "GA"}
    return {
        "name": f"models/{card.id}",
        "version": "001",
        "displayName": card.id,
        "inputTokenLimit": 32_768,
        "outputTokenLimit": 32_768,
        "supportedGenerationMethods": METHODS,
    }
