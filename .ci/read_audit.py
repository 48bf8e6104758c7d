"""Reads pip-audit's report (JSON, as it comes from `--format json`): `read_audit.py REPORT`.

pip-audit says "no known vulnerabilities" and ends with 0 too when its database knows none of the packages, or was not
reached. Ends with 1 when there are vulnerabilities, else with 0, and says what was not looked up.
"""

import json
import sys
from pathlib import Path


def verdict(report: str) -> tuple[int, str]:
    """pip-audit's report; empty when it wrote none → (exit status, what to say)."""
    packages = json.loads(report)["dependencies"] if report.strip() else []
    found = [
        f"{one['name']} {one['version']}: {hole['id']}, fixed in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in packages
        for hole in one.get("vulns", [])
    ]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if found:
        return 1, "\n".join(found)
    if len(skipped) == len(packages):
        return 0, "SKIPPED: the database of vulnerabilities cannot be reached from here"
    looked_up = f"no known vulnerability in {len(packages) - len(skipped)} packages"
    return 0, looked_up + (f"; not looked up: {', '.join(skipped)}" if skipped else "")


if __name__ == "__main__":
    report_file = Path(sys.argv[1])
    status, said = verdict(report_file.read_text(encoding="utf-8") if report_file.is_file() else "")
    print(said)  # noqa: T201
    sys.exit(status)
