"""Log lines: one JSON object each, whoever writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
