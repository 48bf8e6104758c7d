"""The faults the Gemini emulator can be told to show, and the ways an answer goes wrong.

A fault is `{"kind": …, "times": n, "match": {…}, "value": …}`. `times` is how many requests it meets (1 by
default, null for all), `match` narrows it to requests of a `model`, a `seed`, with so many `images`, whose prompt
holds `text`, or to one `call` (generateContent, countTokens, getModel, listModels), and `value` is what the kind
needs. The first fault that fits a request is the one that fires; a picture's fault fits only a request for a picture
of two images, and calls that cost nothing meet HTTP errors alone. Kinds of pictures' faults are in render_faults.py,
and in liberties.py what real models were seen to do with a scene and a product without being asked; those of
sketches.py fit only a request that has the product laid into the scene, those of views.py only one with several
photographs of it, those of products.py only one with several products, those of poses.py only one that
asks for another pose than standing, and those of marked_spot.py only one that shows a place in a marked copy of the
scene.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from function.tools.emulator.asked_spot import SPOT_MANNERS, states_spot
from function.tools.emulator.marked_spot import MARK_MANNERS, shows_mark
from function.tools.emulator.poses import POSE_MANNERS, asked_pose
from function.tools.emulator.products import PRODUCTS_FAULTS, asked_products
from function.tools.emulator.protocol import RPC, ApiError, GenerateRequest
from function.tools.emulator.render_faults import PICTURE_FAULTS
from function.tools.emulator.sketches import SKETCH_MANNERS, sketched_spot
from function.tools.emulator.views import VIEW_FAULTS, has_several_views

SERVICE = {"service": "generativelanguage.googleapis.com"}
VERTEX_SERVICE = {"service": "aiplatform.googleapis.com", "consumer": "projects/1"}
INTERNAL = "An internal error has occurred. Please retry or report the issue."
HTTP_FAULTS: dict[str, tuple[str, str]] = {
    "400": ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    "key_invalid": ("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "401": ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    "403": ("PERMISSION_DENIED", "Permission denied: Consumer has been suspended."),
    "api_disabled": (
        "PERMISSION_DENIED",
        "Vertex AI API has not been used in project 1 before or it is disabled. Enable it by visiting "
        "https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=1 then retry.",
    ),
    "404": ("NOT_FOUND", "The model is not found, or it is no longer available to this project."),
    "408": ("DEADLINE_EXCEEDED", "The request timed out."),
    "no_quota": (
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: "
        "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0",
    ),
    "429": ("RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing."),
    "500": ("INTERNAL", INTERNAL),
    "502": ("UNAVAILABLE", "Bad gateway."),
    "503": ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    "504": ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
# What happens to the bytes on their way.
WIRE_FAULTS = frozenset(
    {
        "reset",  # connection reset before a byte of the answer
        "reset_midway",  # connection reset after half of the body
        "broken_stream",  # content-length is larger than the body, then the connection closes
        "stall",  # no byte for `value` seconds, then the connection closes
        "stall_midway",  # half of the body, then as above
        "trickle",  # the body in small pieces, one every `value` seconds
        "truncated_json",  # a well-formed HTTP answer whose JSON is cut
        "garbage_body",  # 200 with an HTML page
        "empty_body",  # 200 with nothing
    }
)
# What the candidate holds; handled in responses.py.
ANSWER_FAULTS = frozenset(
    {
        "block_reason",  # value: the reason (PROHIBITED_CONTENT)
        "no_candidates",
        "empty_candidate",
        "empty_parts",
        "text_only",
        "thought_first",
        "thought_only",
        "two_images",
        "data_uri_in_text",
        "jpeg_answer",
        "webp_answer",
        "jpeg_labelled_png",
        "truncated_image",
        "garbage_image",
        "empty_image",
        "other_size",  # value: [width, height]
        "larger_answer",
        "no_usage",
        "broken_base64",  # an image that is no base64
        "numeric_reason",  # a finish_reason that is a number
        "odd_form",  # JSON of another form than documented
    }
)
# What a text model that was asked for JSON answers.
TEXT_FAULTS = frozenset({"json", "malformed_json"})  # json: value is the answer
KINDS = (
    WIRE_FAULTS
    | ANSWER_FAULTS
    | TEXT_FAULTS
    | PICTURE_FAULTS
    | SKETCH_MANNERS
    | SPOT_MANNERS
    | MARK_MANNERS
    | POSE_MANNERS
    | VIEW_FAULTS
    | PRODUCTS_FAULTS
)
GENERATE = "generateContent"
RETRY_AFTER = "1s"  # the RetryInfo of a 429


class UnknownFaultError(ValueError):
    """A fault of no known kind: a test that asks for one would prove nothing."""


@dataclass
class Fault:
    """One fault that waits for its requests."""

    kind: str
    times: int | None = 1
    match: dict[str, Any] = field(default_factory=dict)
    value: Any = None

    def __post_init__(self) -> None:
        known = self.kind in HTTP_FAULTS or self.kind in KINDS
        if not known and not self.is_finish_reason:
            raise UnknownFaultError(f"unknown fault kind: {self.kind}")
        if unknown := set(self.match) - {"model", "seed", "images", "text", "call"}:
            raise UnknownFaultError(f"unknown match: {', '.join(sorted(unknown))}")

    @property
    def is_finish_reason(self) -> bool:
        """Upper case is a finish_reason, known or not: the service invents new ones too."""
        return self.kind.replace("_", "").isalpha() and self.kind.isupper()

    def fits(self, request: GenerateRequest) -> bool:
        """Whether this fault still has a turn and is meant for `request`."""
        if self.kind in PICTURE_FAULTS and not (request.wants_image and len(request.images) > 1):
            return False
        if self.kind in SKETCH_MANNERS and sketched_spot(request.text, (1, 1)) is None:
            return False
        if self.kind in SPOT_MANNERS and not states_spot(request.text):
            return False
        if self.kind in MARK_MANNERS and not shows_mark(request.text):
            return False
        if self.kind in POSE_MANNERS and asked_pose(request.text) == "stand":
            return False
        if self.kind in VIEW_FAULTS and not has_several_views(request):
            return False
        if self.kind in PRODUCTS_FAULTS and not asked_products(request):
            return False
        if self.kind in TEXT_FAULTS and not request.wants_json:
            return False
        return (
            self.times != 0
            and self.match.get("call", GENERATE) == GENERATE
            and self.match.get("model", request.model.id) == request.model.id
            and self.match.get("seed", request.seed) == request.seed
            and self.match.get("images", len(request.images)) == len(request.images)
            and self.match.get("text", "") in request.text
        )

    def fits_free_call(self, call: str, model_id: str | None) -> bool:
        """As `fits`, of a call that costs nothing; the list of models has no model's id."""
        return (
            self.times != 0
            and self.kind in HTTP_FAULTS
            and not set(self.match) & {"seed", "images", "text"}
            and self.match.get("call", call) == call
            and self.match.get("model", model_id) == model_id
        )


