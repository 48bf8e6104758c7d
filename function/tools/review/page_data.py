"""What the page shows of a pair, from any sidecar: plain, short, JSON-safe values.

Labels, names and messages come from manifests. They are passed on as text, cut to a length, and never
trusted to have the type that they should have: a page must show a broken sidecar too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from function.delivery.earlier_attempts import MAX_EARLIER
from function.manifest.model import MAX_LABELS
from function.manifest.product_views import MAX_PRODUCTS, MAX_VIEWS
from function.tools.review.asked_place import asked_place
from function.tools.review.attempts import attempt_data, check_data, shown_attempt, title_from_name
from function.tools.review.pair import STATUSES, ReviewPair
from function.tools.review.pictures import ChangeMask, Picture, picture_data
from function.tools.review.shares import changed_box, corners_of, is_same_shape, shares_of, size_of, undone_boxes
from function.tools.review.values import JsonDict, as_dict, as_list, as_number, as_text
from function.tools.review.view import view_of

TITLE_LABELS = ("name", "title", "product", "sku")  # the first of these labels is what a pair is called by

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
    checks = [check_data(name, value) for name, value in as_dict(sidecar.get("checks")).items()]
    result, manifest = as_dict(sidecar.get("result")), as_dict(sidecar.get("manifest"))
    return {
        "name": pair.name.removesuffix(".json"),
        "sidecar": pair.name,
        "status": sidecar.get("status") if sidecar.get("status") in STATUSES else "review",
        "created": as_text(sidecar.get("created")),
        "generation": as_text(manifest.get("generation")),
        "result_uri": as_text(result.get("uri")),
        "link": pair.link,
        "recorded": pair.decision,
        "decided_by": as_text(pair.decided_by),
        "decided_at": as_text(pair.decided_at),
        "comment": as_text(pair.comment),
        "person": _person(sidecar.get("person")),
        "title": title_of(pair.name, as_dict(sidecar.get("labels"))),
        "risk": _risk(sidecar),
        "usd": as_number(as_dict(sidecar.get("cost")).get("usd")),
        "tokens": _tokens(as_dict(sidecar.get("cost"))),
        "model": as_text(as_dict(sidecar.get("model")).get("id")),
        "checks": sorted(checks, key=lambda check: check["passed"] is not False),
        "error": _error(sidecar.get("error")),
        "attempts": [attempt_data(value, attempts) for value in as_list(sidecar.get("attempts"))],
        "earlier": [attempt_data(value, attempts) for value in as_list(sidecar.get("earlier"))[:MAX_EARLIER]],
        "shown_attempt": shown_attempt(sidecar),
        "timings": {
            as_text(name): number
            for name, value in as_dict(sidecar.get("timings_ms")).items()
            if (number := as_number(value)) is not None
        },
        "placement": as_text(sidecar.get("placement")),
        "pose": as_text(sidecar.get("pose")),
        "feedback": as_text(sidecar.get("feedback")),
        "style": _style(sidecar.get("style")),
        "view": _view(sidecar),
        "products": [_product(value) for value in as_list(sidecar.get("products"))[:MAX_PRODUCTS]],
        "method": as_text(sidecar.get("method")),
        "identity": _identity(sidecar),
        "asked_place": asked_place(sidecar),
        "provenance": _provenance(sidecar),
        "labels": {
            as_text(key): as_text(value) for key, value in list(as_dict(sidecar.get("labels")).items())[:MAX_LABELS]
        },
        "box": changed_box(sidecar),
        "undone": undone_boxes(sidecar),
        "corners": corners_of(sidecar),
        "colours": [list(colour) for colour in colours],
        "results": _results(sidecar, [(pictures.get("result"), pair.link), *others]),
        "focus": [round(share, 4) for share in _focus(pictures.get("change"), changed_box(sidecar))],
        "pictures": {
            "scene": picture_data(pictures.get("scene")),
            "product": picture_data(pictures.get("product")),
            "result": picture_data(pictures.get("result")),
            "change": change.overlay if isinstance(change := pictures.get("change"), ChangeMask) else None,
        },
    }


def _view(sidecar: JsonDict) -> JsonDict | None:
    """Which of the product's photographs is shown, counted from 1, of how many."""
    view = view_of(sidecar)
    return None if view is None else {"number": view[0] + 1, "of": view[1]}


def _product(value: object) -> JsonDict:
    """One of several products: what it is called, where it was to stand, and which checks it did not pass."""
    record = as_dict(value)
    checks = [check_data(name, check) for name, check in as_dict(record.get("checks")).items()]
    return {
        "name": as_text(record.get("name")),
        "placement": as_text(record.get("placement")),
        "failed": [check["title"] for check in checks if check["passed"] is False],
    }


