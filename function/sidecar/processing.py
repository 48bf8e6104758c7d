"""The result: how the sources were sent, how the scene changed, and how much was restored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from function.sidecar.record import Record

Size = Annotated[tuple[int, int], Field(description="[width, height] in pixels")]
Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


class Shrunk(Record):
    """An image's size before and as sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_size: Size = Field(alias="from")
    to_size: Size = Field(alias="to")


class Compression(Record):
    """How the sources were shrunk for the model."""

    max_px: int
    scene: Shrunk | None
    product: Shrunk


class DriftRecord(Record):
    """How far the model's answer lay from the scene, before it was put back."""

    scale_x: float | None
    scale_y: float | None
    shift_px: float | None
    residual_px: float | None
    registered: bool


class Restoration(Record):
    """How much of the picture's own detail was brought back."""

    mode: Literal["full", "off"]
    share: float = Field(0.0, description="share of the result that is the scene's or the product's own pixels")
    match_kind: str | None = None
    match_quality: float | None = None
    corners: Corners | None = Field(
        None, description="the photograph's top left, top right and bottom left corner, [x, y] in the result's pixels"
    )
    note: str = ""


class Change(Record):
    """Where the model changed the scene: box in the result's pixels, small grey PNG as a data: URI."""

    share: float
    box: tuple[int, int, int, int] | None
    mask: str | None = None


class Undone(Record):
    """A change apart from the product that was not asked for: there the result has the scene's own pixels."""

    box: tuple[int, int, int, int] = Field(description="x, y, width, height in the scene's pixels")
    share: float = Field(description="of the scene's area")
