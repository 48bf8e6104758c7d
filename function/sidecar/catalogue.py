"""The sidecar of a catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from function import PIPELINE_VERSION
from function.sidecar.record import SCHEMA_VERSION, ErrorRecord, ManifestIdentity, Record, Timings


class RefusedRow(Record):
    """A catalogue row that was not written, and why. `row` counts data rows from 1, `line` the file's lines."""

    row: int
    line: int
    reason: str


class CatalogueSidecar(Record):
    """The record of a catalogue: how many pair manifests it became."""

    schema_version: str = SCHEMA_VERSION
    status: Literal["accepted", "review", "failed"] = Field(
        description="accepted: every row written; review: some rows refused; failed: none written"
    )
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    pipeline_version: str = PIPELINE_VERSION
    catalogue: ManifestIdentity
    rows_written: int = 0
    rows_refused: int = 0
    refused: list[RefusedRow] = Field([], description="the first 10,000 of them")
    budget_usd: float | None = Field(None, description="the catalogue's own, over all its uploads")
    manifests: str | None = Field(None, description="gs:// prefix of the pair manifests that were written")
    timings_ms: Timings = Timings()
    error: ErrorRecord | None = None

    def to_json(self) -> bytes:
        """The document as it is stored."""
        return self.model_dump_json(indent=1).encode()
