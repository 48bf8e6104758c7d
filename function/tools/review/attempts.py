"""The attempts of a pair, and the checks of each, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from function.judging.registry import BY_NAME
from function.tools.review.pictures import Picture, picture_data
from function.tools.review.values import JsonDict, as_dict, as_list, as_number, as_text


def check_data(name: str, value: object) -> JsonDict:
    """One check: its outcome, its sentence, and for a failed one what the next attempt is told."""
    record = as_dict(value)
    number, threshold = as_number(record.get("value")), as_number(record.get("threshold"))
    passed = record.get("passed") if isinstance(record.get("passed"), bool) else None
    return {
        "name": as_text(name),
        "title": title_from_name(name),
        "value": number,
        "threshold": threshold,
        "unit": as_text(record.get("unit")),
        "limit": _limit(number, threshold, passed),
        "passed": passed,
        "reason": as_text(record.get("reason")),
        "lesson": BY_NAME[name].lesson if name in BY_NAME and passed is False else "",
    }


def _limit(value: float | None, threshold: float | None, passed: bool | None) -> str | None:
    """Whether the threshold is the least or the most that passes, seen from the outcome."""
    if value is None or threshold is None or passed is None or value == threshold:
        return None
    return "least" if (value > threshold) == passed else "most"


def title_from_name(name: str) -> str:
    """`label_kept` → `Label kept`."""
    words = as_text(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def attempt_data(value: object, pictures: Mapping[int, Picture | None]) -> JsonDict:
    """One attempt, with the model's own picture from `pictures` where that was read."""
    record = as_dict(value)
    number = record.get("number")
    picture = pictures.get(number) if type(number) is int else None
    return {
        "number": as_number(record.get("number")),
        "outcome": as_text(record.get("outcome")),
        "purpose": as_text(record.get("purpose")),
        "verdict": as_text(record.get("verdict")),
        "seed": as_number(record.get("seed")),
        "picture": picture_data(picture),
        "message": as_text(record.get("message")),
        "finish_reason": as_text(record.get("finish_reason")),
        "latency_ms": as_number(record.get("latency_ms")),
        "usd": as_number(record.get("usd")),
        "tier": as_text(record.get("price_tier")),
        "failed": [
            title_from_name(name)
            for name, check in as_dict(record.get("checks")).items()
            if as_dict(check).get("passed") is False
        ],
    }


def shown_attempt(sidecar: dict[str, Any]) -> float | None:
    """The number of the attempt that became the result: the one that was picked, or whose checks are the result's."""
    picked = as_number(as_dict(sidecar.get("person")).get("attempt"))
    checks = as_dict(sidecar.get("checks"))
    same = (
        one for one in map(as_dict, as_list(sidecar.get("attempts"))) if checks and as_dict(one.get("checks")) == checks
    )
    return picked or as_number(next(same, {}).get("number"))


def answer_record(sidecar: dict[str, Any], number: int) -> object:
    """What the sidecar says of the model's own picture of one attempt: its digest and size."""
    every = [as_dict(one) for one in (*as_list(sidecar.get("attempts")), *as_list(sidecar.get("earlier")))]
    return next((one.get("answer") for one in every if one.get("number") == number), None)
