"""A sidecar, whoever wrote it → what the page shows of the pair: plain, short, JSON-safe values.

Labels, names and messages come from manifests. They are passed on as text, cut to a length, and never
trusted to have the type that they should have: a page must show a broken sidecar too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from function.delivery.earlier_attempts import MAX_EARLIER
from function.judging.registry import BY_NAME
from function.manifest.model import MAX_LABELS
from function.manifest.product_views import MAX_PRODUCTS, MAX_VIEWS
from function.tools.review.asked_place import asked_place
from function.tools.review.pair import STATUSES, ReviewPair
from function.tools.review.pictures import ChangeMask, Picture
from function.tools.review.view import view_of

TEXT_CHARS = 1000  # enough for any message that a person reads on a page

MAX_CORNER = 100.0  # of a share: a photograph that were larger would show nothing
TITLE_LABELS = ("name", "title", "product", "sku")  # the first of these labels is what a pair is called by

JsonDict = dict[str, object]
MAX_BOXES = 12  # places where a product is not its photograph


def pair_data(
    pair: ReviewPair,
    pictures: dict[str, Picture | ChangeMask | None],
    attempts: Mapping[int, Picture | None] = MappingProxyType({}),
    colours: Sequence[Sequence[object]] = (),
    others: Sequence[tuple[Picture | None, str | None]] = (),
) -> JsonDict:
    """`pictures`: scene, product, result (Picture or None) and change (ChangeMask or None); `attempts`: the model's own
    pictures by their number; `colours`: of the photograph, of the result, and how far they are apart; `others`: the
    results after the first, with their links."""
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
        "decided_by": _text(pair.decided_by),
        "decided_at": _text(pair.decided_at),
        "comment": _text(pair.comment),
        "person": _person(sidecar.get("person")),
        "title": title_of(pair.name, _dict(sidecar.get("labels"))),
        "risk": _risk(sidecar),
        "usd": _number(_dict(sidecar.get("cost")).get("usd")),
        "tokens": _tokens(_dict(sidecar.get("cost"))),
        "model": _text(_dict(sidecar.get("model")).get("id")),
        "checks": sorted(checks, key=lambda check: check["passed"] is not False),
        "error": _error(sidecar.get("error")),
        "attempts": [_attempt(value, attempts) for value in _list(sidecar.get("attempts"))],
        "earlier": [_attempt(value, attempts) for value in _list(sidecar.get("earlier"))[:MAX_EARLIER]],
        "shown_attempt": _shown_attempt(sidecar),
        "timings": {
            _text(name): number
            for name, value in _dict(sidecar.get("timings_ms")).items()
            if (number := _number(value)) is not None
        },
        "placement": _text(sidecar.get("placement")),
        "pose": _text(sidecar.get("pose")),
        "feedback": _text(sidecar.get("feedback")),
        "style": _style(sidecar.get("style")),
        "view": _view(sidecar),
        "products": [_product(value) for value in _list(sidecar.get("products"))[:MAX_PRODUCTS]],
        "method": _text(sidecar.get("method")),
        "identity": _identity(sidecar),
        "asked_place": asked_place(sidecar),
        "provenance": _provenance(sidecar),
        "labels": {_text(key): _text(value) for key, value in list(_dict(sidecar.get("labels")).items())[:MAX_LABELS]},
        "box": _box(sidecar),
        "undone": _undone(sidecar),
        "corners": corners_of(sidecar),
        "colours": [list(colour) for colour in colours],
        "results": _results(sidecar, [(pictures.get("result"), pair.link), *others]),
        "focus": [round(share, 4) for share in _focus(pictures.get("change"), _box(sidecar))],
        "pictures": {
            "scene": _picture(pictures.get("scene")),
            "product": _picture(pictures.get("product")),
            "result": _picture(pictures.get("result")),
            "change": change.overlay if isinstance(change := pictures.get("change"), ChangeMask) else None,
        },
    }


def _view(sidecar: JsonDict) -> JsonDict | None:
    """Which of the product's photographs is shown, counted from 1, of how many."""
    view = view_of(sidecar)
    return None if view is None else {"number": view[0] + 1, "of": view[1]}


def _product(value: object) -> JsonDict:
    """One of several products: what it is called, where it was to stand, and which checks it did not pass."""
    record = _dict(value)
    checks = [_check(name, check) for name, check in _dict(record.get("checks")).items()]
    return {
        "name": _text(record.get("name")),
        "placement": _text(record.get("placement")),
        "failed": [check["title"] for check in checks if check["passed"] is False],
    }


