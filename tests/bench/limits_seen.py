"""What judged pictures say of every number that decides: how near good ones came, and what it turned away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from function.judging.check import CheckSpec
from function.judging.limit import Limit
from function.judging.registry import CHECKS

Row = dict[str, Any]


class OtherLimitsError(ValueError):
    """The rows were judged by other checks, or against other numbers, than the judge has now."""


@dataclass(frozen=True)
class Seen:
    """One number of the table.

    worst_good   of the good pictures that passed it, the value nearest to it or beyond; None where none was measured
    best_bad     of the bad pictures that it turned away, the value nearest to it; None where there was none
    good_failed  good pictures that it turned away, and `good_alone` those that nothing else did
    bad_failed   bad pictures that it turned away, and `bad_alone` those that nothing else did
    """

    check: str
    limit: Limit
    worst_good: float | None
    best_bad: float | None
    good_failed: int
    good_alone: int
    bad_failed: int
    bad_alone: int


def limits_seen(rows: Sequence[Row]) -> list[Seen]:
    """A line for each number, in the order of the checks. Raises OtherLimitsError."""
    return [_seen(spec, limit, rows) for spec in CHECKS for limit in spec.limits]


def limit_of(spec: CheckSpec, check: dict[str, Any]) -> Limit | None:
    """What a recorded check was held against; None where it was not measured. Raises OtherLimitsError."""
    if check["threshold"] is None:
        return None
    if len(spec.limits) == 1:
        return spec.limits[0]  # what stands aside of the middle may lean a little more
    for limit in spec.limits:
        if limit.value == check["threshold"]:
            return limit
    raise OtherLimitsError(f"{spec.name} was held against {check['threshold']}: judge the collection again")


def table(seen: Sequence[Seen]) -> Iterator[str]:
    """The lines of the table, in Markdown."""
    yield "| check | measure | passes | limit | unit | worst good | best bad | good turned away (alone) | bad (alone) |"
    yield "| --- | --- | --- | ---: | --- | ---: | ---: | ---: | ---: |"
    for one in seen:
        numbers = [one.check, one.limit.measure, one.limit.passes, _shown(one.limit.value), one.limit.unit]
        numbers += [_shown(one.worst_good), _shown(one.best_bad)]
        numbers += [f"{one.good_failed} ({one.good_alone})", f"{one.bad_failed} ({one.bad_alone})"]
        yield f"| {' | '.join(numbers)} |"


def _seen(spec: CheckSpec, limit: Limit, rows: Sequence[Row]) -> Seen:
    passing, failing = [], []
    failed, alone = Counter[bool](), Counter[bool]()
    for row in rows:
        if spec.name not in row["checks"]:
            raise OtherLimitsError(f"a row has no check {spec.name}: judge the collection again")
        check = row["checks"][spec.name]
        decided = limit_of(spec, check)
        if decided == limit and not check["passed"]:
            failed[row["good"]] += 1
            alone[row["good"]] += sum(not one["passed"] for one in row["checks"].values()) == 1
            # Some fail for another reason than their number, which is recorded all the same.
            if not row["good"] and check["value"] is not None and limit.margin(check["value"]) < 0:
                failing.append(check["value"])
        elif row["good"] and check["passed"] and check["value"] is not None:
            value = check["value"] if decided == limit else row["measures"].get(limit.measure)
            if value is not None:
                passing.append(value)
    return Seen(
        spec.name,
        limit,
        min(passing, key=limit.margin, default=None),
        max(failing, key=limit.margin, default=None),
        failed[True],
        alone[True],
        failed[False],
        alone[False],
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
