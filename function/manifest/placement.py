"""Where a product should stand: in words, and exactly where a manifest says so."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from function.generation.facing import Facing
from function.manifest.image_reference import Reference
from function.manifest.strict_model import StrictModel

MASK_FIELD = "placement.mask"  # what its reference is called in messages, and among the sources; of several products …
PRODUCT_MASK_FIELD = re.compile(r"products\.([^.]+)\.placement\.mask")  # … that of each
MAX_PLACEMENT_CHARS = 500
MAX_HEIGHT_CM = 10_000.0  # a mast; more is a wrong unit
MAX_CM_PER_PX = 1_000.0
# Nobody sees a hundredth of a product's height; from half of it on nothing is asked any more.
MIN_TOLERANCE, MAX_TOLERANCE = 0.02, 0.5
_ROUNDING = 1e-6  # shares that were rounded to six digits may add up to so much more than 1

Words = Annotated[str, StringConstraints(max_length=MAX_PLACEMENT_CHARS)]
Share = Annotated[float, Field(ge=0, le=1, strict=False)]


def _inside(box: list[float]) -> list[float]:
    if min(box[2:]) <= 0 or box[0] + box[2] > 1 + _ROUNDING or box[1] + box[3] > 1 + _ROUNDING:
        raise ValueError("box has x, y, width and height in shares of the scene, and lies inside it")
    return box


Box = Annotated[
    list[Share],
    Field(min_length=4, max_length=4, description="x, y, width, height in shares 0..1 of the scene's width and height"),
    AfterValidator(_inside),
]
Centimetres = Annotated[float, Field(gt=0, le=MAX_HEIGHT_CM)]


class ReferenceObject(StrictModel):
    """A thing of the scene, about as far from the camera as the product is to be: its box, and how tall it is."""

    box: Box
    height_cm: Centimetres


class Placement(StrictModel):
    """Where a product should stand: in words; in a box, or anywhere in the white of a mask; and how tall it is."""

    words: Words | None = None
    box: Box | None = Field(None, description="that the product should fill from the middle of its base up")
    mask: Reference | None = Field(
        None, description="of an image of the scene's shape, white where the middle of the product's base may stand"
    )
    height_cm: Centimetres | None = Field(
        None, description="of the product; needs scene_cm_per_px or reference, and counts for more than the box's"
    )
    scene_cm_per_px: Annotated[float, Field(gt=0, le=MAX_CM_PER_PX)] | None = Field(
        None, description="centimetres, where the product is to stand, that a pixel of the scene shows"
    )
    reference: ReferenceObject | None = None
    facing: Facing | None = Field(None, description="told to the model; not measured")
    tolerance: Annotated[float, Field(ge=MIN_TOLERANCE, le=MAX_TOLERANCE)] | None = Field(
        None, description="how far base, middle and size may be off, as a share of the product's size"
    )

    @property
    def is_exact(self) -> bool:
        """Whether it asks for more than words do."""
        return any(value is not None for name, value in self if name != "words")

    @property
    def has_outline(self) -> bool:
        """Whether it is a place that can be outlined in the scene."""
        return self.box is not None or self.mask is not None

    @property
    def is_measured(self) -> bool:
        """Whether it can be seen in a picture that this was done."""
        return self.has_outline or self.height_cm is not None

    @property
    def needs_known_scene(self) -> bool:
        """Whether it speaks of the pixels of a scene that is there already."""
        return self.mask is not None or self.height_cm is not None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.box is not None and self.mask is not None:
            raise ValueError("box and mask exclude each other: both say where the product may stand")
        if self.scene_cm_per_px is not None and self.reference is not None:
            raise ValueError("scene_cm_per_px and reference exclude each other: both say how large the scene is")
        scale = self.scene_cm_per_px is not None or self.reference is not None
        if self.height_cm is not None and not scale:
            raise ValueError("height_cm needs a scale: scene_cm_per_px, or reference, a thing whose height is known")
        if scale and self.height_cm is None:
            raise ValueError("scene_cm_per_px and reference are the scale for height_cm, which is missing")
        if self.tolerance is not None and not self.is_measured:
            raise ValueError("tolerance is that of box, mask or height_cm, of which none is given")
        return self


def words_of(placement: str | Placement | None) -> str | None:
    """What a placement says in words."""
    return placement.words if isinstance(placement, Placement) else placement


def mask_field(product: str | None) -> str:
    """What the mask of the product of this name is called; of the only one, which has none, MASK_FIELD."""
    return MASK_FIELD if product is None else f"products.{product}.{MASK_FIELD}"


def is_mask_field(field: str) -> bool:
    """Whether a source of this name is a mask, and shows no product."""
    return field == MASK_FIELD or PRODUCT_MASK_FIELD.fullmatch(field) is not None
