"""One call of the image model through google-genai: a request in, a typed answer out."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from function.deadline import Deadline
from function.errors import (
    DeadlineExceededError,
    ModelRefusedError,
    ModelRejectedError,
    ModelUnansweredError,
    ModelUnavailableError,
)
from function.generation.backoff import backoff_s, with_jitter
from function.generation.gemini.response import read_answer, read_text, truncate
from function.generation.provider import Answer, ModelNotFoundError, Request

if TYPE_CHECKING:  # the SDK takes over half a second to import: only an event that needs it pays for it
    from google.genai import Client, types
    from pydantic import BaseModel

logger = logging.getLogger(__name__)

# `image_config` is documented on v1beta; the SDK's own default has been v1 since 3.0, where it is unverified.
KEY_API_VERSION = "v1beta"
VERTEX_API_VERSION = "v1beta1"
CALL_TIMEOUT_S = 120.0  # the model takes about 10 s; past this it hangs
CALL_TIMEOUT_SHARE = 0.5  # of what is left, so that a stalled call leaves time for another one
# A call is only begun with this many seconds, twice what the model takes, or this share of the event's whole deadline
# where that is less: a short deadline is set where the model is known to be faster.
MIN_CALL_S, MIN_CALL_SHARE = 20.0, 0.05
MAX_TRIES = 6  # within one delivery; after that the platform's redelivery backs off for longer
RETRY_STATUS = frozenset({408, 429, 500, 502, 503, 504})


class GeminiClient:
    """Calls `generate_content`. Thread-safe; the SDK is imported and its client made on the first call."""

    def __init__(
        self, *, api_key: str | None, vertexai: bool, project: str | None, location: str, api_version: str | None
    ):
        self._options = (api_key, vertexai, project, location)
        self._vertexai = vertexai
        self._api_version = api_version or (VERTEX_API_VERSION if vertexai else KEY_API_VERSION)
        self._client: Client | None = None
        self._lock = threading.Lock()

    @property
    def client(self) -> Client:
        """The SDK's client, kept for the life of this one: without a reference it closes itself."""
        with self._lock:  # of two made at once, the one that loses would close itself under its first call
            if self._client is None:
                from google import genai  # noqa: PLC0415

                api_key, vertexai, project, location = self._options
                from function.generation.gemini.transport import TotalTimeoutTransport  # noqa: PLC0415

                http_options = genai.types.HttpOptions(
                    api_version=self._api_version, client_args={"transport": TotalTimeoutTransport()}
                )
                self._client = (
                    genai.Client(vertexai=True, project=project, location=location, http_options=http_options)
                    if vertexai
                    else genai.Client(vertexai=False, api_key=api_key, http_options=http_options)
                )
            return self._client

    def generate(self, request: Request, deadline: Deadline) -> Answer:
        """Call the model once, trying again while it is only busy.

        Raises ModelNotFoundError on 404, ModelRejectedError and ModelRefusedError on other client errors,
        ModelUnavailableError when the tries or the time are used up, ModelUnansweredError when the call may have been
        billed and no answer arrived, DeadlineExceededError when there was no time to start.
        """
        from google.genai import types  # noqa: PLC0415

        # With a key the SDK refuses the field.
        png = "image/png" if request.asks_for_png and self._vertexai else None
        level = request.thinking_level
        thinking = types.ThinkingConfig(thinking_level=types.ThinkingLevel(level.upper())) if level else None

        def config(timeout_s: float) -> types.GenerateContentConfig:
            return types.GenerateContentConfig(
                response_modalities=["TEXT", "IMAGE"],
                seed=request.seed,
                image_config=types.ImageConfig(
                    aspect_ratio=request.aspect_ratio, image_size=request.image_size, output_mime_type=png
                ),
                thinking_config=thinking,
                http_options=types.HttpOptions(timeout=int(timeout_s * 1000)),
                should_return_http_response=True,
            )

        body, latency_ms = self.call(request.model, _contents(request), config, deadline)
        return read_answer(body, latency_ms)

    def ask_for_json(self, request: Request, schema: type[BaseModel], deadline: Deadline) -> Answer:
        """Ask a text model about images → Answer with outcome "text", its JSON in `words`. Raises as `generate`."""
        from google.genai import types  # noqa: PLC0415

        def config(timeout_s: float) -> types.GenerateContentConfig:
            return types.GenerateContentConfig(
                response_mime_type="application/json",
                response_schema=schema,
                temperature=0.0,
                seed=request.seed,
                http_options=types.HttpOptions(timeout=int(timeout_s * 1000)),
                should_return_http_response=True,
            )

        body, latency_ms = self.call(request.model, _contents(request), config, deadline)
        return read_text(body, latency_ms)

    def call(self, model: str, contents: Any, config: Any, deadline: Deadline) -> tuple[bytes, int]:
        """`generate_content`, tried again while the service says that it is busy → (the answer's JSON, latency in ms).

        An error status and a connection that was never made cost nothing. Any other call that brings no whole answer
        may have been billed: it ends in ModelUnansweredError, and the caller, which counts calls, decides on another.
        """
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from google.genai import errors  # noqa: PLC0415

        from function.generation.gemini.transport import CONNECT_ERRORS, TRANSPORT_ERRORS, is_timeout  # noqa: PLC0415

        problems: Counter[str] = Counter()
        for number in range(1, MAX_TRIES + 1):
            try:
                timeout_s = _call_timeout_s(deadline)
            except DeadlineExceededError:
                if problems:
                    break  # what kept it from being reached is the reason, not that it took all the time
                raise
            start = time.monotonic()
            wait_s = backoff_s(number)
            try:
                response = self.client.models.generate_content(model=model, contents=contents, config=config(timeout_s))
                return _whole_json(response.sdk_http_response, model), round((time.monotonic() - start) * 1000)
            except errors.APIError as error:
                _raise_unless_retryable(error, model)
                problems[f"{error.code} {truncate(error.message or error.status or '')}".strip()] += 1
                wait_s = max(wait_s, with_jitter(_asked_to_wait_s(error)))
                logger.info("model call put off", extra={"stage": "generate", "model": model, "status": error.code})
            except UnicodeError as error:
                raise _unreadable(model, error) from None
            except (*CONNECT_ERRORS, GoogleAuthError) as error:
                # Without a token nothing is sent: the metadata server or the token service did not answer.
                problems[f"{type(error).__name__}: {truncate(str(error))}"] += 1
            except TRANSPORT_ERRORS as error:
                timed_out = is_timeout(error)
                why = "did not answer in time" if timed_out else "broke off"
                said = f"{type(error).__name__}: {truncate(str(error))}"
                raise ModelUnansweredError(f"the model {model} {why}: {said}", timed_out=timed_out) from None
            if number < MAX_TRIES and deadline.remaining() > wait_s:
                time.sleep(wait_s)
            else:
                break
        reasons = "; ".join(f"{said} ({count} times)" if count > 1 else said for said, count in problems.most_common())
        raise ModelUnavailableError(f"the model {model} could not be reached: {reasons}")


