"""Fits the risk of function/judging/risk.py: `python -m tests.bench.calibrate --rows FILE [--write]`.

FILE is what `python -m tests.bench.collection --rows FILE` writes. Printed are every number that decides, with what was
seen on both of its sides; how well the risk tells good from bad pictures of products, and of sets, that it was not
fitted on; what the verdict would be if the risk had a say; and the faults caught by kind and strength. `--write` puts
weights and report into function/judging/calibration.json, and the last table into function/README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from function.judging.risk import CALIBRATION
from function.tools.cli.shares import share
from tests.bench.calibration_fit import Row, fit
from tests.bench.calibration_report import clear, kinds_table, lines, report_of
from tests.bench.collection import read_rows
from tests.bench.limits_seen import OtherLimitsError, Seen, limits_seen, table

README = Path(__file__).parents[2] / "function" / "README.md"
MARKS = "<!-- python -m tests.bench.calibrate --rows FILE --write -->\n", "<!-- end -->\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True, help="file of JSON lines that collection.py wrote")
    parser.add_argument("--write", action="store_true", help="calibration.json, and the README's table")
    options = parser.parse_args()
    try:
        rows = read_rows(options.rows)
        seen = limits_seen(rows)
        document = calibration_of(rows, seen)
    except (OtherLimitsError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(table(seen)), end="\n\n")
    print("\n".join(lines(document["report"])))
    if options.write:
        readme = with_table(README.read_text(encoding="utf-8"), document["report"])
        CALIBRATION.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        README.write_text(readme, encoding="utf-8")
        print(f"\nwritten: {document['version']}")
    return 0


def calibration_of(rows: Sequence[Row], seen: Sequence[Seen]) -> dict[str, Any]:
    """The whole of calibration.json. Raises ValueError where good or bad pictures are missing."""
    fitted = fit(clear(rows)).model_dump(mode="json", exclude={"version"})
    digest = hashlib.sha256(json.dumps(fitted, sort_keys=True).encode()).hexdigest()[:8]
    return {
        "version": f"{datetime.now(UTC).date()}-{digest}",
        **fitted,
        "limits": [asdict(one) for one in seen],
        "report": report_of(rows),
    }


def with_table(readme: str, report: dict[str, Any]) -> str:
    """The README with the report's short table between its marks. Raises ValueError where those are missing."""
    begin, end = (re.escape(mark) for mark in MARKS)
    text = "\n".join(short_table(report))
    place = re.compile(f"({begin}).*?({end})", re.DOTALL)
    changed, count = place.subn(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", readme)
    if count != 1:
        raise ValueError("the README has no place for the table of faults")
    return changed


def short_table(report: dict[str, Any]) -> list[str]:
    """What stands in the README."""
    good, bad = share(*report["good_accepted"]), share(*report["bad_caught"])
    held_out = report["held_out"]
    products, sets = (held_out[name]["groups"] for name in ("product", "set"))
    curve = held_out["product"]["area_under_curve"]
    return [
        f"{report['pictures']} pictures of {products} products in {sets} sets. Good ones accepted: {good}. Faults of "
        f"middle and gross strength not accepted: {bad}. Of products that it was not fitted on, a bad picture has "
        f"the higher `risk` in {100 * curve:.0f} % of the pairs of a good and a bad one.",
        "",
        *kinds_table(report, intervals=False),
    ]


if __name__ == "__main__":
    sys.exit(main())
