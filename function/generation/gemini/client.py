"""One call of the image model through google-genai: a request in, a typed answer out."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from function.deadline import Deadline
from function.errors import DeadlineExceeded, ModelRefused, ModelRejected, ModelUnanswered, ModelUnavailable
from function.generation.gemini.response import Answer, read_answer, read_words, shorten

if TYPE_CHECKING:  # the SDK takes over half a second to import: only an event that needs it pays for it
    from google.genai import Client, types
    from pydantic import BaseModel

# `image_config` is documented on v1beta; the SDK's own default has been v1 since 3.0, where it is unverified.
KEY_API_VERSION = "v1beta"
VERTEX_API_VERSION = "v1beta1"
CALL_TIMEOUT_S = 120.0  # the model takes about 10 s; past this it hangs
CALL_TIMEOUT_SHARE = 0.5  # of what is left, so that a stalled call leaves time for another one
# A call is only begun with this many seconds, twice what the model takes, or this share of the event's whole deadline
# where that is less: for a short one somebody knows the model to be faster.
LEAST_CALL_S, LEAST_CALL_SHARE = 20.0, 0.05
FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 20.0
MAX_TRIES = 6  # within one delivery; after that the platform's redelivery backs off for longer
NEVER_CONNECTED = frozenset({"ConnectError", "ConnectTimeout"})  # the transport's errors before anything was sent
RETRY_STATUS = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Request:
    """What is asked of the model. `images` are (bytes, MIME type) in the order the prompt numbers them."""

    model: str
    prompt: str
    images: tuple[tuple[bytes, str], ...]
    aspect_ratio: str
    image_size: str | None
    seed: int


class ModelGone(ModelRejected):
    """404: the model is retired, or this project has no access to it."""


class GeminiClient:
    """Calls `generate_content`. Thread-safe; the SDK is imported and its client made on the first call."""

    def __init__(
        self, *, api_key: str | None, vertexai: bool, project: str | None, location: str, api_version: str | None
    ):
        self._options = (api_key, vertexai, project, location)
        self._api_version = api_version or (VERTEX_API_VERSION if vertexai else KEY_API_VERSION)
        self._client: Client | None = None
        self._lock = threading.Lock()

    @property
    def client(self) -> Client:
        """The SDK's client, kept for as long as we live: one that nobody holds closes itself."""
        with self._lock:  # of two made at once, the one that loses would close itself under its first call
            if self._client is None:
                from google import genai  # noqa: PLC0415

                api_key, vertexai, project, location = self._options
                from function.generation.gemini.transport import WholeCallTransport  # noqa: PLC0415

                http_options = genai.types.HttpOptions(
                    api_version=self._api_version, client_args={"transport": WholeCallTransport()}
                )
                self._client = (
                    genai.Client(vertexai=True, project=project, location=location, http_options=http_options)
                    if vertexai
                    else genai.Client(vertexai=False, api_key=api_key, http_options=http_options)
                )
            return self._client

    def generate(self, request: Request, deadline: Deadline) -> Answer:
        """Call the model once, trying again while it is only busy.

        Raises ModelGone on 404, ModelRejected and ModelRefused on other client errors, ModelUnavailable when the
        tries or the time are used up, ModelUnanswered when the call may have been billed and no answer arrived,
        DeadlineExceeded when there was no time to start.
        """
        from google.genai import types  # noqa: PLC0415

        def config(timeout_s: float) -> types.GenerateContentConfig:
            return types.GenerateContentConfig(
                response_modalities=["TEXT", "IMAGE"],
                seed=request.seed,
                image_config=types.ImageConfig(aspect_ratio=request.aspect_ratio, image_size=request.image_size),
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
        return read_words(body, latency_ms)

    def call(self, model: str, contents: Any, config: Any, deadline: Deadline) -> tuple[bytes, int]:
        """`generate_content`, tried again while the service says that it is busy → (the answer's JSON, latency in ms).

        An error status and a connection that was never made cost nothing. Any other call that brings no whole answer
        may have been billed: it ends in ModelUnanswered, and whoever counts the calls decides about another one.
        """
        from google.genai import errors  # noqa: PLC0415

        for number in range(1, MAX_TRIES + 1):
            timeout_s = _call_timeout_s(deadline)
            start = time.monotonic()
            wait_s = backoff_s(number)
            try:
                response = self.client.models.generate_content(model=model, contents=contents, config=config(timeout_s))
                return _whole_json(response.sdk_http_response, model), round((time.monotonic() - start) * 1000)
            except errors.APIError as error:
                _raise_unless_passing(error, model)
                problem = f"{error.code} {shorten(error.message or error.status or '')}".strip()
                wait_s = max(wait_s, _asked_to_wait_s(error))
            except UnicodeError as error:
                raise _unreadable(model, error) from None
            except Exception as error:
                # The SDK's transport is exchangeable and its errors have no common public base.
                if not _is_transport_error(error):
                    raise
                problem = f"{type(error).__name__}: {shorten(str(error))}"
                if type(error).__name__ not in NEVER_CONNECTED:
                    timed_out = isinstance(error, TimeoutError) or type(error).__name__.endswith("Timeout")
                    why = "did not answer in the time there was" if timed_out else "broke off"
                    raise ModelUnanswered(f"the model {model} {why}: {problem}", timed_out=timed_out) from None
            if number < MAX_TRIES and deadline.remaining() > wait_s:
                time.sleep(wait_s)
            else:
                break
        raise ModelUnavailable(f"the model {model} could not be reached: {problem}")


def backoff_s(number: int) -> float:
    """Seconds to wait after try `number` (from 1)."""
    return min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** (number - 1))


