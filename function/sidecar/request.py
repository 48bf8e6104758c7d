"""What was asked for: style, place, identity, photographs, products, and by whom."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from function.sidecar.attempts import CheckRecord
from function.sidecar.files import InputRecord
from function.sidecar.record import Record, is_empty, is_none


class StyleRecord(Record):
    """The style profile whose words the model was told."""

    name: str
    uri: str
    generation: int
    sha256: str
    checks: list[str] = Field(
        [], description="that had to be measured, or a person looks at the picture", exclude_if=is_empty
    )


class PersonRecord(Record):
    """What a person asked for after looking at an earlier picture, and what this run has carried out."""

    asked: Literal["redo", "pick"]
    attempt: int | None = Field(None, description="of a pick: the attempt that became the result")
    by: str
    at: str
    redone: int = Field(0, description="how many times people have asked to regenerate this pair")


class IdentityRecord(Record):
    """Whose pixels the product was to have, and what the model did to a product that was laid into the scene for it.

    Boxes are x, y, width, height in the scene's pixels; what was not laid has none, and nothing measured.
    """

    asked: Literal["auto", "model", "exact"]
    box: tuple[int, int, int, int] | None = Field(None, description="where the product was laid")
    moved: float | None = Field(None, description="by the model, share of the product's height")
    scale_x: float | None = None
    scale_y: float | None = None
    turned_deg: float | None = None
    followed: float | None = Field(None, description="share of the product that the answer shows as it was laid")
    changed: list[tuple[int, int, int, int]] = Field([], description="where the product is not its photograph")
    note: str = ""


class AskedPlaceRecord(Record):
    """Where the product was asked to stand, besides words, in the scene's pixels."""

    box: tuple[int, int, int, int] | None = Field(None, description="x, y, width, height")
    areas: list[list[tuple[int, int]]] = Field(
        [], description="white parts of the mask: polygons of [x, y], simplified"
    )
    height: int | None = Field(None, description="of the product, where the scene's scale says it")
    facing: str | None = None
    tolerance: float | None = None


class ViewRecord(Record):
    """Of several photographs of a product the one that the picture was compared with, and restored from."""

    index: int = Field(description="from 0, in inputs.views")
    uri: str
    sent: int = Field(description="how many of them the model was sent, from the first on: as many as it takes")


class ProductRecord(Record):
    """One of several products; `checks` of the sidecar are the worst of each of these."""

    name: str
    placement: str | None
    asked_place: AskedPlaceRecord | None = Field(
        None, description="of its placement, besides its words; absent: nothing asked", exclude_if=is_none
    )
    inputs: list[InputRecord]
    view: ViewRecord = Field(description="its index is from 0 in this product's inputs")
    box: tuple[int, int, int, int] | None = Field(None, description="x, y, width, height in the scene's pixels")
    match_quality: float | None = Field(None, description="as in restoration; null where its photograph was not found")
    checks: dict[str, CheckRecord]
