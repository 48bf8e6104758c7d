"""What every part of a sidecar is made of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from function.errors import CompositeError, ErrorCode

# The second number rises when something is added, which a reader that refuses unknown fields does not know; the first
# when something that a reader relies on is gone or means something else.
SCHEMA_VERSION = "1.4"
Method = Literal["model", "sketch", "classical"]


def is_none(value: object) -> bool:
    """For `exclude_if`."""
    return value is None


def is_empty(value: object) -> bool:
    """For `exclude_if`."""
    return not value


class Record(BaseModel):
    """Base of every part: fixed once written, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ManifestIdentity(Record):
    """Which upload of which manifest this is the record of."""

    bucket: str
    name: str
    generation: int


class Timings(Record):
    """Milliseconds by stage; `generate` includes waiting for the model."""

    download: int = 0
    prepare: int = 0
    generate: int = 0
    restore: int = 0
    check: int = 0
    encode: int = 0
    upload: int = 0
    total: int = 0


class ErrorRecord(Record):
    """Why there is no result."""

    code: ErrorCode
    message: str
    retryable: bool
    stage: str

    @classmethod
    def of(cls, error: CompositeError) -> ErrorRecord:
        """The record of an error."""
        return cls(code=error.code, message=error.message, retryable=error.retryable, stage=error.stage)