def _call_timeout_s(deadline: Deadline) -> float:
    """Seconds that a call may take now. Raises DeadlineExceeded where no answer can be hoped for in what is left:
    the call would be paid for in vain."""
    timeout_s = min(CALL_TIMEOUT_S, deadline.within(deadline.seconds, "generate") * CALL_TIMEOUT_SHARE)
    if timeout_s < min(LEAST_CALL_S, LEAST_CALL_SHARE * deadline.seconds):
        raise DeadlineExceeded("too little time is left to ask the model", stage="generate")
    return timeout_s


def _whole_json(http: Any, model: str) -> bytes:
    """The body of an answer. Raises ModelUnanswered when it is no whole JSON document: it was cut off on its way."""
    body = (http.body if http else None) or ""
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(model, error) from None
    return body.encode()


def _unreadable(model: str, error: Exception) -> ModelUnanswered:
    return ModelUnanswered(
        f"the model {model} answered with something that cannot be read ({type(error).__name__})", timed_out=False
    )


def _contents(request: Request) -> types.Content:
    """The images, each after its number, then the prompt that speaks of them by number."""
    from google.genai import types  # noqa: PLC0415

    parts = []
    for number, (content, mime_type) in enumerate(request.images, start=1):
        parts += [types.Part(text=f"[{number}]"), types.Part.from_bytes(data=content, mime_type=mime_type)]
    return types.Content(role="user", parts=[*parts, types.Part(text=request.prompt)])


def _raise_unless_passing(error: Any, model: str) -> None:
    """404 → ModelGone; other client errors → ModelRejected or ModelRefused; what may pass returns."""
    if error.code in RETRY_STATUS or (error.code or 500) >= 500:
        return
    said = shorten(error.message or error.status or "")
    if error.code == 404:
        raise ModelGone(f"the model {model} does not exist, is retired, or is not open to this project: {said}")
    if error.code == 400 and not any(item.get("reason") == "API_KEY_INVALID" for item in _details(error)):
        raise ModelRefused(f"the model's service refused the request (400): {said}")
    raise ModelRejected(f"the model's service answered {error.code}: {said}; check key, project and permissions")


def _details(error: Any) -> list[dict[str, Any]]:
    """The `details` of an API error, whether the SDK has kept its envelope or not."""
    details = error.details if isinstance(error.details, dict) else {}
    found = details.get("error", details).get("details") or []
    return [item for item in found if isinstance(item, dict)]


def _asked_to_wait_s(error: Any) -> float:
    """Seconds that a 429's RetryInfo asks for, else 0."""
    for item in _details(error):
        if match := re.fullmatch(r"(\d+(?:\.\d+)?)s", str(item.get("retryDelay", ""))):
            return float(match[1])
    return 0.0


def _is_transport_error(error: Exception) -> bool:
    """Whether the error comes from the HTTP transport of the SDK (httpx, or httpx2 since 3.0)."""
    packages = {base.__module__.partition(".")[0] for base in type(error).__mro__}
    return isinstance(error, OSError) or bool(packages & {"httpx", "httpx2", "httpcore", "httpcore2", "h11"})
