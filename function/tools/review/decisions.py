"""A person's decisions as the review page exports them: read and checked, before anything is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from function.manifest.model import MAX_FEEDBACK_CHARS
from function.manifest.placement import MAX_PLACEMENT_CHARS, Box
from function.manifest.product_views import MAX_PRODUCTS, PRODUCT_NAME
from function.tools.review.pair import DECISIONS

MAX_COMMENT_CHARS = 500
ONLY_PRODUCT = "product"  # whose box it is where a pair has one product; of several it has a name
ASKED = ("redo", "pick")  # these make a new picture; the others are about the one that is there
MAX_SEED = 2**31 - 1


_BOX: TypeAdapter[list[float]] = TypeAdapter(Box)


class InvalidDecisionsError(ValueError):
    """The file is not what the review page downloads."""


@dataclass(frozen=True)
class Decision:
    """`decision` is one of DECISIONS or ASKED, or None to take an earlier one back.

    `result_uri` is that of the picture; `sidecar` the object name of its sidecar, which a pair without a picture has
    too. `decided`: when, and `by`: who, if the file says so. Of a redo: `feedback`, and what else is changed; of a
    pick: `attempt`. `boxes`: where products are to stand, by ONLY_PRODUCT or by name; x, y, width and height in shares
    of the scene.
    """

    result_uri: str
    manifest_generation: str
    decision: str | None
    decided: datetime | None = None
    sidecar: str = ""
    by: str = ""
    comment: str | None = None
    feedback: str = ""
    placement: str | None = None
    boxes: Mapping[str, list[float]] = field(default_factory=dict)
    seed: int | None = None
    attempts: int | None = None
    attempt: int | None = None

    @property
    def subject(self) -> str:
        """What to call the pair by, for people."""
        return self.result_uri or self.sidecar


def read_decisions(path: Path) -> list[Decision]:
    """The decisions that a review page has exported as JSON. Raises InvalidDecisionsError, OSError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidDecisionsError(f"{path} is not JSON: {error}") from None
    rows = document.get("decisions") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise InvalidDecisionsError(f"{path} has no list of decisions: download it as JSON from the page")
    return [decision_from(row, f"decision {number}") for number, row in enumerate(rows, start=1)]


def decision_from(row: object, called: str = "the decision") -> Decision:
    """One decision from its JSON. Raises InvalidDecisionsError, whose message begins with what it is `called`."""
    fields: dict[str, Any] = row if isinstance(row, dict) else {}
    uri, decision = fields.get("result"), fields.get("decision")
    if decision is not None and decision not in (*DECISIONS, *ASKED):
        raise InvalidDecisionsError(f"{called}: {decision!r} is none of {', '.join((*DECISIONS, *ASKED))}")
    sidecar = fields.get("sidecar")
    sidecar = sidecar if isinstance(sidecar, str) else ""
    needs_picture = decision not in ASKED
    if needs_picture and (not isinstance(uri, str) or not uri.startswith("gs://")):
        raise InvalidDecisionsError(f"{called}: result {uri!r} is not gs://bucket/name")
    if not needs_picture and not sidecar.endswith(".json"):
        raise InvalidDecisionsError(f"{called}: sidecar {sidecar!r} is not the name of one")
    attempt = _whole(fields, "attempt", 1, 10_000, called)
    if decision == "pick" and attempt is None:
        raise InvalidDecisionsError(f"{called}: a pick needs the number of an attempt")
    return Decision(
        uri if isinstance(uri, str) else "",
        str(fields.get("manifest_generation") or ""),
        decision,
        decided=_time(fields.get("decided")),
        sidecar=sidecar,
        by=_text(fields, "by", 200, called) or "",
        comment=_text(fields, "comment", MAX_COMMENT_CHARS, called),
        feedback=_text(fields, "feedback", MAX_FEEDBACK_CHARS, called) or "",
        placement=_text(fields, "placement", MAX_PLACEMENT_CHARS, called),
        boxes=_boxes(fields.get("boxes"), called),
        seed=_whole(fields, "seed", 0, MAX_SEED, called),
        attempts=_whole(fields, "attempts", 1, 10_000, called),
        attempt=attempt,
    )


def _text(fields: dict[str, Any], name: str, most: int, called: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most:
        raise InvalidDecisionsError(f"{called}: {name} is not a text of at most {most} characters")
    return value.strip()


def _boxes(value: object, called: str) -> dict[str, list[float]]:
    if value is None:
        return {}
    if (
        not isinstance(value, dict)
        or len(value) > MAX_PRODUCTS
        or not all(re.fullmatch(PRODUCT_NAME, n) for n in value)
    ):
        raise InvalidDecisionsError(f"{called}: boxes are not those of at most {MAX_PRODUCTS} products by name")
    try:
        return {name: _BOX.validate_python(box) for name, box in value.items()}
    except ValidationError:
        raise InvalidDecisionsError(
            f"{called}: a box is not x, y, width and height in shares of the scene, inside of it"
        ) from None


def _whole(fields: dict[str, Any], name: str, least: int, most: int, called: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not least <= value <= most:
        raise InvalidDecisionsError(f"{called}: {name} is not a whole number from {least} to {most}")
    return value


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None
