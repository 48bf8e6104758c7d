"""Checks the generation config of a request against what the model supports, in the words of the service."""

from __future__ import annotations

import json
from typing import Any

from function.tools.emulator.models import ModelCard
from function.tools.emulator.protocol import REQUEST_NAME, GenerateRequest, ImagePart, invalid

OUTPUT_MIME_TYPES = ("image/png", "image/jpeg")
DEFAULT_THINKING_LEVEL = "medium"  # documented for gemini-nano-banana-2.1


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
