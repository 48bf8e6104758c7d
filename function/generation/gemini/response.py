"""What the image model sends back, in whatever shape, → one typed answer."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from function.generation.pricing import Usage
from function.generation.provider import Answer
from function.imaging.data_uri import decode_base64
from function.imaging.formats import FORMATS, detect_format

MAX_TEXT_CHARS = 500  # of the model's own words kept in a record
MALFORMED = "the answer does not have the form that the service documents"
MAX_JSON_CHARS = 2000  # of an answer that was asked for as JSON

# A request or answer that breaks a rule breaks it again: no further attempt is paid for.
HARD_REFUSALS = frozenset(
    {
        *("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_PROHIBITED_CONTENT", "MODEL_ARMOR"),
        "PUP_LIMITED_DISABLED",  # the account is restricted
    }
)
SOFT_REFUSALS = frozenset({"RECITATION", "IMAGE_SAFETY", "IMAGE_RECITATION", "LANGUAGE"})
DATA_IMAGE = re.compile(r"data:image/[a-z+.-]+;base64,([A-Za-z0-9+/=_\s-]+)")


class _LenientModel(BaseModel):
    """What is read of a response, in its JSON form. The rest may be anything; what is absent is None.

    Not the SDK's types: used with a key it drops the model's own words (`finishMessage`), and it stumbles over values
    that it does not know.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, coerce_numbers_to_str=True)


class _Blob(_LenientModel):
    data: str = ""


class _Part(_LenientModel):
    text: str | None = None
    thought: bool | None = None
    inline_data: _Blob | None = None


class _Content(_LenientModel):
    parts: list[_Part] | None = None


class _Candidate(_LenientModel):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _Feedback(_LenientModel):
    block_reason: str | None = None
    block_reason_message: str | None = None


class _Tokens(_LenientModel):
    modality: str | None = None
    token_count: int | None = None


class _UsageMetadata(_LenientModel):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    prompt_tokens_details: list[_Tokens] | None = None
    candidates_tokens_details: list[_Tokens] | None = None


class _Response(_LenientModel):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _UsageMetadata | None = None
    model_version: str | None = None


def read_answer(body: bytes, latency_ms: int) -> Answer:
    """A response (JSON) of any shape → Answer: the last image that is not a thought, or the words that came instead."""
    response = _response(body)
    if response is None:
        return Answer("no_image", "UNREADABLE", MALFORMED, b"", "", Usage(), None, latency_ms)
    usage = _usage(response.usage_metadata)
    version = response.model_version

    def without_image(outcome: Literal["refused", "no_image"], reason: str, words: str, final: bool) -> Answer:
        return Answer(outcome, reason, truncate(words), b"", "", usage, version, latency_ms, final)

    feedback = response.prompt_feedback
    if feedback and feedback.block_reason:
        reason = feedback.block_reason
        words = feedback.block_reason_message or "the prompt or one of its images was blocked"
        return without_image("refused", reason, words, True)
    candidate = response.candidates[0] if response.candidates else None
    if candidate is None:
        return without_image("no_image", "NO_CANDIDATE", "the answer holds no candidate", False)
    reason = candidate.finish_reason or "UNKNOWN"
    parts = (candidate.content.parts if candidate.content else None) or []
    said = " ".join(part.text for part in parts if part.text and not part.thought)
    image = _last_image(parts)
    if image:
        answered = _usage_with_image(usage)
        mime_type = detect_mime_type(image)
        return Answer("image", reason, truncate(said), image, mime_type, answered, version, latency_ms)
    words = candidate.finish_message or said or "the answer holds no image and no words"
    if reason in HARD_REFUSALS or reason in SOFT_REFUSALS:
        return without_image("refused", reason, words, reason in HARD_REFUSALS)
    return without_image("no_image", reason, words, False)


def read_text(body: bytes, latency_ms: int) -> Answer:
    """A response that was asked for as JSON → Answer with outcome "text", whatever the words are."""
    response = _response(body)
    if response is None:
        return Answer("text", "UNREADABLE", "", b"", "", Usage(), None, latency_ms)
    candidate = response.candidates[0] if response.candidates else None
    parts = (candidate.content.parts if candidate and candidate.content else None) or []
    words = "".join(part.text for part in parts if part.text and not part.thought)
    reason = (candidate.finish_reason if candidate else None) or "UNKNOWN"
    usage, version = _usage(response.usage_metadata), response.model_version
    return Answer("text", reason, words[:MAX_JSON_CHARS], b"", "", usage, version, latency_ms)


def _response(body: bytes) -> _Response | None:
    try:
        return _Response.model_validate_json(body)
    except ValidationError:
        return None


def detect_mime_type(content: bytes) -> str:
    """MIME type by the first bytes; what the service states has been wrong. Unknown → octet-stream."""
    found = detect_format(content)
    return FORMATS[found].mime_type if found else "application/octet-stream"


def _last_image(parts: list[_Part]) -> bytes | None:
    image = None
    for part in parts:
        if part.thought:
            continue
        if part.inline_data and part.inline_data.data:
            image = _decoded(part.inline_data.data) or image
        elif part.text and (match := DATA_IMAGE.search(part.text)):  # some gateways answer like this
            image = _decoded(match[1]) or image
    return image


def _decoded(packed: str) -> bytes | None:
    """The bytes of base64; None where it is none."""
    try:
        return decode_base64(packed)
    except ValueError:
        return None


def _usage(metadata: _UsageMetadata | None) -> Usage:
    if metadata is None:
        return Usage()

    def of_images(details: list[_Tokens] | None) -> int:
        return sum(item.token_count or 0 for item in details or [] if item.modality == "IMAGE")

    return Usage(
        prompt_tokens=metadata.prompt_token_count or 0,
        prompt_image_tokens=of_images(metadata.prompt_tokens_details),
        output_tokens=metadata.candidates_token_count or 0,
        output_image_tokens=of_images(metadata.candidates_tokens_details),
        thought_tokens=metadata.thoughts_token_count or 0,
    )


def _usage_with_image(usage: Usage) -> Usage:
    """Without details of its output, an answer with an image is billed as an image."""
    return usage if usage.output_image_tokens else usage.model_copy(update={"output_image_tokens": usage.output_tokens})


def truncate(words: str) -> str:
    """On one line, and no longer than a record keeps."""
    words = " ".join(words.split())
    return words if len(words) <= MAX_TEXT_CHARS else words[:MAX_TEXT_CHARS] + "…"
