"""The emulator's batch jobs: real files, real lines, a settable time, and every way in which a job goes wrong.

A fault is `{"kind": …, "times": n}`, met by the next jobs. At the creation: "429", "403", "404", "unanswered" (the job
is made, the connection breaks), "twice" (two are made, the connection breaks). Afterwards: "failed", "expired",
"partial" (half of the lines, PARTIALLY_SUCCEEDED), "stuck" (ends when it is cancelled), "stuck_for_good",
"results_lost", "lines_missing" (half of them, SUCCEEDED), "line_errors" (every second line says 503), "lines_refused"
(… 400).
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

AT_CREATION = frozenset({"429", "403", "404", "unanswered", "twice"})
AFTERWARDS = frozenset(
    {
        *("failed", "expired", "partial", "stuck", "stuck_for_good", "results_lost"),
        *("lines_missing", "line_errors", "lines_refused"),
    }
)
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"})
POLL_S = 0.02
LINE_ERRORS = {
    "line_errors": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"},
    "lines_refused": {"code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"},
}


@dataclass
class EmulatedJob:
    """A job. `lines` are its requests, `write` puts its results where they belong."""

    name: str
    display_name: str
    model: str
    lines: list[dict[str, Any]]
    write: Callable[[EmulatedJob, bytes], None]
    fault: str = ""
    state: str = "PENDING"
    message: str = ""
    results: str | None = None
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat().replace("+00:00", "Z"))
    cancelled: threading.Event = field(default_factory=threading.Event)
    answered: int = 0
    began: float = field(default_factory=time.time)
    ended: float = float("inf")


# Answers one request (its REST form) of a model → the response, or the error that its line carries.
Answerer = Callable[[str, dict[str, Any], str], dict[str, Any]]


class BatchJobs:
    """All jobs of an emulator. Thread-safe. `time_s` is how long a job takes that is created from now on."""

    def __init__(self, answer: Answerer, stopping: threading.Event):
        self._answer, self._stopping = answer, stopping
        self._lock = threading.Lock()
        self._faults: list[dict[str, Any]] = []
        self.fired: Counter[str] = Counter()
        self.time_s = 0.0
        self.jobs: dict[str, EmulatedJob] = {}

    def add_faults(self, faults: list[dict[str, Any]]) -> None:
        """Raises ValueError for an unknown kind."""
        for fault in faults:
            if fault.get("kind") not in AT_CREATION | AFTERWARDS:
                raise ValueError(f"unknown batch fault: {fault.get('kind')}")
        with self._lock:
            self._faults += [{"times": 1, **fault} for fault in faults]

    def clear(self) -> None:
        """Forget faults; jobs that run end as if cancelled."""
        with self._lock:
            self._faults.clear()
            self.fired.clear()
            for job in self.jobs.values():
                job.cancelled.set()
            self.jobs = {}
        self.time_s = 0.0

    def take(self, kinds: frozenset[str]) -> str:
        """The next fault of one of these kinds, used up by one; "" without."""
        with self._lock:
            for fault in self._faults:
                if fault["kind"] in kinds and fault["times"] != 0:
                    if fault["times"] is not None:
                        fault["times"] -= 1
                    self.fired[fault["kind"]] += 1
                    return str(fault["kind"])
        return ""

    def start(self, prefix: str, display_name: str, model: str, lines: list[dict[str, Any]], write: Any) -> EmulatedJob:
        """A new job, at work in the background."""
        job = EmulatedJob(f"{prefix}{uuid.uuid4().int % 10**18}", display_name, model, lines, write)
        job.fault = self.take(AFTERWARDS)
        with self._lock:
            self.jobs[job.name] = job
        threading.Thread(target=self._run, args=(job, self.time_s), daemon=True).start()
        return job

    def find(self, name: str) -> EmulatedJob | None:
        """The job of that name."""
        with self._lock:
            return self.jobs.get(name)

    def all(self) -> list[EmulatedJob]:
        """Every job, the newest first, as the services list them."""
        with self._lock:
            return list(reversed(self.jobs.values()))

    def _run(self, job: EmulatedJob, time_s: float) -> None:
        try:
            self._work(job, time_s)
        finally:
            job.ended = time.time()

    def _work(self, job: EmulatedJob, time_s: float) -> None:
        job.state = "RUNNING"
        if job.fault in ("stuck", "stuck_for_good"):
            while not job.cancelled.wait(POLL_S):
                if self._stopping.is_set():
                    return
            job.state = "CANCELLED" if job.fault == "stuck" else "CANCELLING"
            return
        if job.fault == "failed":
            job.state, job.message = "FAILED", "Internal error."
            return
        begun = time.monotonic()
        half = job.fault in ("partial", "expired", "lines_missing")
        wanted = job.lines[: len(job.lines) // 2] if half else job.lines
        results = []
        for number, line in enumerate(wanted):
            if job.cancelled.is_set() or self._stopping.is_set():
                break
            results.append(self._line(job, number, line))
        while time.monotonic() - begun < time_s and not job.cancelled.wait(POLL_S):
            if self._stopping.is_set():
                return
        if job.fault != "results_lost" and results:
            # Nobody has promised an order, nor that a request comes back as it was written.
            content = "".join(json.dumps(one, sort_keys=True) + "\n" for one in reversed(results))
            job.write(job, content.encode())
        ends = {"partial": "PARTIALLY_SUCCEEDED", "expired": "EXPIRED"}
        job.state = "CANCELLED" if job.cancelled.is_set() else ends.get(job.fault, "SUCCEEDED")

    def _line(self, job: EmulatedJob, number: int, line: dict[str, Any]) -> dict[str, Any]:
        named = {"key": line["key"]} if "key" in line else {"request": line["request"], "processed_time": _now()}
        error = LINE_ERRORS.get(job.fault) if number % 2 == 0 else None
        answer = {"error": error} if error else self._answer(job.model, line["request"], job.name)
        if "error" not in answer:
            job.answered += 1
            return {**named, "response": answer} if "key" in named else {**named, "status": "", "response": answer}
        return {**named, **answer} if "key" in named else {**named, "status": json.dumps(answer), "response": {}}


def _now() -> str:
    return datetime.now(UTC).isoformat()
