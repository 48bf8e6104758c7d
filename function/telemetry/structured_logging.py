"""One JSON object a line on standard output, in the format Cloud Logging reads."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from function import PIPELINE_VERSION

MAX_VALUE_CHARS = 4000
SEVERITIES = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
SOURCE_HASH = "SOURCE_HASH"  # environment: the beginning of the deployed archive's hash, set by Terraform
# Which code wrote a line. Two revisions are at work at once while one is deployed.
_RELEASE = {"pipeline_version": PIPELINE_VERSION, "source_hash": os.environ.get(SOURCE_HASH)}
_context: ContextVar[dict[str, Any]] = ContextVar("log_context", default={})  # noqa: B039 (never mutated)
_write_lock = threading.Lock()  # lines of several threads must not run into each other
# Image data may be quoted by somebody else's error message; it never reaches a line.
_DATA_URI = re.compile(r"data:[^,\s]{0,100},[A-Za-z0-9+/=_%-]{16,}")
_LONG_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")
_API_KEY = re.compile(r"AIza[A-Za-z0-9_-]{10,}|(?<=key=)[^&\s\"']+")


def set_context(**fields: Any) -> None:
    """Fields that every further line of this thread's event carries (event_id, manifest, generation, trace)."""
    _context.set({name: value for name, value in fields.items() if value is not None})


def log(severity: str, message: str, **fields: Any) -> None:
    """Write one line. `severity` is one of DEBUG, INFO, WARNING, ERROR, CRITICAL. Each says which code wrote it."""
    line = {
        "severity": severity,
        "message": _safe(message),
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **{name: value for name, value in _RELEASE.items() if value},
        **_context.get(),
        **{name: _safe(value) for name, value in fields.items() if value is not None},
    }
    text = json.dumps(line, ensure_ascii=True, default=str)
    with _write_lock:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def log_unexpected(error: BaseException, stage: str) -> None:
    """A mistake of this program, with its traceback. Called where it is caught."""
    log("ERROR", f"unexpected: {type(error).__name__}: {error}", stage=stage, stack_trace=traceback.format_exc())


class _OneLine(logging.Handler):
    """What libraries log or warn of, in the same format."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as one line."""
        severity = record.levelname if record.levelname in SEVERITIES else "WARNING"
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else None
        log(severity, record.getMessage(), logger=record.name, stage="library", stack_trace=trace)


def take_over_logging() -> None:
    """From here on libraries' log records and Python's warnings come out as our lines, from WARNING up."""
    logging.basicConfig(level=logging.WARNING, handlers=[_OneLine()], force=True)
    logging.captureWarnings(True)


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        value = _API_KEY.sub("<secret>", _LONG_BASE64.sub("<data>", _DATA_URI.sub("<data>", value)))
        return value if len(value) <= MAX_VALUE_CHARS else value[:MAX_VALUE_CHARS] + "…"
    if isinstance(value, dict):
        return {key: _safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    return value


def trace_of(header: str | None, project: str | None) -> str | None:
    """`X-Cloud-Trace-Context` or `traceparent` → Cloud Logging's trace name."""
    if not header or not project:
        return None
    match = re.match(r"(?:00-)?([0-9a-f]{32})[-/;]", header + ";")
    return f"projects/{project}/traces/{match[1]}" if match else None