def _provenance(sidecar: dict[str, Any]) -> list[list[str]]:
    """Of result, scene and photographs, as far as they have credentials: which it is, and what is said of them."""
    inputs = _dict(sidecar.get("inputs"))
    views = _list(inputs.get("views"))[:MAX_VIEWS]
    files = [("Result", sidecar.get("result")), ("Scene", inputs.get("scene"))]
    files += [(f"Photograph {number}", view) for number, view in enumerate(views, start=1)]
    files += [] if views else [("Product", inputs.get("product"))]
    found = [(title, _dict(_dict(file).get("provenance"))) for title, file in files]
    return [[title, _credentials(record)] for title, record in found if record]


def _credentials(record: JsonDict) -> str:
    test = "with a TEST certificate" if record.get("test") is True else ""
    issuer = "" if test else _text(record.get("issuer"))
    said = " ".join(filter(None, (_text(record.get("state")), test, f"signed by {issuer}" if issuer else "")))
    return ". ".join(filter(None, (said, _text(record.get("note")))))


def _identity(sidecar: dict[str, Any]) -> JsonDict | None:
    """Whose pixels were asked for, and where the product is not its photograph: boxes as shares of the scene."""
    record = sidecar.get("identity")
    if not isinstance(record, dict):
        return None
    scene = _dict(_dict(sidecar.get("inputs")).get("scene"))
    size = _number(scene.get("width")), _number(scene.get("height"))
    boxes = [_stated_shares(box, size) for box in _list(record.get("changed"))[:MAX_BOXES]]
    return {
        "asked": _text(record.get("asked")),
        "box": _stated_shares(record.get("box"), size),
        "changed": [box for box in boxes if box is not None],
    }


def _stated_shares(box: object, size: tuple[float | None, float | None]) -> list[float] | None:
    """A box of pixels in a picture of `size` as shares of it; None where that is no box, or no size."""
    sides = [_number(side) for side in _list(box)]
    if len(sides) != 4 or not all(side is not None for side in (*sides, *size)) or not (size[0] and size[1]):
        return None
    return [round(float(side or 0) / (size[k % 2] or 1), 4) for k, side in enumerate(sides)]


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
        "lesson": BY_NAME[name].lesson if name in BY_NAME and passed is False else "",
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


def _attempt(value: object, pictures: Mapping[int, Picture | None]) -> JsonDict:
    record = _dict(value)
    number = record.get("number")
    picture = pictures.get(number) if type(number) is int else None
    return {
        "number": _number(record.get("number")),
        "outcome": _text(record.get("outcome")),
        "purpose": _text(record.get("purpose")),
        "verdict": _text(record.get("verdict")),
        "seed": _number(record.get("seed")),
        "picture": _picture(picture),
        "message": _text(record.get("message")),
        "finish_reason": _text(record.get("finish_reason")),
        "latency_ms": _number(record.get("latency_ms")),
        "usd": _number(record.get("usd")),
        "tier": _text(record.get("price_tier")),
        "failed": [
            _title(name) for name, check in _dict(record.get("checks")).items() if _dict(check).get("passed") is False
        ],
    }


def answer_record(sidecar: dict[str, Any], number: int) -> object:
    """What the sidecar says of the model's own picture of one attempt: its digest and size."""
    every = [_dict(one) for one in (*_list(sidecar.get("attempts")), *_list(sidecar.get("earlier")))]
    return next((one.get("answer") for one in every if one.get("number") == number), None)


def title_of(name: str, labels: dict[str, Any]) -> str:
    """What people call the pair: a label that names the product, its SKU, or else the object's own name."""
    known = {_text(key).strip().lower(): _text(value).strip() for key, value in labels.items()}
    last = name.removesuffix(".json").rpartition("/")[2] or name
    return next((known[key] for key in TITLE_LABELS if known.get(key)), last)


def _results(sidecar: JsonDict, made: Sequence[tuple[object, str | None]]) -> list[JsonDict]:
    """Each picture that was made, and which part of the scene it shows: [left, top, width, height] in shares of it.

    One that shows the scene on a background of its own shape cannot be laid over it: then `compares` is false.
    """
    scene = _size(_dict(_dict(sidecar.get("inputs")).get("scene")))
    records = [_dict(one) for one in _list(sidecar.get("results"))] or [_dict(sidecar.get("result"))]
    results: list[JsonDict] = []
    for record, (picture, link) in zip(records, made, strict=False):
        size, shown = _size(record), record.get("shown")
        part = _stated_shares(shown, scene)
        part = part if part and min(part[2:]) > 0 else None
        results.append(
            {
                "name": _text(record.get("name")),
                "uri": _text(record.get("uri")),
                "link": link,
                "shown": part,
                "compares": part is not None or (shown is None and _same_shape(size, scene)),
                "picture": _picture(picture),
            }
        )
    return results


