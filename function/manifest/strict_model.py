"""What the parts of a manifest have in common."""

from __future__ import annotations

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _whole(value: object) -> object:
    """768.0, as programs write that know one kind of number, is 768."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


WHOLE = BeforeValidator(_whole)  # goes with the limits of one number: those of `int | None` would miss the schema


class StrictModel(BaseModel):
    """A model that refuses unknown fields and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
