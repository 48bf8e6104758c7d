"""Log lines: one JSON object each, whoever writes them."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from function import PIPELINE_VERSION
from function.telemetry.structured_logging import MAX_VALUE_CHARS, JsonFormatter, set_context

ROOT = Path(__file__).parents[2]
HERE = {name: value for name, value in os.environ.items() if name != "SOURCE_HASH"}
LIBRARY = """
import logging, warnings
from function.telemetry.structured_logging import configure_logging, set_context
configure_logging(libraries=True)
set_context(event_id="7")
warnings.warn("old\\nand two lines")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("somewhere").exception("went wrong", extra={"body": "of a library"})
logging.getLogger("somewhere").info("not of interest")
"""
OWN = """
import logging
from function.telemetry.structured_logging import configure_logging
configure_logging(libraries=%s)
logging.getLogger("function.delivery.lease").debug("said")
logging.getLogger("somewhere").warning("said by a library")
"""


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, env=HERE | environment
    )


def test_what_a_library_warns_of_or_logs_is_a_line_like_any_other():
    ran = run(LIBRARY, SOURCE_HASH="0a1b2c3d4e5f")
    warned, failed = (json.loads(line) for line in ran.stdout.splitlines())
    assert warned["severity"] == "WARNING" and "two lines" in warned["message"] and warned["logger"] == "py.warnings"
    assert failed["severity"] == "ERROR" and failed["message"] == "went wrong" and failed["stage"] == "library"
    assert "ZeroDivisionError" in failed["stack_trace"] and "body" not in failed
    for line in (warned, failed):
        assert line["event_id"] == "7"
        assert (line["pipeline_version"], line["source_hash"]) == (PIPELINE_VERSION, "0a1b2c3d4e5f")
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("libraries", "loggers"), [(True, ["function.delivery.lease", "somewhere"]), (False, ["function.delivery.lease"])]
)
def test_the_command_line_leaves_libraries_as_they_are(libraries, loggers):
    ran = run(OWN % libraries)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["logger"] for line in lines] == loggers and lines[0]["severity"] == "DEBUG"
    assert ran.stderr == ("" if libraries else "said by a library\n")


@pytest.fixture
def line(caplog):
    """Log once, as a module of this package does → the line."""

    def write(*arguments: object, **fields: object) -> dict[str, object]:
        caplog.set_level(logging.INFO, "function")
        logging.getLogger("function.budget.budget").info(*arguments, extra=fields)
        text = JsonFormatter().format(caplog.records[-1])
        assert "\n" not in text
        found: dict[str, object] = json.loads(text)
        return found

    yield write
    set_context()


def test_a_line_has_its_module_its_context_and_its_fields_and_nothing_else(line):
    set_context(event_id="7", manifest="in/a.json", generation=None)
    written = line("used\nup: %s", "a/b", stage="budget", name_="day", usd=0.5, reason=None, timings={"total": 1})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(written.pop("time")))
    written.pop("source_hash", None)
    assert written == {
        "severity": "INFO",
        "message": "used\nup: a/b",
        "logger": "function.budget.budget",
        "pipeline_version": PIPELINE_VERSION,
        "event_id": "7",
        "manifest": "in/a.json",
        "stage": "budget",
        "name": "day",
        "usd": 0.5,
        "timings": {"total": 1},
    }


def test_a_field_of_its_own_replaces_the_event_s(line):
    set_context(manifest="in/a.json")
    assert line("touched", manifest="in/b.json")["manifest"] == "in/b.json"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("https://x/?key=AIzaSyD-1234567890&alt=json", "https://x/?key=<secret>&alt=json"),
        ("the key AIzaSyD-1234567890 is refused", "the key <secret> is refused"),
        (f"not data:image/png;base64,{'A' * 40} again", "not <data> again"),
        (f"sent {'Zm9v' * 60}==", "sent <data>"),
        ("word " * MAX_VALUE_CHARS, ("word " * MAX_VALUE_CHARS)[:MAX_VALUE_CHARS] + "…"),
    ],
)
def test_no_secret_and_no_image_data_is_in_message_or_fields(line, said, written):
    found = line("%s", said, error=said, reasons=[{"model": said}])
    assert (found["message"], found["error"], found["reasons"]) == (written, written, [{"model": written}])


def test_a_line_from_a_work_tree_has_no_hash():
    (written,) = (json.loads(text) for text in run(OWN % False).stdout.splitlines())
    assert written["pipeline_version"] == PIPELINE_VERSION and "source_hash" not in written
