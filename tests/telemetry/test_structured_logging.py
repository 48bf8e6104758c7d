"""Log lines: one JSON object each, whoever writes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from function import PIPELINE_VERSION

ROOT = Path(__file__).parents[2]
LIBRARY = """
import logging, warnings
from function.telemetry.structured_logging import set_context, take_over_logging
take_over_logging()
set_context(event_id="7")
warnings.warn("old\\nand two lines")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("somewhere").exception("went wrong")
"""


def test_what_a_library_warns_of_or_logs_is_a_line_like_any_other():
    ran = subprocess.run([sys.executable, "-c", LIBRARY], cwd=ROOT, capture_output=True, text=True, check=True)
    warned, failed = (json.loads(line) for line in ran.stdout.splitlines())
    assert warned["severity"] == "WARNING" and "two lines" in warned["message"]
    assert failed["severity"] == "ERROR" and failed["message"] == "went wrong"
    assert "ZeroDivisionError" in failed["stack_trace"]
    assert {warned["event_id"], failed["event_id"]} == {"7"}
    assert ran.stderr == ""


ONE_LINE = "from function.telemetry.structured_logging import log; log('INFO', 'said')"


def test_every_line_says_which_code_wrote_it():
    deployed = subprocess.run(
        [sys.executable, "-c", LIBRARY], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"SOURCE_HASH": "0a1b2c3d4e5f"},
    )  # fmt: skip
    lines = [json.loads(line) for line in deployed.stdout.splitlines()]
    assert len(lines) == 2
    assert {(line["pipeline_version"], line["source_hash"]) for line in lines} == {(PIPELINE_VERSION, "0a1b2c3d4e5f")}


def test_a_line_from_a_work_tree_has_no_hash():
    here = {name: value for name, value in os.environ.items() if name != "SOURCE_HASH"}
    ran = subprocess.run(
        [sys.executable, "-c", ONE_LINE], cwd=ROOT, capture_output=True, text=True, check=True, env=here
    )
    line = json.loads(ran.stdout)
    assert line["pipeline_version"] == PIPELINE_VERSION and "source_hash" not in line
