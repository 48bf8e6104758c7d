"""What .ci/run says of the packages that are deployed."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READ_AUDIT = ROOT / ".ci" / "read_audit.py"
SAFE = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLED = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "PYSEC-2022-10", "fix_versions": ["9.0.1"]}]}
UNKNOWN = {"name": "numpy", "skip_reason": "Dependency not found on PyPI"}


def verdict_of(tmp_path, *packages):
    report = tmp_path / "audit.json"
    report.write_text(json.dumps({"dependencies": packages, "fixes": []}))
    ran = subprocess.run([sys.executable, str(READ_AUDIT), str(report)], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.returncode, ran.stdout.strip()


def test_a_known_vulnerability_stops_the_run_and_is_named(tmp_path):
    assert verdict_of(tmp_path, SAFE, HOLED, UNKNOWN) == (1, "pillow 9.0.0: PYSEC-2022-10, mended in 9.0.1")


def test_what_was_not_looked_up_is_not_called_safe(tmp_path):
    assert verdict_of(tmp_path, SAFE, UNKNOWN) == (0, "no known vulnerability in 1 packages; not looked up: numpy")
    assert verdict_of(tmp_path, UNKNOWN)[1].startswith("SKIPPED")


def test_without_a_network_it_says_so(tmp_path):
    ran = subprocess.run(
        [sys.executable, str(READ_AUDIT), str(tmp_path / "none.json")], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout[:8]) == (0, "SKIPPED:")


def test_the_bill_of_materials_is_no_part_of_the_work_tree():
    written = re.search(r"-o (\S+\.cdx\.json) requirements\.txt", (ROOT / ".ci" / "run").read_text())[1]
    ignored = subprocess.run(["git", "check-ignore", "-q", written], cwd=ROOT, check=False)
    assert ignored.returncode in {0, 128}  # 128: not a clone
    assert "/build/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_providers_lock_is_kept_with_the_code():
    assert ".terraform.lock.hcl" not in (ROOT / ".gitignore").read_text()
    assert "terraform providers lock" in (ROOT / "infra" / "README.md").read_text()
