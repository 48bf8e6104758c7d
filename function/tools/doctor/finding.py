"""What a check has found, and the page that it is written on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["ok", "warning", "problem"]
MIN_SECRET_CHARS = 8  # a shorter one stands in ordinary words, and is no key of Google's


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, what was found in a sentence, and what to do. `measures` are numbers
    for programs."""

    check: str
    status: Status
    found: str
    advice: str = ""
    measures: Mapping[str, Any] = field(default_factory=dict)


def ok(check: str, found: str, **measures: Any) -> Finding:
    """Nothing to do."""
    return Finding(check, "ok", found, measures=measures)


def warning(check: str, found: str, advice: str = "", **measures: Any) -> Finding:
    """It works; a person should know."""
    return Finding(check, "warning", found, advice, measures)


def problem(check: str, found: str, advice: str = "") -> Finding:
    """Pairs would fail, or wait for ever."""
    return Finding(check, "problem", found, advice)


class Report:
    """Prints findings as they come, for people or one JSON object a line. What is in `secrets` is never printed."""

    def __init__(self, *, as_json: bool):
        self._as_json = as_json
        self._secrets: set[str] = set()
        self.has_problem = False

    def hide(self, secret: str | None) -> None:
        """Never print this, as it is or as Python quotes it."""
        if secret and len(secret) >= MIN_SECRET_CHARS:
            self._secrets |= {secret, repr(secret)[1:-1]}

    def add(self, findings: Iterable[Finding]) -> bool:
        """Print them → whether there is no problem among them."""
        well = True
        for finding in findings:
            if finding.status == "problem":
                well, self.has_problem = False, True
            print(self._without_secrets(self._line(finding)), flush=True)
        return well

    def _line(self, finding: Finding) -> str:
        if self._as_json:
            return json.dumps(asdict(finding), ensure_ascii=False)
        advice = f"; {finding.advice}" if finding.advice else ""
        return f"{finding.status:<8} {finding.check}: {finding.found}{advice}"

    def _without_secrets(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "<secret>")
        return line