class FaultQueue:
    """Pending faults and a count of those that fired. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []
        self._fired: Counter[str] = Counter()

    def add(self, faults: list[dict[str, Any]]) -> None:
        """Append faults; raises UnknownFaultError or TypeError and then adds none."""
        made = [Fault(**fault) for fault in faults]
        with self._lock:
            self._pending += made

    def clear(self) -> None:
        """Forget pending faults and counts."""
        with self._lock:
            self._pending.clear()
            self._fired.clear()

    def take(self, request: GenerateRequest) -> Fault | None:
        """The fault for this request, used up by one."""
        return self._take(lambda fault: fault.fits(request))

    def take_for_free_call(self, call: str, model_id: str | None) -> Fault | None:
        """The fault for a call that costs nothing, used up by one."""
        return self._take(lambda fault: fault.fits_free_call(call, model_id))

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._pending:
                if fits(fault):
                    if fault.times is not None:
                        fault.times -= 1
                    self._fired[fault.kind] += 1
                    return fault
        return None

    def report(self) -> dict[str, Any]:
        """`fired`: count by kind; `pending`: kinds that still have a turn, with the turns left."""
        with self._lock:
            pending = [{"kind": f.kind, "times": f.times} for f in self._pending if f.times != 0]
            return {"fired": dict(self._fired), "pending": pending}


def http_error(kind: str) -> ApiError:
    """The error answer of an HTTP fault, with the details the service adds."""
    status, message = HTTP_FAULTS[kind]
    details: list[dict[str, Any]] = []
    if kind == "key_invalid":
        info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": SERVICE}
        details = [{"@type": RPC + "ErrorInfo", **info}]
    if kind == "api_disabled":
        info = {"reason": "SERVICE_DISABLED", "domain": "googleapis.com", "metadata": VERTEX_SERVICE}
        details = [{"@type": RPC + "ErrorInfo", **info}]
    if kind == "429":
        violation = {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel", "quotaValue": "10"}
        details = [
            {"@type": RPC + "QuotaFailure", "violations": [violation]},
            {"@type": RPC + "RetryInfo", "retryDelay": RETRY_AFTER},
        ]
    code = {"key_invalid": 400, "api_disabled": 403, "no_quota": 429}.get(kind)
    return ApiError(code or int(kind), status, message, details)
