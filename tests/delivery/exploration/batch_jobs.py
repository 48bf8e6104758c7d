"""Jobs of the modelled batch service: what they are asked, how they go wrong, and the lines that they answer."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from function.generation.pricing import Usage
from tests.delivery.exploration.instance import PICTURE_USAGE, REFUSAL_USAGE

# What becomes of a job. "partial", "expired" and "lines_missing" answer half of it; "stuck" ends when it is cancelled.
FATES = (
    *("failed", "forgotten", "expired", "partial", "stuck", "stuck_for_good", "results_lost"),
    *("lines_missing", "line_errors", "lines_refused"),
)
FINAL_STATES = {"failed": "FAILED", "forgotten": "FAILED", "expired": "EXPIRED", "partial": "PARTIALLY_SUCCEEDED"}
OUTCOMES = ("accepted",) * 5 + ("review",) * 2 + ("unusable", "refused", "no_image")
ERRORS = {
    "line_errors": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"},
    "lines_refused": {"code": 400, "message": "Invalid argument.", "status": "INVALID_ARGUMENT"},
}
NO_LINE = b"not a line of ours\n"

Asked = tuple[str, int]  # the words and the seed of a request: here they are all that tells two apart


@dataclass(frozen=True)
class Line:
    """One request of a job. `answer`: its response and what that costs in tokens; None where it says an error."""

    asked: Asked
    sent: dict[str, Any]
    answered_at: float
    answer: tuple[dict[str, Any], Usage] | None
    error: dict[str, Any] | None


@dataclass
class ModelledJob:
    """A job. Times are the run's, in seconds; `visible_at`: when lists show it, `ends_at`: unless it is cancelled."""

    name: str
    display_name: str
    fate: str
    began: float
    visible_at: float
    ends_at: float
    results: str
    lines: list[Line] = field(default_factory=list)
    state: str = "RUNNING"
    ended: bool = False
    results_file: str | None = None

    def answered(self, now: float) -> list[Line]:
        """Lines that are answered by now, and billed."""
        return [line for line in self.lines if line.answer is not None and line.answered_at <= now]

    def content(self, now: float, random: Random) -> bytes:
        """The file of results, in any order, with a line that nobody can read now and then. It is whole unless the job
        has SUCCEEDED: the code takes for granted that nothing else is billed for an answer that is not there."""
        done = [line for line in self.lines if line.answered_at <= now and (line.answer or line.error)]
        if self.state == "SUCCEEDED" and self.fate in ("lines_missing", "results_lost"):
            done = done[: len(done) // 2] if self.fate == "lines_missing" else []
        written = [_result(line) for line in done]
        if written and random.random() < 0.2:
            written.append(NO_LINE)
        random.shuffle(written)
        return b"".join(written)


def asked_of(sent: dict[str, Any]) -> Asked:
    """What a line of a job asks for."""
    request = sent["request"]
    words = [part["text"] for content in request["contents"] for part in content["parts"] if "text" in part]
    return words[-1], request["generationConfig"]["seed"]


def lines_of_job(content: bytes, fate: str, began: float, ends_at: float, random: Random, number: Any) -> list[Line]:
    """The lines of a job with what becomes of each."""
    sent = [json.loads(line) for line in content.splitlines()]
    lines = []
    for index, one in enumerate(sent):
        answered_at = began + (ends_at - began) * random.random()
        if fate in ERRORS and index % 2 == 0:
            lines.append(Line(asked_of(one), one, answered_at, None, ERRORS[fate]))
            continue
        is_left_out = fate in ("failed", "forgotten") or (fate in ("partial", "expired") and index % 2 == 0)
        answer = None if is_left_out else _answer(random.choice(OUTCOMES), next(number))
        lines.append(Line(asked_of(one), one, answered_at, answer, None))
    return lines


def _result(line: Line) -> bytes:
    named = {"key": line.sent["key"]} if "key" in line.sent else {"request": line.sent["request"]}
    if line.answer is not None:
        said = {"response": line.answer[0]}
    elif "key" in named:
        said = {"error": line.error}
    else:
        said = {"status": json.dumps({"error": line.error}), "response": {}}
    return json.dumps({**named, **said}).encode() + b"\n"


def _answer(outcome: str, number: int) -> tuple[dict[str, Any], Usage]:
    """A response of the model, with words for a picture: b"accepted 17"."""
    if outcome in ("refused", "no_image"):
        candidate: dict[str, Any] = {"finishReason": "SAFETY" if outcome == "refused" else "STOP"}
        usage = REFUSAL_USAGE
    else:
        image = base64.b64encode(b"%s %d" % (outcome.encode(), number)).decode()
        part = {"inlineData": {"mimeType": "image/png", "data": image}}
        candidate = {"finishReason": "STOP", "content": {"parts": [part]}}
        usage = PICTURE_USAGE
    metadata = {
        "promptTokenCount": usage.prompt_tokens,
        "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": usage.prompt_image_tokens}],
        "candidatesTokenCount": usage.output_tokens,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": usage.output_image_tokens}],
    }
    return {"candidates": [candidate], "usageMetadata": metadata}, usage
