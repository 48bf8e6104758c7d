"""The pair manifest: its fields and their limits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from function.generation.pose import Pose
from function.imaging.formats import WriteFormat
from function.settings import MAX_CAP_USD, MODEL_NAME

MAX_PLACEMENT_CHARS = 500
MAX_LABELS = 32
MAX_LABEL_BYTES = 1024
# Keys of custom metadata that the function and its tools believe: an uploader must not be able to set them. Their
# case does not count, for they travel as HTTP headers.
RESERVED_LABELS = frozenset(
    {
        *("review-decision", "review-decided-by", "review-decided-at"),
        *("status", "manifest", "manifest-generation", "usd", "error-code"),
    }
)
RESERVED_LABEL_PREFIX = "goog-"
MAX_OUTPUT_SIDE_PX = 16384  # WebP ends at 16383, and larger PNGs are beyond what the memory is planned for

Reference = Annotated[
    str,
    StringConstraints(min_length=1),
    Field(description="gs://bucket/object, a data:image/…;base64,… URI, or a name relative to the manifest"),
]


def _whole(value: object) -> object:
    """768.0, as programs write that know one kind of number, is 768."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


WHOLE = BeforeValidator(_whole)  # goes with the limits of one number: those of `int | None` would miss the schema


def moment_s(stated: str) -> float:
    """A moment (RFC 3339, with its offset from UTC) in seconds since 1970. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        raise ValueError("must be a moment such as 2027-03-01T08:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("must say its offset from UTC, such as 2027-03-01T08:00:00Z")
    return moment.timestamp()


class StrictModel(BaseModel):
    """A model that refuses unknown fields and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ScenePrompt(StrictModel):
    """A scene that is generated from text before the product is placed into it."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class Output(StrictModel):
    """The result's format and size; what is absent follows the scene."""

    format: WriteFormat | None = None
    quality: Annotated[int, Field(ge=1, le=100), WHOLE] | None = Field(None, description="for jpeg, webp and avif")
    width: Annotated[int, Field(ge=1, le=MAX_OUTPUT_SIDE_PX), WHOLE] | None = None
    height: Annotated[int, Field(ge=1, le=MAX_OUTPUT_SIDE_PX), WHOLE] | None = None


class Manifest(StrictModel):
    """One product to be placed into one scene."""

    product: Reference
    scene: Reference | ScenePrompt
    placement: Annotated[str, StringConstraints(max_length=MAX_PLACEMENT_CHARS)] | None = None
    pose: Pose = Field("stand", description="how the product is carried: it is told to the model and judged by")
    output: Output = Output()
    model: Annotated[str, StringConstraints(pattern=MODEL_NAME)] | None = None
    max_px: Annotated[int, Field(ge=256, le=4096), WHOLE] | None = None
    attempts: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="at most MAX_ATTEMPTS of the environment"
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] | None = None
    budget_usd: Annotated[float | None, Field(strict=False)] = Field(
        None, ge=0, le=MAX_CAP_USD, description="of this pair; in a catalogue, of all its pairs together"
    )
    restore: Literal["full", "off"] = "full"
    batch: bool = Field(False, description="asked for in batches at half the price, within hours")
    finish_by: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None, description="RFC 3339; what no batch has answered by then is asked for at full price. Default: 48 h"
    )
    labels: Annotated[dict[str, str], Field(max_length=MAX_LABELS)] = {}

    @field_validator("finish_by")
    @classmethod
    def _moment(cls, stated: str | None) -> str | None:
        if stated is not None:
            moment_s(stated)
        return stated

    @field_validator("labels")
    @classmethod
    def _label_limits(cls, labels: dict[str, str]) -> dict[str, str]:
        for name, value in labels.items():
            if not name or len(name.encode()) > 128:
                raise ValueError(f"label name {name[:40]!r} must have 1 to 128 bytes")
            if name.strip().lower() in RESERVED_LABELS or name.strip().lower().startswith("goog-"):
                raise ValueError(
                    f"label {name!r} has a meaning of its own in an object's metadata: choose another name"
                )
            if len(value.encode()) > MAX_LABEL_BYTES:
                raise ValueError(f"label {name!r} is longer than {MAX_LABEL_BYTES} bytes")
        return labels