def _provenance(sidecar: dict[str, Any]) -> list[list[str]]:
    """Of result, scene and photographs, as far as they have credentials: which it is, and what is said of them."""
    inputs = as_dict(sidecar.get("inputs"))
    views = as_list(inputs.get("views"))[:MAX_VIEWS]
    files = [("Result", sidecar.get("result")), ("Scene", inputs.get("scene"))]
    files += [(f"Photograph {number}", view) for number, view in enumerate(views, start=1)]
    files += [] if views else [("Product", inputs.get("product"))]
    found = [(title, as_dict(as_dict(file).get("provenance"))) for title, file in files]
    return [[title, _credentials(record)] for title, record in found if record]


def _credentials(record: JsonDict) -> str:
    test = "with a TEST certificate" if record.get("test") is True else ""
    issuer = "" if test else as_text(record.get("issuer"))
    said = " ".join(filter(None, (as_text(record.get("state")), test, f"signed by {issuer}" if issuer else "")))
    return ". ".join(filter(None, (said, as_text(record.get("note")))))


def _identity(sidecar: dict[str, Any]) -> JsonDict | None:
    """Whose pixels were asked for, and where the product is not its photograph: boxes as shares of the scene."""
    record = sidecar.get("identity")
    if not isinstance(record, dict):
        return None
    scene = as_dict(as_dict(sidecar.get("inputs")).get("scene"))
    size = as_number(scene.get("width")), as_number(scene.get("height"))
    boxes = [shares_of(box, size) for box in as_list(record.get("changed"))[:MAX_BOXES]]
    return {
        "asked": as_text(record.get("asked")),
        "box": shares_of(record.get("box"), size),
        "changed": [box for box in boxes if box is not None],
    }


def _error(value: object) -> JsonDict | None:
    record = as_dict(value)
    if not record:
        return None
    return {key: as_text(record.get(key)) for key in ("code", "message", "stage")} | {
        "title": title_from_name(record.get("code") or "error"),
        "retryable": record.get("retryable") is True,
    }


def title_of(name: str, labels: dict[str, Any]) -> str:
    """What people call the pair: a label that names the product, its SKU, or else the object's own name."""
    known = {as_text(key).strip().lower(): as_text(value).strip() for key, value in labels.items()}
    last = name.removesuffix(".json").rpartition("/")[2] or name
    return next((known[key] for key in TITLE_LABELS if known.get(key)), last)


def _results(sidecar: JsonDict, made: Sequence[tuple[object, str | None]]) -> list[JsonDict]:
    """Each picture that was made, and which part of the scene it shows: [left, top, width, height] in shares of it.

    One that shows the scene on a background of its own shape cannot be laid over it: then `compares` is false.
    """
    scene = size_of(as_dict(as_dict(sidecar.get("inputs")).get("scene")))
    records = [as_dict(one) for one in as_list(sidecar.get("results"))] or [as_dict(sidecar.get("result"))]
    results: list[JsonDict] = []
    for record, (picture, link) in zip(records, made, strict=False):
        size, shown = size_of(record), record.get("shown")
        part = shares_of(shown, scene)
        part = part if part and min(part[2:]) > 0 else None
        results.append(
            {
                "name": as_text(record.get("name")),
                "uri": as_text(record.get("uri")),
                "link": link,
                "shown": part,
                "compares": part is not None or (shown is None and is_same_shape(size, scene)),
                "picture": picture_data(picture),
            }
        )
    return results


def _style(value: object) -> JsonDict | None:
    """The style profile's name, and which of its generations it was."""
    record = as_dict(value)
    return {key: as_text(record.get(key)) for key in ("name", "generation")} if record.get("name") else None


def _person(value: object) -> JsonDict | None:
    record = as_dict(value)
    if not record:
        return None
    return {key: as_text(record.get(key)) for key in ("asked", "by", "at")} | {
        "redone": as_number(record.get("redone"))
    }


def _risk(sidecar: dict[str, Any]) -> float | None:
    """0..1 as the sidecar says; None where nothing was judged, or what it says is no share."""
    risk = as_number(as_dict(sidecar.get("risk")).get("value"))
    return risk if risk is not None and 0 <= risk <= 1 else None


def _tokens(cost: JsonDict) -> float | None:
    counts = [as_number(cost.get(key)) for key in ("prompt_tokens", "output_tokens")]
    return sum(count for count in counts if count is not None) if any(counts) else None


def _focus(change: object, box: list[float] | None) -> tuple[float, float]:
    """Where to look first, as shares of the picture's width and height: the middle of what changed."""
    if isinstance(change, ChangeMask):
        return change.centre
    return (box[0] + box[2] / 2, box[1] + box[3] / 2) if box else (0.5, 0.5)
