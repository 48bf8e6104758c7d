"""The standard `logging`, written as one JSON object a line on standard output, in the format Cloud Logging reads.

A module says `logger = logging.getLogger(__name__)` and `logger.warning("budget exhausted", extra={"cap_usd": 5.0})`:
each name in `extra` is a field of the line.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from function import PIPELINE_VERSION

PACKAGE = "function"  # the logger above those of all modules
MAX_VALUE_CHARS = 4000
SEVERITIES = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
SOURCE_HASH = "SOURCE_HASH"  # environment: the beginning of the deployed archive's hash, set by Terraform
# Which code wrote a line. Two revisions are at work at once while one is deployed.
_RELEASE = {"pipeline_version": PIPELINE_VERSION, "source_hash": os.environ.get(SOURCE_HASH)}
_RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_context: ContextVar[dict[str, Any]] = ContextVar("log_context", default={})  # noqa: B039 (never mutated)
# The error message of a library may quote image data; it never reaches a log line.
_DATA_URI = re.compile(r"data:[^,\s]{0,100},[A-Za-z0-9+/=_%-]{16,}")
_LONG_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")
_API_KEY = re.compile(r"AIza[A-Za-z0-9_-]{10,}|(?<=key=)[^&\s\"']+")


def set_context(**fields: Any) -> None:
    """Fields that every further line of this thread's event carries (event_id, manifest, generation, trace)."""
    _context.set({name: value for name, value in fields.items() if value is not None})


class JsonFormatter(logging.Formatter):
    """A record as one line: severity, message, time, logger, which code wrote it, the event's context, and its fields.

    Fields are what `extra` holds, without those that are None. `logging` refuses names that a record has already: such
    a field has an underscore behind it (`name_`), which the line leaves out. Of a library's record only the message
    and the traceback are written, with `stage` "library".
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write the record as JSON, without line breaks, secrets and image data."""
        is_own = record.name.partition(".")[0] == PACKAGE
        fields = _fields_of(record) if is_own else {"stage": "library"}
        if record.exc_info:
            fields["stack_trace"] = self.formatException(record.exc_info)
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "severity": record.levelname if record.levelname in SEVERITIES else "WARNING",
            "message": _safe(record.getMessage()),
            "time": time.replace("+00:00", "Z"),
            "logger": record.name,
            **{name: value for name, value in _RELEASE.items() if value},
            **_context.get(),
            **{name: _safe(value) for name, value in fields.items() if value is not None},
        }
        return json.dumps(line, ensure_ascii=True, default=str)


class _StandardOutput(logging.Handler):
    """To whatever standard output is when a line is written. `logging` lets one thread at a time call `emit`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line. Raises OSError when the reader is gone or the disk is full."""
        sys.stdout.write(self.format(record) + "\n")
        sys.stdout.flush()


def configure_logging(*, libraries: bool) -> None:
    """From here on log records of this package come out as JSON lines, from DEBUG up.

    With `libraries`, their records and Python's warnings do too, from WARNING up.
    """
    handler = _StandardOutput()
    handler.setFormatter(JsonFormatter())
    logging.getLogger("" if libraries else PACKAGE).handlers = [handler]
    logging.getLogger(PACKAGE).setLevel(logging.DEBUG)
    logging.captureWarnings(libraries)


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    return {name.removesuffix("_"): value for name, value in vars(record).items() if name not in _RECORD_ATTRIBUTES}


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
