"""How good a calibration is on products and sets that it was not fitted on, and how good today's verdict is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from function.tools.cli.shares import share
from tests.bench.calibration_fit import PRIOR, area_under_curve, held_out_risks
from tests.cases.strengths import KINDS, STRENGTHS

Row = dict[str, Any]
Counted = tuple[int, int]  # so many of so many

LEFT_OUT = {"product": "product", "set": "set_name"}
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# A check missed by less than this share of its limit was missed narrowly (as in function/judging/second_opinion.py).
NARROW = 0.25
# Risks below which a narrow miss would be forgiven, from which a picture that passes everything would go to review, and
# below which any picture would be accepted.
FORGIVEN, REVIEWED, ACCEPTED = (0.2, 0.3, 0.4), (0.5, 0.6, 0.7), (0.3, 0.4, 0.5)


def clear(rows: Sequence[Row]) -> list[Row]:
    """Without faults of small strength: whether a person rejects those is anybody's guess."""
    return [row for row in rows if row["strength"] != STRENGTHS[0]]


def report_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything that is said of a calibration, as JSON. Raises ValueError where a class is missing."""
    tried = clear(rows)
    bad = np.array([not row["good"] for row in tried])
    accepted = np.array([row["verdict"] == "accepted" for row in tried])
    held_out = {}
    for name, field in LEFT_OUT.items():
        risks = held_out_risks(tried, tried, field)
        held_out[name] = {
            "groups": len({row[field] for row in tried}),
            "area_under_curve": round(area_under_curve(risks, bad), 3),
            "reliability": list(_reliability(risks, bad)),
            "rules": list(_rules(tried, risks, bad, accepted)),
        }
    kinds = {kind: [_count(~accepted_of(rows, kind, strength)) for strength in STRENGTHS] for kind in KINDS}
    return {
        "pictures": len(rows),
        "good_accepted": _count(accepted[~bad]),
        "bad_caught": _count(~accepted[bad]),
        "caught_by_kind": kinds,
        "held_out": held_out,
    }


def accepted_of(rows: Sequence[Row], kind: str, strength: str) -> np.ndarray:
    """(n,) bool of the rows with that fault."""
    of = [row["verdict"] == "accepted" for row in rows if (row["kind"], row["strength"]) == (kind, strength)]
    return np.array(of, bool)


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for people."""
    yield f"{report['pictures']} pictures; faults of small strength count in the last table only"
    yield f"today's verdict: good accepted {share(*report['good_accepted'])}, bad caught {share(*report['bad_caught'])}"
    for name, found in report["held_out"].items():
        yield f"\nrisk, each {name} judged by weights fitted without it ({found['groups']} of them)"
        yield f"area under the ROC curve {found['area_under_curve']:.3f}"
        yield f"| risk | good | bad | mean risk | share bad, were {PRIOR:.0%} of all bad |"
        yield "| --- | --- | --- | --- | --- |"
        for one in found["reliability"]:
            told = "- | -" if one["mean_risk"] is None else f"{one['mean_risk']:.2f} | {one['share_bad']:.2f}"
            yield f"| {one['from']:.1f} to {one['to']:.1f} | {one['good']} | {one['bad']} | {told} |"
        yield "| rule | good accepted | bad caught |\n| --- | --- | --- |"
        for one in found["rules"]:
            yield f"| {one['rule']} | {share(*one['good_accepted'])} | {share(*one['bad_caught'])} |"
    yield ""
    yield from kinds_table(report)


def kinds_table(report: dict[str, Any], *, intervals: bool = True) -> Iterator[str]:
    """Kinds by those strengths that were judged: how many were not accepted, with or without confidence intervals."""
    by_kind = report["caught_by_kind"]
    judged = [number for number in range(len(STRENGTHS)) if any(counts[number][1] for counts in by_kind.values())]
    yield "| fault | " + " | ".join(STRENGTHS[number] for number in judged) + " |"
    yield "| --- |" + " ---: |" * len(judged)
    for kind, counts in by_kind.items():
        shown = [counts[number] for number in judged]
        cells = ["-" if not of else share(n, of) if intervals else f"{n} of {of}" for n, of in shown]
        yield f"| {kind.replace('_', ' ')} | {' | '.join(cells)} |"


def _reliability(risks: np.ndarray, bad: np.ndarray) -> Iterator[dict[str, Any]]:
    weight = np.where(bad, PRIOR / bad.mean(), (1 - PRIOR) / (1 - bad.mean()))
    for low, high in pairwise(BINS):
        inside = (risks >= low) & ((risks < high) | (high == BINS[-1]))
        total = weight[inside].sum()
        mean, part = (
            (None, None)
            if not inside.any()
            else (
                round(float((weight * risks)[inside].sum() / total), 3),
                round(float((weight * bad)[inside].sum() / total), 3),
            )
        )
        yield {
            "from": low, "to": high, "good": int((inside & ~bad).sum()), "bad": int((inside & bad).sum()),
            "mean_risk": mean, "share_bad": part,
        }  # fmt: skip


def _rules(rows: Sequence[Row], risks: np.ndarray, bad: np.ndarray, accepted: np.ndarray) -> Iterator[dict[str, Any]]:
    """The verdict as it is, and as it would be if the held-out risk had a say."""
    narrow = np.array([_narrowly_missed(row) for row in rows])
    yield _rule("every check passes (today)", accepted, bad)
    for limit in FORGIVEN:
        yield _rule(f"narrow misses forgiven below {limit}", accepted | (narrow & (risks < limit)), bad)
    for limit in REVIEWED:
        yield _rule(f"review from {limit} on", accepted & (risks < limit), bad)
    for limit in ACCEPTED:
        yield _rule(f"accepted below {limit}, whatever the checks say", risks < limit, bad)


def _rule(name: str, accepted: np.ndarray, bad: np.ndarray) -> dict[str, Any]:
    return {"rule": name, "good_accepted": _count(accepted[~bad]), "bad_caught": _count(~accepted[bad])}


def _narrowly_missed(row: Row) -> bool:
    """Whether every check that failed was measured, and missed by less than NARROW of its limit."""
    failed = [check for check in row["checks"].values() if not check["passed"]]
    return (
        row["verdict"] == "review"
        and bool(failed)
        and all(
            check["value"] is not None
            and check["threshold"] is not None
            and abs(check["value"] - check["threshold"]) <= NARROW * abs(check["threshold"])
            for check in failed
        )
    )


def _count(hits: np.ndarray) -> Counted:
    return int(hits.sum()), len(hits)
