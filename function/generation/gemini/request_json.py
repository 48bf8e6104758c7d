"""A request as the REST protocol has it: for lines of batch jobs, which the SDK does not write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def request_json(
    images: Sequence[dict[str, Any]],
    prompt: str,
    *,
    aspect_ratio: str,
    image_size: str | None,
    seed: int,
    thinking_level: str | None,
    mime_type: str | None,
) -> dict[str, Any]:
    """`images` are parts (`fileData` or `inlineData`); the same order and settings as `GeminiClient.generate` sends.

    `mime_type`: of the answer, None where it may not be chosen.
    """  # fmt: skip
    parts: list[dict[str, Any]] = []
    for number, image in enumerate(images, start=1):
        parts += [{"text": f"[{number}]"}, image]
    image_config: dict[str, Any] = {"aspectRatio": aspect_ratio}
    if image_size:
        image_config["imageSize"] = image_size
    if mime_type:
        image_config["imageOutputOptions"] = {"mimeType": mime_type}
    config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"], "seed": seed, "imageConfig": image_config}
    if thinking_level:
        config["thinkingConfig"] = {"thinkingLevel": thinking_level.upper()}
    return {"contents": [{"role": "user", "parts": [*parts, {"text": prompt}]}], "generationConfig": config}
