"""Why a delivery was not settled, out of what the function has logged."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MISSING_OBJECT = re.compile(r"there is no object gs://[^/]+/(?P<name>.+)")
AGAIN = "deliver again"


@dataclass(frozen=True)
class Reason:
    """Why an event has to come again, in words, and the error's code where there is one."""

    said: str
    code: str = ""


class FunctionLog:
    """Reads on in the log that a server is writing. Thread-safe."""

    def __init__(self, path: Path):
        self._path = path
        self._read_to = path.stat().st_size if path.exists() else 0
        self._reasons: dict[str, Reason] = {}
        self._lock = threading.Lock()

    def reason(self, event_id: str) -> Reason | None:
        """Of the event's last delivery; None when nothing was said."""
        with self._lock:
            self._read_on()
            return self._reasons.pop(event_id, None)

    def _read_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read_to)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in whole.splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                continue  # what the server itself prints
            if isinstance(said, dict) and (event := said.get("event_id")) and (why := _reason_in(said)):
                self._reasons[event] = why


def _reason_in(line: dict[str, Any]) -> Reason | None:
    message = str(line.get("message", ""))
    if message == "paused":
        return Reason("the bucket is paused")
    if not message.startswith(AGAIN):
        return None
    said = str(line.get("reason") or message.removeprefix(f"{AGAIN}: "))
    missing = MISSING_OBJECT.search(said)
    return Reason(f"waits for {missing['name']}" if missing else said, str(line.get("error_code") or ""))
