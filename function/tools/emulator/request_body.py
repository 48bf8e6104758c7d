"""Reads the body of a generateContent request, and refuses what the service would refuse."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from function.imaging.data_uri import decode_base64
from function.tools.emulator.fields import BLOB, REQUEST, Fields
from function.tools.emulator.generation_config import read_config
from function.tools.emulator.models import ModelCard
from function.tools.emulator.protocol import REQUEST_NAME, RPC, ApiError, GenerateRequest, ImagePart, invalid

INPUT_MIME_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


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
