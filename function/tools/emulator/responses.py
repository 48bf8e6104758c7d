"""What the emulated model says: the response to a valid request, whole or with one fault."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import Image

from function.tools.emulator.asked_spot import SPOT_MANNERS
from function.tools.emulator.faults import Fault
from function.tools.emulator.json_sampler import fill_schema
from function.tools.emulator.marked_spot import MARK_MANNERS
from function.tools.emulator.poses import POSE_MANNERS
from function.tools.emulator.products import PRODUCTS_FAULTS
from function.tools.emulator.protocol import GenerateRequest, answer, usage
from function.tools.emulator.render import draw
from function.tools.emulator.render_faults import PICTURE_FAULTS
from function.tools.emulator.sketches import SKETCH_MANNERS
from function.tools.emulator.views import VIEW_FAULTS

DRAWN_FAULTS = (
    PICTURE_FAULTS | SKETCH_MANNERS | SPOT_MANNERS | MARK_MANNERS | POSE_MANNERS | VIEW_FAULTS | PRODUCTS_FAULTS
)
REMARK = "Here is the product in your scene."
EXCUSE = "I can't place this product in the scene. Could you describe what you would like to see?"
FINISH_MESSAGE = "The model could not generate the image. You will not be charged for this request."
OTHER_SIZE = (1024, 1024)
OTHER_ENCODINGS = {
    "jpeg_answer": "image/jpeg",
    "jpeg_labelled_png": "image/jpeg",
    "webp_answer": "image/webp",
}
PNG_LEVEL = 1  # zlib's fastest: an emulator's answer crosses one machine only


def respond(request: GenerateRequest, fault: Fault | None, drift: float) -> dict[str, Any]:
    """The response as a JSON object. `drift` scales the picture's departure from the scene (1: usual)."""
    kind = fault.kind if fault else ""
    value = fault.value if fault else None
    if kind == "block_reason":
        return blocked(request, value or "PROHIBITED_CONTENT")
    if kind == "no_candidates":
        return {"usageMetadata": usage(request), "modelVersion": request.model.id}
    if fault and fault.is_finish_reason:
        return unfinished(request, kind)
    if kind in {"empty_candidate", "empty_parts"}:
        response = answer(request, [])
        response["candidates"][0]["content"] = {"role": "model"} if kind == "empty_parts" else {}
        return response
    if kind == "odd_form":
        return {"candidates": "none", "usageMetadata": usage(request)}
    if kind == "text_only":
        return answer(request, [{"text": EXCUSE}])
    if not request.wants_image:
        return answer(request, [{"text": say(request, kind, value)}])
    pixels = draw(request, kind if kind in DRAWN_FAULTS else None, drift)
    response = answer(request, picture_parts(request, pixels, kind, value))
    if kind == "no_usage":
        del response["usageMetadata"]
    elif kind == "numeric_reason":
        response["candidates"][0]["finishReason"] = 1
    return response


def say(request: GenerateRequest, kind: str, value: Any) -> str:
    """The text of a text answer; JSON where it was asked for."""
    if not request.wants_json:
        return REMARK
    text = json.dumps(value if kind == "json" else fill_schema(request.schema or {}))
    return text[: len(text) // 2] if kind == "malformed_json" else text


def blocked(request: GenerateRequest, reason: str) -> dict[str, Any]:
    """A prompt that was refused: no candidates at all."""
    return {
        "promptFeedback": {"blockReason": reason},
        "usageMetadata": usage(request),
        "modelVersion": request.model.id,
    }


def unfinished(request: GenerateRequest, reason: str) -> dict[str, Any]:
    """A candidate that holds nothing but the reason why."""
    candidate = {"finishReason": reason, "finishMessage": FINISH_MESSAGE, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage(request), "modelVersion": request.model.id}


def picture_parts(request: GenerateRequest, pixels: np.ndarray, kind: str, value: Any) -> list[dict[str, Any]]:
    """The parts of an answer that holds the picture `pixels` (uint8 RGB), spoilt as `kind` says."""
    if kind in {"other_size", "larger_answer"}:
        height, width = pixels.shape[:2]
        size = tuple(value or OTHER_SIZE) if kind == "other_size" else (2 * width, 2 * height)
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    mime_type = OTHER_ENCODINGS.get(kind, request.mime_type)
    data = encode(pixels, mime_type)
    if kind == "jpeg_labelled_png":
        mime_type = "image/png"
    elif kind == "truncated_image":
        data = data[: len(data) // 2]
    elif kind == "garbage_image":
        data = bytes(len(data) // 64)
    elif kind == "empty_image":
        data = b""
    image = inline(data, mime_type)
    if kind == "broken_base64":
        image["inlineData"]["data"] = "***" + image["inlineData"]["data"]
    remark = {"text": REMARK}
    if kind in {"thought_first", "thought_only", "two_images"}:
        draft = {**inline(encode(pixels[::4, ::4] // 2, mime_type), mime_type)}
        if kind == "two_images":
            return [remark, draft, image]
        thoughts = [{"text": "Looking for a surface.", "thought": True}, {**draft, "thought": True}]
        return thoughts if kind == "thought_only" else [*thoughts, image]
    if kind == "data_uri_in_text":
        return [{"text": f"{REMARK}\n\n![image](data:{mime_type};base64,{image['inlineData']['data']})"}]
    if request.thinking_level:
        draft = inline(encode(pixels[::4, ::4] // 2, mime_type), mime_type)
        return [{**draft, "thought": True}, remark, image]
    return [remark, image]


def inline(data: bytes, mime_type: str) -> dict[str, Any]:
    """An image part; answers carry plain base64."""
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}


def encode(pixels: np.ndarray, mime_type: str) -> bytes:
    """`pixels` (uint8 RGB) as an image file."""
    out = io.BytesIO()
    options = {"image/png": {"compress_level": PNG_LEVEL}, "image/jpeg": {"quality": 92}}.get(mime_type, {})
    Image.fromarray(pixels).save(out, mime_type.removeprefix("image/").upper(), **options)
    return out.getvalue()
