"""The Gemini REST protocol as the emulator speaks it: requests read and refused, answers and errors shaped.

Shapes follow https://ai.google.dev/api/generate-content and what google-genai 3.4 puts on the wire.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from function.generation.pricing import CHARS_PER_TOKEN
from function.imaging.data_uri import decode_base64
from function.tools.emulator.fields import BLOB, REQUEST, Fields
from function.tools.emulator.models import ModelCard

OUTPUT_MIME_TYPES = ("image/png", "image/jpeg")
DEFAULT_THINKING_LEVEL = "medium"  # documented for gemini-nano-banana-2.1
THOUGHT_TOKENS = {"minimal": 120, "medium": 700, "high": 1800}  # of our own making: nobody has published any
INPUT_MIME_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
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


def read_request(body: bytes, model: ModelCard, read_file: Callable[[str], bytes] | None = None) -> GenerateRequest:
    """Parse and check a request body as the service does; raises ApiError (400). `read_file`: what a fileUri holds."""
    try:
        payload = json.loads(body)
    except (ValueError, UnicodeDecodeError) as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(payload, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    payload = canonical(payload, REQUEST, "")
    texts, images = read_contents(payload.get("contents") or [], read_file)
    texts += [part.get("text", "") for part in payload.get("systemInstruction", {}).get("parts", [])]
    if len(images) > model.max_images:
        raise invalid(f"{len(images)} input images exceed the maximum of {model.max_images}.")
    if any(len(image.data) > model.max_inline_bytes for image in images):
        raise invalid(f"An inline image exceeds the maximum of {model.max_inline_bytes} bytes.")
    config = payload.get("generationConfig", {})
    return read_config(config, model, "\n".join(texts), images)


def read_contents(
    contents: list[dict[str, Any]], read_file: Callable[[str], bytes] | None
) -> tuple[list[str], list[ImagePart]]:
    """The texts and the images of all parts; raises ApiError (400)."""
    if not contents:
        raise invalid(f"* {REQUEST_NAME}.contents: contents is not specified\n")
    texts: list[str] = []
    images: list[ImagePart] = []
    for index, content in enumerate(contents):
        if content.get("role", "user") not in {"user", "model"}:
            raise invalid("Please use a valid role: user, model.")
        if not content.get("parts"):
            raise invalid(f"* {REQUEST_NAME}.contents[{index}].parts: contents.parts must not be empty.\n")
        for number, part in enumerate(content["parts"]):
            if "inlineData" in part:
                where = f"contents[{index}].parts[{number}].inline_data"
                images.append(read_image(part["inlineData"], where))
            elif "fileData" in part and read_file is not None:
                data = base64.b64encode(read_file(part["fileData"]["fileUri"])).decode()
                blob = {"mimeType": part["fileData"].get("mimeType", ""), "data": data}
                images.append(read_image(blob, f"contents[{index}].parts[{number}].file_data"))
            elif "text" in part:
                texts.append(part["text"])
            else:
                raise invalid(
                    f"* {REQUEST_NAME}.contents[{index}].parts[{number}].data: required oneof field "
                    "'data' must have one initialized field"
                )
    return texts, images


def read_config(config: dict[str, Any], model: ModelCard, text: str, images: list[ImagePart]) -> GenerateRequest:
    """Check the generation config against the model; raises ApiError (400)."""
    modalities = read_modalities(config, model)
    image_config = read_image_config(config, model)
    schema, wants_json = read_response_format(config, model)
    seed = config.get("seed")
    if seed is not None and (type(seed) is not int or not -(2**31) <= seed < 2**31):
        raise invalid(f"Invalid value at 'generation_config.seed' (TYPE_INT32), {json.dumps(seed)}")
    if config.get("candidateCount", 1) != 1:
        raise invalid("Multiple candidates is not enabled for this model")
    return GenerateRequest(
        model=model,
        text=text,
        images=images,
        aspect_ratio=image_config.get("aspectRatio"),
        image_size=image_config.get("imageSize") or "1K",
        thinking_level=read_thinking_level(config, model),
        mime_type=image_config.get("imageOutputOptions", {}).get("mimeType") or model.mime_type,
        seed=seed,
        wants_image=model.draws and (not modalities or "IMAGE" in modalities),
        schema=schema,
        wants_json=wants_json,
    )


def read_modalities(config: dict[str, Any], model: ModelCard) -> list[str]:
    """What the response may consist of, in capitals; none where the request does not say. Raises ApiError (400)."""
    draws = model.draws
    modalities = [str(name).upper() for name in config.get("responseModalities") or ()]
    for number, name in enumerate(modalities):
        if name not in {"TEXT", "IMAGE", "AUDIO"}:
            raise invalid(f"Invalid value at 'generation_config.response_modalities[{number}]', \"{name}\"")
    if "AUDIO" in modalities or ("IMAGE" in modalities and not draws):
        raise invalid(
            f"The requested combination of response modalities ({', '.join(modalities)}) is not supported by "
            f"the model. models/{model.id} accepts the following combination of response modalities:\n"
            + ("* IMAGE, TEXT\n* TEXT\n" if draws else "* TEXT\n")
        )
    return modalities


def read_image_config(config: dict[str, Any], model: ModelCard) -> dict[str, Any]:
    """The shape, size and type of the picture, each as far as the request says. Raises ApiError (400)."""
    image_config: dict[str, Any] = config.get("imageConfig", {})
    ratio = image_config.get("aspectRatio")
    if image_config and not model.draws:
        raise invalid(f"image_config is not supported by models/{model.id}")
    if ratio is not None and ratio not in model.native_sizes:
        raise invalid(f'Invalid aspect_ratio "{ratio}". Supported values: {", ".join(model.native_sizes)}.')
    image_size = image_config.get("imageSize")
    if image_size is not None and image_size not in model.image_sizes:
        raise invalid(f"image_size {image_size} is not supported by models/{model.id}.")
    output_mime_type = image_config.get("imageOutputOptions", {}).get("mimeType")
    if output_mime_type not in {None, *OUTPUT_MIME_TYPES}:
        raise invalid(f"Unsupported output MIME type: {output_mime_type}")
    return image_config


def read_response_format(config: dict[str, Any], model: ModelCard) -> tuple[dict[str, Any] | None, bool]:
    """The schema of the response's text, and whether it has to be JSON. Raises ApiError (400)."""
    mime_type = config.get("responseMimeType", "text/plain")
    if mime_type not in {"text/plain", "application/json", "text/x.enum"}:
        raise invalid(f"* {REQUEST_NAME}.generation_config.response_mime_type: unsupported: {mime_type}\n")
    schema = config.get("responseSchema", config.get("responseJsonSchema"))
    wants_json = mime_type == "application/json"
    if model.draws and (wants_json or schema is not None):
        raise invalid(f"JSON mode is not enabled for models/{model.id}")
    if schema is not None and not wants_json:
        raise invalid(
            f"* {REQUEST_NAME}.generation_config.response_schema: only allowed when response mime type is "
            "`application/json`.\n"
        )
    return schema, wants_json