def _call_timeout_s(deadline: Deadline) -> float:
    """Seconds that a call may take now. Raises DeadlineExceededError where too little is left for an answer: the call
    would be paid for and lost."""
    timeout_s = min(CALL_TIMEOUT_S, deadline.clamp(deadline.seconds, "generate") * CALL_TIMEOUT_SHARE)
    if timeout_s < min(MIN_CALL_S, MIN_CALL_SHARE * deadline.seconds):
        raise DeadlineExceededError("too little time is left to call the model", stage="generate")
    return timeout_s


def _whole_json(http: Any, model: str) -> bytes:
    """The body of an answer. Raises ModelUnansweredError when it is no whole JSON document: it was cut off on its
    way."""
    body = (http.body if http else None) or ""
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(model, error) from None
    return body.encode()


def _unreadable(model: str, error: Exception) -> ModelUnansweredError:
    return ModelUnansweredError(
        f"the model {model} returned an unreadable response ({type(error).__name__})", timed_out=False
    )


def _contents(request: Request) -> types.Content:
    """The images, each after its number, then the prompt that speaks of them by number."""
    from google.genai import types  # noqa: PLC0415

    parts = []
    for number, (content, mime_type) in enumerate(request.images, start=1):
        parts += [types.Part(text=f"[{number}]"), types.Part.from_bytes(data=content, mime_type=mime_type)]
    return types.Content(role="user", parts=[*parts, types.Part(text=request.prompt)])


def _raise_unless_retryable(error: Any, model: str) -> None:
    """404 → ModelNotFoundError; other client errors → ModelRejectedError or ModelRefusedError; what may pass
    returns."""
    if error.code == 429 and has_no_quota(error):
        raise ModelRejectedError(
            f"this project has no quota at all for the model {model} (limit: 0): enable billing for the project of the "
            "key, or ask for quota"
        )
    if error.code in RETRY_STATUS or (error.code or 500) >= 500:
        return
    said = truncate(error.message or error.status or "")
    if error.code == 404:
        raise ModelNotFoundError(
            f"the model {model} does not exist, is retired, or is not open to this project: {said}"
        )
    if error.code == 400 and not any(item.get("reason") == "API_KEY_INVALID" for item in error_details(error)):
        raise ModelRefusedError(f"the model's service refused the request (400): {said}")
    raise ModelRejectedError(f"the model's service answered {error.code}: {said}; check key, project and permissions")


def error_details(error: Any) -> list[dict[str, Any]]:
    """The `details` of an API error, whether the SDK has kept its envelope or not."""
    details = error.details if isinstance(error.details, dict) else {}
    found = details.get("error", details).get("details") or []
    return [item for item in found if isinstance(item, dict)]


def has_no_quota(error: Any) -> bool:
    """Whether a 429 tells of a quota of zero, which no waiting changes. The service says so in the violation, or only
    in its words: "Quota exceeded for metric: …_free_tier_requests, limit: 0" (googleapis/js-genai#1322)."""
    violations = [one for item in error_details(error) for one in item.get("violations", []) if isinstance(one, dict)]
    stated = [str(one["quotaValue"]) for one in violations if "quotaValue" in one]
    return "0" in stated if stated else bool(re.search(r"\blimit: 0\b", error.message or ""))


def _asked_to_wait_s(error: Any) -> float:
    """Seconds that a 429's RetryInfo asks for, else 0."""
    for item in error_details(error):
        if match := re.fullmatch(r"(\d+(?:\.\d+)?)s", str(item.get("retryDelay", ""))):
            return float(match[1])
    return 0.0
