"""The lines of a job's files: requests as they are sent, and results as they come back."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from function.batch.names import image_name
from function.batch.records import BatchRequest
from function.deadline import Deadline
from function.generation.gemini.request_json import request_json
from function.generation.gemini.response import read_answer, truncate
from function.generation.provider import Answer
from function.storage.client import Storage
from function.storage.names import gs_uri

MAX_IMAGE_BYTES = 20 * 2**20  # no listed model takes more than 7 MB
WINDOW_BYTES = 2 * 2**20  # read at once of a results file
MAX_LINE_BYTES = 96 * 2**20  # a 4K picture in base64, beside its request, is under 45 MB
# google.rpc.Code of what another job may answer; everything else that a line says is for good.
RETRYABLE_CODES = frozenset({1, 4, 8, 10, 13, 14, 429, 499, 500, 502, 503, 504})
RETRYABLE_STATUS = ("RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED", "429")


@dataclass(frozen=True)
class ResultLine:
    """One line of results: which request it is of, and its answer or what it says instead."""

    key: str | None
    answer: Answer | None
    error: str = ""
    error_is_final: bool = False


def line_over_buckets(request: BatchRequest, batch_bucket: str) -> tuple[str, str]:
    """A line whose images are objects → the line, and the key of its result."""
    images = [
        {"fileData": {"fileUri": gs_uri(batch_bucket, image_name(sha256)), "mimeType": mime_type}}
        for sha256, mime_type in request.images
    ]
    asked = _request(request, images, "image/png" if request.asks_for_png else None)
    key = key_of(asked)
    if key is None:
        raise RuntimeError("a line of our own must have a key")
    return json.dumps({"request": asked}, ensure_ascii=False), key


def line_with_images(request: BatchRequest, storage: Storage, batch_bucket: str, deadline: Deadline) -> tuple[str, str]:
    """A line that holds its images, for the Gemini API → the line, and the key of its result."""
    images = []
    for sha256, mime_type in request.images:
        content = storage.read(batch_bucket, image_name(sha256), deadline, limit=MAX_IMAGE_BYTES)
        images.append({"inlineData": {"mimeType": mime_type, "data": base64.b64encode(content).decode()}})
    asked = _request(request, images, None)  # with a key the format of the answer may not be chosen
    return json.dumps({"key": request.digest, "request": asked}, ensure_ascii=False), request.digest


def _request(request: BatchRequest, images: list[dict[str, Any]], mime_type: str | None) -> dict[str, Any]:
    return request_json(
        images, request.prompt, aspect_ratio=request.aspect_ratio, image_size=request.image_size, seed=request.seed,
        thinking_level=request.thinking_level, mime_type=mime_type,
    )  # fmt: skip


def key_of(request: Any) -> str | None:
    """What a request is recognised by when the service gives it back: its words, images, seed and shape, whatever the
    order and the spelling of its fields. None when it is no such request."""
    try:
        fields = _plain(request)
        parts = [part for content in fields["contents"] for part in content["parts"]]
        config = fields["generationconfig"]
        shown = [part.get("text") or part["filedata"]["fileuri"] for part in parts]
        said = [*shown, int(config["seed"]), config["imageconfig"]["aspectratio"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """With all names in one spelling: fileUri, file_uri → fileuri."""
    if isinstance(value, dict):
        return {str(name).replace("_", "").lower(): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def read_result(line: bytes) -> ResultLine | None:
    """A line of results, in whatever shape; None when it is no JSON object."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    stated = fields.get("key")
    key = stated if isinstance(stated, str) else key_of(fields.get("request"))
    response = fields.get("response")
    error = fields.get("error") or fields.get("status")
    if isinstance(response, dict) and response:
        answer = read_answer(json.dumps(response).encode(), 0)
        return ResultLine(key, replace(answer, price_tier="batch"))
    said = error if isinstance(error, str) else json.dumps(error)
    return ResultLine(key, None, truncate(said) or "the line holds no response", not _is_retryable(error))


def _is_retryable(error: Any) -> bool:
    if isinstance(error, dict):
        code, status = error.get("code"), str(error.get("status", ""))
        return code in RETRYABLE_CODES or status in RETRYABLE_STATUS
    return not error or any(word in str(error).upper() for word in RETRYABLE_STATUS)


def lines_of(read: Callable[[int, int], bytes], start: int, end: int, size: int) -> Iterator[bytes]:
    """The lines that begin at a byte from `start` to before `end` of a file of `size` bytes, in bounded memory.

    `read(start, length)` gives bytes of the file. A line above MAX_LINE_BYTES is passed over.
    """
    at = max(0, start - 1)  # the byte before tells whether a line begins at `start`
    begins, buffer, done = at, b"", 0  # `begins` is where the bytes from `done` on lie in the file
    belongs, too_long = start == 0, False
    while True:
        cut = buffer.find(b"\n", done)
        last = cut < 0 and at >= size
        if cut < 0 and not last:
            buffer, done = buffer[done:], 0
            if len(buffer) > MAX_LINE_BYTES:
                begins, buffer, too_long = begins + len(buffer), b"", True
            more = read(at, min(WINDOW_BYTES, size - at))
            at = at + len(more) if more else size
            buffer += more
            continue
        line = buffer[done:] if last else buffer[done:cut]
        if belongs and begins < end and line.strip() and not too_long:
            yield line
        begins, done = begins + len(line) + 1, done + len(line) + 1
        if last or begins >= end:
            return
        belongs, too_long = True, False
