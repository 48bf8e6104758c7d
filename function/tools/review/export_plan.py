"""What an export holds: which pairs are approved, what their files are called, and the table of everything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from function.tools.cli.odd_objects import shown
from function.tools.explain import UsageError
from function.tools.review.page_data import title_of
from function.tools.review.pair import ReviewPair, uri_of

TABLE = "export.csv"
FIELDS = (
    "name", "picture", "file", "approved", "status", "decision", "decided_by", "decided_at", "reasons", "comment",
    "feedback", "result", "usd",
)  # fmt: skip
UNSAFE = re.compile(r"[^\w.()+ -]+")  # what a file's name had better not hold, on any system
MAX_STEM_CHARS = 120


@dataclass(frozen=True)
class Exported:
    """One picture of a pair: its row of the table, and the file that it becomes where the pair is approved. `record` is
    the sidecar's of it; a pair without a picture, or without approval, has one row."""

    pair: ReviewPair
    file: str
    approved: bool
    record: dict[str, object] = field(default_factory=dict)
    is_first: bool = True

    def row(self) -> dict[str, object]:
        """As the table has it."""
        sidecar, pair = self.pair.sidecar, self.pair
        failed = [
            str(check.get("reason") or name)
            for name, check in (sidecar.get("checks") or {}).items()
            if check.get("passed") is False
        ]
        error = sidecar.get("error") or {}
        return {
            "name": pair.name.removesuffix(".json"),
            "picture": self.record.get("name") or "",
            "file": self.file if self.approved else "",
            "approved": "yes" if self.approved else "no",
            "status": sidecar.get("status"),
            "decision": pair.decision or "",
            "decided_by": pair.decided_by,
            "decided_at": pair.decided_at,
            "reasons": " ".join([*failed, *([str(error["message"])] if error.get("message") else [])]),
            "comment": pair.comment,
            "feedback": sidecar.get("feedback") or "",
            "result": uri_of(self.record or sidecar.get("result")) or "",
            "usd": (sidecar.get("cost") or {}).get("usd") if self.is_first else "",
        } | {f"labels.{name}": value for name, value in (sidecar.get("labels") or {}).items()}


def plan(pairs: Iterable[ReviewPair], label: str | None, *, by_people: bool) -> list[Exported]:
    """What becomes of each pair's pictures; no two have the same file. Raises UsageError when one that is
    approved lacks the label."""
    taken: set[str] = set()
    found = []
    for pair in pairs:
        uri = uri_of(pair.sidecar.get("result"))
        by_checks = pair.sidecar.get("status") == "accepted" and pair.decision != "reject" and not by_people
        approved = uri is not None and (pair.decision == "accept" or by_checks)
        if not approved:
            found.append(Exported(pair, "", approved))
            continue
        for number, record in enumerate(_pictures(pair.sidecar)):
            stem = "-".join(filter(None, (_stem(pair, label), str(record.get("name") or ""))))
            file = _free(stem, str(uri_of(record)), taken)
            found.append(Exported(pair, file, approved, record, is_first=number == 0))
    return found


def _pictures(sidecar: dict[str, Any]) -> list[dict[str, object]]:
    """The records of all results; of the one, where no more are listed."""
    results = sidecar.get("results")
    listed = [one for one in results if uri_of(one)] if isinstance(results, list) else []
    return listed or [sidecar["result"]]


def _stem(pair: ReviewPair, label: str | None) -> str:
    labels = pair.sidecar.get("labels") or {}
    if label is None:
        return pair.name.removesuffix(".json")
    value = next((str(text) for name, text in labels.items() if str(name).lower() == label.lower()), "")
    if not value.strip():
        raise UsageError(f"{shown(pair.name)} ({shown(title_of(pair.name, labels))}) has no label {label}")
    return value


def _free(stem: str, uri: str, taken: set[str]) -> str:
    """A safe name with the picture's ending; folders stay, and a second one of the same name gets a number."""
    suffix = Path(uri).suffix
    parts = [UNSAFE.sub("-", part).strip(" .-")[:MAX_STEM_CHARS] for part in stem.split("/")]
    clean = "/".join(part for part in parts if part) or "picture"
    name, number = f"{clean}{suffix}", 1
    while name.lower() in taken:  # systems that do not tell capitals apart
        number += 1
        name = f"{clean}-{number}{suffix}"
    taken.add(name.lower())
    return name


def table(found: list[Exported]) -> bytes:
    """The CSV, with a mark that tells Excel that it is UTF-8. No cell can be taken for a formula."""
    rows = [one.row() for one in found]
    labels = sorted({name for row in rows for name in row if name not in FIELDS})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*FIELDS, *labels], restval="")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
