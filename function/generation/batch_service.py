"""What the program asks of a service that answers in batches. `gemini/batches.py` is the one implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from function.deadline import Deadline

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"})


@dataclass(frozen=True)
class ServiceJob:
    """A job as its service describes it. `state` without its prefix; `results_file` where they are to be fetched."""

    name: str
    display_name: str
    state: str
    created: float
    message: str = ""
    results_file: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDED


class Sink(Protocol):
    """Where a file is written to, piece by piece."""

    def write(self, data: bytes, /) -> int:
        """Take the next bytes."""


class BatchService(Protocol):
    """Jobs of a service. Its calls raise ModelNotFoundError (no such model, job or file), ModelRejectedError and
    ModelRefusedError for what will never be taken, ModelUnavailableError when nothing was done, ModelUnansweredError
    when it is unknown what was done.
    """

    reads_buckets: bool  # requests and results are objects; else they are files of the service

    def create(self, model: str, display_name: str, lines: str | bytes, results: str, deadline: Deadline) -> ServiceJob:
        """Begin a job. `lines`: gs:// of its JSONL where `reads_buckets`, else the JSONL itself; `results`: gs://
        prefix."""

    def get(self, name: str, deadline: Deadline) -> ServiceJob:
        """A job as it is now."""

    def find(self, display_name: str, deadline: Deadline) -> list[ServiceJob]:
        """Jobs of that display name, the oldest first."""

    def cancel(self, name: str, deadline: Deadline) -> None:
        """Ask a job to end. One that has ended already may be refused."""

    def fetch(self, results_file: str, sink: Sink, deadline: Deadline) -> None:
        """Write a results file to `sink`."""