def _size(record: dict[str, Any]) -> tuple[float | None, float | None]:
    return _number(record.get("width")), _number(record.get("height"))


def _same_shape(size: tuple[float | None, float | None], scene: tuple[float | None, float | None]) -> bool:
    """Whether two sizes are one shape to a pixel of the smaller one; what is not known is taken for that."""
    (width, height), (across, down) = size, scene
    if not (width and height and across and down):
        return True
    return abs(width * down - height * across) <= max(across, down, width, height)


def _style(value: object) -> JsonDict | None:
    """The style profile's name, and which of its generations it was."""
    record = _dict(value)
    return {key: _text(record.get(key)) for key in ("name", "generation")} if record.get("name") else None


def _person(value: object) -> JsonDict | None:
    record = _dict(value)
    if not record:
        return None
    return {key: _text(record.get(key)) for key in ("asked", "by", "at")} | {"redone": _number(record.get("redone"))}


def _shown_attempt(sidecar: dict[str, Any]) -> float | None:
    """The number of the attempt that became the result: the one that was picked, or whose checks are the result's."""
    picked = _number(_dict(sidecar.get("person")).get("attempt"))
    checks = _dict(sidecar.get("checks"))
    same = (one for one in map(_dict, _list(sidecar.get("attempts"))) if checks and _dict(one.get("checks")) == checks)
    return picked or _number(next(same, {}).get("number"))


def _risk(sidecar: dict[str, Any]) -> float | None:
    """0..1 as the sidecar says; None where nothing was judged, or what it says is no share."""
    risk = _number(_dict(sidecar.get("risk")).get("value"))
    return risk if risk is not None and 0 <= risk <= 1 else None


def _undone(sidecar: dict[str, Any]) -> list[list[float]]:
    """Where the scene's own pixels were put back: [left, top, width, height] as shares of the scene."""
    scene = _dict(_dict(sidecar.get("inputs")).get("scene"))
    width, height = _number(scene.get("width")), _number(scene.get("height"))
    boxes = [_list(_dict(one).get("box")) for one in _list(sidecar.get("undone"))]
    if not width or not height:
        return []
    return [
        _shares(box, width, height) for box in boxes if len(box) == 4 and all(_number(side) is not None for side in box)
    ]


def corners_of(sidecar: dict[str, Any]) -> list[list[float]] | None:
    """Where the photograph's top left, top right and bottom left corners lie, as shares of the result."""
    result = _dict(sidecar.get("result"))
    width, height = _number(result.get("width")), _number(result.get("height"))
    given = _list(_dict(sidecar.get("restoration")).get("corners"))
    points = [[_number(at) for at in _list(point)] for point in given]
    if not width or not height or [len(point) for point in points] != [2, 2, 2]:
        return None
    shares = [[x / width, y / height] for x, y in points if x is not None and y is not None]
    if len(shares) != 3 or not all(abs(share) < MAX_CORNER for point in shares for share in point):
        return None
    return [[round(share, 5) for share in point] for point in shares]


def _shares(box: list[float], width: float, height: float) -> list[float]:
    shares = [box[0] / width, box[1] / height, box[2] / width, box[3] / height]
    return [round(min(max(share, 0.0), 1.0), 4) for share in shares]


def _tokens(cost: JsonDict) -> float | None:
    counts = [_number(cost.get(key)) for key in ("prompt_tokens", "output_tokens")]
    return sum(count for count in counts if count is not None) if any(counts) else None


def _box(sidecar: dict[str, Any]) -> list[float] | None:
    """Where the picture changed: [left, top, width, height] as shares of the scene, 0..1."""
    given = _list(_dict(sidecar.get("change")).get("box"))
    box = [number for value in given if (number := _number(value)) is not None]
    width, height = _size(_dict(_dict(sidecar.get("inputs")).get("scene")))
    if len(given) != 4 or len(box) != 4 or not width or not height:
        return None
    return _shares(box, width, height)


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


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: object) -> float | int | None:
    """A number that JSON and JavaScript can hold exactly enough; None for anything else, NaN included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e15 else None


def _text(value: object) -> str:
    return "" if value is None else str(value)[:TEXT_CHARS]
