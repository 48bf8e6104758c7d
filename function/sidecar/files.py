"""Files: what was read, what was written, and what their content credentials say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from function.sidecar.record import Record, is_empty, is_none


class ProvenanceRecord(Record):
    """What a file's content credentials (C2PA) say of its origin. Whom to trust is not decided here: `valid` is that
    they belong to this very file, and were signed by the issuer's key. Null where a file has none.
    """

    state: Literal["valid", "invalid", "unreadable", "elsewhere", "unsigned"] = Field(
        description="elsewhere: the file refers to an address, which is not fetched; unsigned: a result that was to be "
        "signed and is not"
    )
    issuer: str | None = Field(None, description="the subject of the signer's certificate")
    generator: str | None = Field(None, description="the program that made them")
    time: str | None = Field(None, description="that a time-stamp authority has signed; null without one")
    claims: list[str] = Field([], description="actions with their digital source type")
    ingredients: list[str] = Field([], description="what it was made of")
    test: bool = Field(False, description="signed with a certificate that is for tests")
    bytes: int = 0
    note: str = ""


class InputRecord(Record):
    """A source image as it was read. `generation` is null for images inside the manifest or made from text."""

    uri: str
    generation: int | None
    mime_type: str
    width: int
    height: int
    bytes: int
    sha256: str
    notes: list[str] = Field([])
    provenance: ProvenanceRecord | None = None


class Inputs(Record):
    """The sources; what could not be read is null. `product` is the photograph that leads."""

    scene: InputRecord | None = None
    product: InputRecord | None = None
    mask: InputRecord | None = Field(None, description="of the placement; absent: none asked for", exclude_if=is_none)
    masks: dict[str, InputRecord] = Field(
        {}, description="those of several products' placements, by product; absent: none", exclude_if=is_empty
    )
    views: list[InputRecord] = Field(
        [], description="of several photographs of the product all, in the manifest's order", exclude_if=is_empty
    )

    def with_photograph(self, described: InputRecord) -> Inputs:
        """With one photograph more, the first of which leads."""
        if self.product is None:
            return self.model_copy(update={"product": described})
        return self.model_copy(update={"views": [*(self.views or [self.product]), described]})


class ResultRecord(Record):
    """A picture that was written."""

    name: str | None = Field(None, description="of the manifest's outputs; null without them")
    uri: str
    mime_type: str
    width: int
    height: int
    bytes: int
    sha256: str
    shown: tuple[int, int, int, int] | None = Field(
        None, description="x, y, width, height of the scene's part that it shows; null: all of it"
    )
    provenance: ProvenanceRecord | None = None
