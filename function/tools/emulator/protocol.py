"""The Gemini REST protocol as the emulator speaks it: paths, a request once it is read, errors and responses.

Shapes follow https://ai.google.dev/api/generate-content and what google-genai 3.4 puts on the wire.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from function.generation.pricing import CHARS_PER_TOKEN
from function.tools.emulator.models import ModelCard

THOUGHT_TOKENS = {"minimal": 120, "medium": 700, "high": 1800}  # made up: no figures are published
REQUEST_NAME = "GenerateContentRequest"
RPC = "type.googleapis.com/google.rpc."
PATH = re.compile(
    r"^/(?P<version>v1|v1beta|v1beta1)/"
    r"(?P<vertex>(projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/)?publishers/google/)?"
    r"models/(?P<model>[^/:]+):(?P<method>\w+)$"
)


class ApiError(Exception):
    """A refusal with the HTTP code, status and details that the real service gives."""

    def __init__(self, code: int, status: str, message: str, details: list[dict[str, Any]] | None = None):
        super().__init__(message)
        self.code, self.status, self.message, self.details = code, status, message, details or []

    def body(self) -> bytes:
        """The error as JSON bytes."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return json.dumps({"error": error}, indent=2).encode()


def invalid(message: str) -> ApiError:
    """400 INVALID_ARGUMENT."""
    return ApiError(400, "INVALID_ARGUMENT", message)


@dataclass(frozen=True)
class ImagePart:
    """One input image: pixels uint8 (h, w, 3 or 4), and what was sent."""

    pixels: np.ndarray
    mime_type: str
    data: bytes


@dataclass(frozen=True)
class GenerateRequest:
    """A valid generateContent request."""

    model: ModelCard
    text: str
    images: list[ImagePart]
    aspect_ratio: str | None
    image_size: str
    thinking_level: str | None
    mime_type: str
    seed: int | None
    wants_image: bool
    schema: dict[str, Any] | None
    wants_json: bool

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides the answer but the seed."""
        asked = (self.model.id, self.aspect_ratio, self.image_size, self.text)
        digest = hashlib.sha256(repr(asked).encode())
        for image in self.images:
            digest.update(hashlib.sha256(image.data).digest())
        return digest.hexdigest()

    @property
    def text_tokens(self) -> int:
        """Tokens of the prompt's text, estimated."""
        return max(1, math.ceil(len(self.text) / CHARS_PER_TOKEN))


def authorise(vertex: bool, headers: Any, query: dict[str, list[str]]) -> None:
    """Refuse a call without a key (Gemini API) or without a bearer token or key (Vertex AI)."""
    key = headers.get("x-goog-api-key") or query.get("key", [""])[0]
    if key or (vertex and headers.get("Authorization", "").startswith("Bearer ")):
        return
    if vertex:
        raise ApiError(
            401,
            "UNAUTHENTICATED",
            "Request is missing required authentication credential. Expected OAuth 2 access token, login "
            "cookie or other valid authentication credential.",
        )
    raise ApiError(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API "
        "Key or other form of API consumer identity to call this API.",
    )


def model_not_found(match: re.Match[str]) -> ApiError:
    """404 in the words of the Gemini API or of Vertex AI."""
    if match["vertex"]:
        name = f"projects/{match['project']}/locations/{match['location']}/publishers/google/models/"
        message = (
            f"Publisher Model `{name}{match['model']}` was not found or your project does not have access to "
            "it. Please ensure you are using a valid model version."
        )
    else:
        message = (
            f"models/{match['model']} is not found for API version {match['version']}, or is not supported "
            f"for {match['method']}. Call ListModels to see the list of available models and their supported "
            "methods."
        )
    return ApiError(404, "NOT_FOUND", message)


def find_model(match: re.Match[str], models: dict[str, ModelCard]) -> ModelCard:
    """The model that a path names, where its location serves it. Raises ApiError (404)."""
    card = models.get(match["model"])
    if card is None or (match["vertex"] and card.locations and match["location"] not in card.locations):
        raise model_not_found(match)
    return card


def answer(request: GenerateRequest, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """A whole successful response around `parts`, with its token counts."""
    drawn = any("inlineData" in part for part in parts)
    spoken = sum(len(part.get("text", "")) for part in parts if not part.get("thought"))
    return {
        "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": usage(
            request,
            image_tokens=request.model.output_tokens[request.image_size] if drawn else 0,
            text_tokens=math.ceil(spoken / CHARS_PER_TOKEN),
        ),
        "modelVersion": request.model.id,
        "responseId": hashlib.sha256(f"{request.digest}{request.seed}".encode()).hexdigest()[:22],
    }


def usage(request: GenerateRequest, image_tokens: int = 0, text_tokens: int = 0) -> dict[str, Any]:
    """Token counts as the service reports them: prompt and answer, each by modality."""
    prompt: list[dict[str, Any]] = [{"modality": "TEXT", "tokenCount": request.text_tokens}]
    if request.images:
        image_tokens_sent = request.model.tokens_per_image * len(request.images)
        prompt.append({"modality": "IMAGE", "tokenCount": image_tokens_sent})
    total = sum(entry["tokenCount"] for entry in prompt)
    counts: dict[str, Any] = {"promptTokenCount": total, "promptTokensDetails": prompt}
    if image_tokens or text_tokens:
        counts["candidatesTokenCount"] = image_tokens + text_tokens
        details = [("TEXT", text_tokens), ("IMAGE", image_tokens)]
        counts["candidatesTokensDetails"] = [{"modality": m, "tokenCount": n} for m, n in details if n]
    thoughts = THOUGHT_TOKENS.get(request.thinking_level or "", 0) if image_tokens else 0
    if thoughts:
        counts["thoughtsTokenCount"] = thoughts
    counts["totalTokenCount"] = total + image_tokens + text_tokens + thoughts
    return counts