def read_thinking_level(config: dict[str, Any], model: ModelCard) -> str | None:
    """The level that the model thinks at; None for one that does not think. Raises ApiError (400)."""
    level = config.get("thinkingConfig", {}).get("thinkingLevel")
    if level is None:
        return DEFAULT_THINKING_LEVEL if model.thinking_levels else None
    if level.lower() not in model.thinking_levels:
        raise invalid(f"Thinking level {level} is not supported for this model.")
    found: str | None = level.lower()
    return found


def canonical(value: Any, fields: Fields, where: str) -> Any:
    """`value` with lowerCamelCase names, as the service reads both spellings; an unknown name is 400."""
    if fields is None:
        return value
    if isinstance(fields, list):
        if not isinstance(value, list):
            raise invalid(f"Invalid value at '{where}': expected a list.")
        return [canonical(item, fields[0], f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(fields, type):
        if not isinstance(value, fields):
            raise invalid(f"Invalid value at '{where}' (expected {fields.__name__}).")
        return value
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{where}': expected an object.")
    out = {}
    for name, item in value.items():
        camel = re.sub(r"(?<=\w)_([a-z0-9])", lambda found: found[1].upper(), name)
        if camel not in fields:
            at = f" at '{where}'" if where else ""
            message = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
            violation = {"field": where, "description": message} if where else {"description": message}
            detail = {"@type": RPC + "BadRequest", "fieldViolations": [violation]}
            raise ApiError(400, "INVALID_ARGUMENT", message, [detail])
        snake = re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), camel)
        out[camel] = canonical(item, fields[camel], f"{where}.{snake}" if where else snake)
    return out


def read_image(blob: dict[str, Any], where: str) -> ImagePart:
    """Decode one inline image (URL-safe or plain base64); raises ApiError (400)."""
    blob = canonical(blob, BLOB, where)
    mime_type = blob.get("mimeType", "")
    if mime_type not in INPUT_MIME_TYPES:
        raise invalid(f"Unsupported MIME type: {mime_type}")
    try:
        data = decode_base64(blob.get("data", ""))
    except ValueError as error:
        raise invalid(f"Invalid value at '{where}.data' (TYPE_BYTES), Base64 decoding failed") from error
    try:
        with Image.open(io.BytesIO(data), formats=[INPUT_MIME_TYPES[mime_type]]) as image:
            pixels = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise invalid("Unable to process input image. Please retry or report the issue.") from error
    return ImagePart(pixels, mime_type, data)


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
