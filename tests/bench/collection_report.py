"""Tables of the rows that collection.py writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from function.tools.cli.shares import share
from tests.cases.strengths import STRENGTHS

Row = dict[str, Any]


def failed(row: Row) -> list[str]:
    """The checks that did not pass."""
    return [name for name, check in row["checks"].items() if not check["passed"]]


def report(rows: list[Row]) -> None:
    """Print everything."""
    good, bad = ([row for row in rows if row["good"] is wanted] for wanted in (True, False))
    strong = [row for row in bad if row["strength"] != STRENGTHS[0]]
    print(f"good accepted {_share(good, accepted=True)}")
    print(f"bad not accepted {_share(bad, accepted=False)}; from middle strength on {_share(strong, accepted=False)}")
    times = sorted(row["judge_s"] for row in rows)
    if times:
        mean, late = sum(times) / len(times), times[int(0.95 * (len(times) - 1))]
        print(f"judging: {1000 * mean:.0f} ms of one core on average, {1000 * late:.0f} ms at the 95th percentile")
    print("\n| kind | " + " | ".join(STRENGTHS) + " | caught by |\n| --- |" + " --- |" * (len(STRENGTHS) + 1))
    for kind in dict.fromkeys(row["kind"] for row in bad):
        of_kind = [row for row in bad if row["kind"] == kind]
        cells = [_share([row for row in of_kind if row["strength"] == s], accepted=False) for s in STRENGTHS]
        seen = Counter(name for row in of_kind for name in failed(row))
        by = ", ".join(f"{name} {count}" for name, count in seen.most_common(3))
        print(f"| {kind} | " + " | ".join(cells) + f" | {by} |")
    for title, of in (("product", "product"), ("set", "set_name"), ("manner", "manner"), ("photograph", "photograph")):
        print(f"\n| {title} | good accepted | bad not accepted, from middle on | false alarms by |")
        print("| --- | --- | --- | --- |")
        for name in sorted({row[of] for row in rows}):
            mine, spoilt = ([row for row in group if row[of] == name] for group in (good, strong))
            alarms = Counter(check for row in mine for check in failed(row))
            told = ", ".join(f"{check} {count}" for check, count in alarms.most_common(4))
            print(f"| {name} | {_share(mine, accepted=True)} | {_share(spoilt, accepted=False)} | {told} |")
    print("\ngood pictures not accepted")
    for row in good:
        if row["verdict"] != "accepted":
            print(f"  {_name(row)}: " + "; ".join(_told(row, name) for name in failed(row)))
    print("\nbad pictures of middle or gross strength accepted")
    for row in strong:
        if row["verdict"] == "accepted":
            print(f"  {_name(row)}")


def _share(rows: Iterable[Row], *, accepted: bool) -> str:
    outcomes = [(row["verdict"] == "accepted") is accepted for row in rows]
    return share(sum(outcomes), len(outcomes))


def _name(row: Row) -> str:
    parts = (row["case"], row["kind"] or "plain", row["strength"], row["manner"], row["photograph"])
    return " ".join(part for part in parts if part)


def _told(row: Row, name: str) -> str:
    check = row["checks"][name]
    return f"{name} {check['value']} against {check['threshold']}"
