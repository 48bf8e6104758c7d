"""A sidecar, whoever wrote it → what the page shows of the pair: plain, short, JSON-safe values.

Labels, names and messages come from manifests. They are passed on as text, cut to a length, and never
trusted to have the type that they should have: a page must show a broken sidecar too.
"""

from __future__ import annotations

from function.manifest.model import MAX_LABELS
from function.tools.review.pair import STATUSES, ReviewPair
from function.tools.review.pictures import ChangeMask, Picture

TEXT_CHARS = 1000  # enough for any message that a person reads on a page

JsonDict = dict[str, object]


def pair_data(pair: ReviewPair, pictures: dict[str, Picture | ChangeMask | None]) -> JsonDict:
    """`pictures`: scene, product, result (Picture or None) and change (ChangeMask or None)."""
    sidecar = pair.sidecar
    checks = [_check(name, value) for name, value in _dict(sidecar.get("checks")).items()]
    result, manifest = _dict(sidecar.get("result")), _dict(sidecar.get("manifest"))
    return {
        "name": pair.name.removesuffix(".json"),
        "sidecar": pair.name,
        "status": sidecar.get("status") if sidecar.get("status") in STATUSES else "review",
        "created": _text(sidecar.get("created")),
        "generation": _text(manifest.get("generation")),
        "result_uri": _text(result.get("uri")),
        "link": pair.link,
        "recorded": pair.decision,
        "usd": _number(_dict(sidecar.get("cost")).get("usd")),
        "tokens": _tokens(_dict(sidecar.get("cost"))),
        "model": _text(_dict(sidecar.get("model")).get("id")),
        "checks": sorted(checks, key=lambda check: check["passed"] is not False),
        "error": _error(sidecar.get("error")),
        "attempts": [_attempt(value) for value in _list(sidecar.get("attempts"))],
        "timings": {
            _text(name): number
            for name, value in _dict(sidecar.get("timings_ms")).items()
            if (number := _number(value)) is not None
        },
        "placement": _text(sidecar.get("placement")),
        "pose": _text(sidecar.get("pose")),
        "labels": {_text(key): _text(value) for key, value in list(_dict(sidecar.get("labels")).items())[:MAX_LABELS]},
        "box": _box(sidecar),
        "focus": [round(share, 4) for share in _focus(pictures.get("change"), _box(sidecar))],
        "pictures": {
            "scene": _picture(pictures.get("scene")),
            "product": _picture(pictures.get("product")),
            "result": _picture(pictures.get("result")),
            "change": change.overlay if isinstance(change := pictures.get("change"), ChangeMask) else None,
        },
    }


def _check(name: str, value: object) -> JsonDict:
    record = _dict(value)
    number, threshold = _number(record.get("value")), _number(record.get("threshold"))
    passed = record.get("passed") if isinstance(record.get("passed"), bool) else None
    return {
        "name": _text(name),
        "title": _title(name),
        "value": number,
        "threshold": threshold,
        "unit": _text(record.get("unit")),
        "limit": _limit(number, threshold, passed),
        "passed": passed,
        "reason": _text(record.get("reason")),
    }


def _limit(value: float | None, threshold: float | None, passed: bool | None) -> str | None:
    """Whether the threshold is the least or the most that passes, seen from the outcome."""
    if value is None or threshold is None or passed is None or value == threshold:
        return None
    return "least" if (value > threshold) == passed else "most"


def _title(name: str) -> str:
    words = _text(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _error(value: object) -> JsonDict | None:
    record = _dict(value)
    if not record:
        return None
    return {key: _text(record.get(key)) for key in ("code", "message", "stage")} | {
        "title": _title(record.get("code") or "error"),
        "retryable": record.get("retryable") is True,
    }


def _attempt(value: object) -> JsonDict:
    record = _dict(value)
    return {
        "number": _number(record.get("number")),
        "outcome": _text(record.get("outcome")),
        "purpose": _text(record.get("purpose")),
        "message": _text(record.get("message")),
        "finish_reason": _text(record.get("finish_reason")),
        "latency_ms": _number(record.get("latency_ms")),
        "usd": _number(record.get("usd")),
        "tier": _text(record.get("price_tier")),
        "failed": [
            _title(name) for name, check in _dict(record.get("checks")).items() if _dict(check).get("passed") is False
        ],
    }


def _tokens(cost: JsonDict) -> float | None:
    counts = [_number(cost.get(key)) for key in ("prompt_tokens", "output_tokens")]
    return sum(count for count in counts if count is not None) if any(counts) else None


def _box(sidecar: JsonDict) -> list[float] | None:
    """Where the picture changed: [left, top, width, height] as shares of the result, 0..1."""
    given = _list(_dict(sidecar.get("change")).get("box"))
    box = [number for value in given if (number := _number(value)) is not None]
    result = _dict(sidecar.get("result"))
    width, height = _number(result.get("width")), _number(result.get("height"))
    if len(given) != 4 or len(box) != 4 or not width or not height:
        return None
    shares = [box[0] / width, box[1] / height, box[2] / width, box[3] / height]
    return [round(min(max(share, 0.0), 1.0), 4) for share in shares]


def _focus(change: object, box: list[float] | None) -> tuple[float, float]:
    """Where to look first, as shares of the picture's width and height: the middle of what changed."""
    if isinstance(change, ChangeMask):
        return change.centre
    return (box[0] + box[2] / 2, box[1] + box[3] / 2) if box else (0.5, 0.5)


def _picture(picture: object) -> JsonDict | None:
    if not isinstance(picture, Picture):
        return None
    return {
        "size": list(picture.size),
        "thumb": picture.thumb,
        "preview": picture.preview,
        "full": picture.full,
    }


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _number(value: object) -> float | int | None:
    """A number that JSON and JavaScript can hold exactly enough; None for anything else, NaN included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e15 else None


def _text(value: object) -> str:
    return "" if value is None else str(value)[:TEXT_CHARS]
