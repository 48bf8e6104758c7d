"""The pair manifest: its fields and their limits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from function.generation.pose import Pose
from function.manifest.file_name import MAX_TEMPLATE_CHARS, file_name
from function.manifest.image_reference import Reference
from function.manifest.output_target import Output, OutputTarget, OutputTargets
from function.manifest.placement import Placement, Words, mask_field, words_of
from function.manifest.product_views import OneOrViews, Products, view_fields
from function.manifest.strict_model import WHOLE, StrictModel
from function.settings import MAX_CAP_USD, MODEL_NAME, Identity

MAX_FEEDBACK_CHARS = 500  # a few sentences: what a person says of an earlier picture
# A profile's name, or its address; how a profile may be called keeps it in its folder.
STYLE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
STYLE = rf"^({STYLE_NAME}|gs://.{{1,1100}})$"
MAX_LABELS = 32
MAX_LABEL_BYTES = 1024
# Keys of custom metadata that the function and its tools believe: an uploader must not be able to set them. Their
# case does not count, for they travel as HTTP headers.
RESERVED_LABELS = frozenset(
    {
        *("review-decision", "review-decided-by", "review-decided-at", "review-comment"),
        *("status", "manifest", "manifest-generation", "usd", "error-code"),
    }
)
RESERVED_LABEL_PREFIX = "goog-"


def timestamp_s(stated: str) -> float:
    """A moment (RFC 3339, with its offset from UTC) in seconds since 1970. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        raise ValueError("must be a time such as 2027-03-01T08:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("must say its offset from UTC, such as 2027-03-01T08:00:00Z")
    return moment.timestamp()


OF_KNOWN_SCENES = "mask and height_cm need a scene image, not a scene that is generated from a prompt"


class ScenePrompt(StrictModel):
    """A scene that is generated from text before the product is placed into it."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


# One of both, and not null: what the validators of `Manifest` demand.
EITHER_PRODUCT: JsonDict = {
    "oneOf": [
        {"required": [field], "properties": {field: {"not": {"type": "null"}}}} for field in ("product", "products")
    ]
}


class Manifest(StrictModel):
    """One product to be placed into one scene."""

    model_config = ConfigDict(json_schema_extra=EITHER_PRODUCT)

    products: Products | None = None
    product: OneOrViews | None = Field(None, validate_default=True)
    scene: Reference | ScenePrompt
    placement: Words | Placement | None = None
    identity: Identity | None = Field(
        None,
        description="whose pixels the product has: the photograph's where the model's are not verified (auto), the "
        "model's (model), the photograph's always (exact)",
    )
    pose: Pose = Field("stand", description="how the product is carried: it is told to the model and judged by")
    feedback: Annotated[str, StringConstraints(max_length=MAX_FEEDBACK_CHARS)] | None = Field(
        None, description="what a person found wrong with an earlier picture: it is told to the model"
    )
    style: Annotated[str, StringConstraints(pattern=STYLE)] | None = Field(
        None, description="a profile's name, of _styles/NAME.json in the input bucket, or its gs:// address"
    )
    output: Output = Output()
    outputs: OutputTargets | None = Field(
        None, description="several pictures from one answer, instead of output: presets by name, or targets"
    )
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
    labels: dict[str, str] = Field({}, max_length=MAX_LABELS)

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEMPLATE_CHARS)] | None = Field(
        None, description="of a catalogue's row, whose files are called so; {labels.sku} stands for a label"
    )

    @field_validator("product")
    @classmethod
    def _one_or_several(cls, product: str | list[str] | None, info: ValidationInfo) -> str | list[str] | None:
        if product is None and info.data.get("products", ()) is None:
            raise PydanticCustomError("missing", "is required")
        if product is not None and info.data.get("products") is not None:
            raise ValueError("product and products exclude each other")
        return product

    @field_validator("outputs")
    @classmethod
    def _instead_of_output(cls, outputs: list[OutputTarget] | None, info: ValidationInfo) -> list[OutputTarget] | None:
        if outputs is not None and info.data.get("output") not in (None, Output()):
            raise ValueError("output and outputs exclude each other: say in each of the outputs what it is to be")
        return outputs

    @field_validator("name")
    @classmethod
    def _with_labels(cls, name: str | None, info: ValidationInfo) -> str | None:
        return None if name is None else file_name(name, info.data.get("labels", {}))

    @property
    def references(self) -> dict[str, str]:
        """Every image reference by what it is called in messages: the scene's, unless that is made from text, the
        product's, `product` and then `product.1`, and those of the placements' masks."""
        scene = {"scene": self.scene} if isinstance(self.scene, str) else {}
        masks = {mask_field(None): self.exact_placement.mask}
        product = {} if self.product is None else view_fields("product", self.product)
        for one in self.products or ():
            product |= view_fields(f"products.{one.name}", one.product)
            masks[mask_field(one.name)] = one.exact_placement.mask
        return {**product, **scene, **{field: mask for field, mask in masks.items() if mask is not None}}

    @property
    def product_fields(self) -> tuple[tuple[str, ...], ...]:
        """The fields of each product's photographs, as `references` calls them."""
        if self.products is None:
            return (tuple(view_fields("product", self.product or ())),)
        return tuple(tuple(view_fields(f"products.{one.name}", one.product)) for one in self.products)

    @property
    def placement_words(self) -> str | None:
        """The placement as the model is told it."""
        return words_of(self.placement)

    @property
    def exact_placement(self) -> Placement:
        """What is asked besides words; empty where that is nothing."""
        return self.placement if isinstance(self.placement, Placement) else Placement()

    @field_validator("placement")
    @classmethod
    def _needs_given_scene(cls, placement: str | Placement | None, info: ValidationInfo) -> object:
        made = isinstance(info.data.get("scene"), ScenePrompt)
        if made and isinstance(placement, Placement) and placement.needs_known_scene:
            raise ValueError(OF_KNOWN_SCENES)
        return placement

    @model_validator(mode="after")
    def _exact_takes_one_product(self) -> Manifest:
        if self.products is not None and self.identity == "exact":
            raise ValueError('identity "exact" places a single product: it cannot be combined with products')
        if self.products is not None and self.exact_placement.is_exact:
            raise ValueError("placement with a box, mask or height is for a single product: set it in each of products")
        for one in self.products or ():
            if isinstance(self.scene, ScenePrompt) and one.exact_placement.needs_known_scene:
                raise ValueError(f"products.{one.name}.placement: {OF_KNOWN_SCENES}")
        return self

    @model_validator(mode="after")
    def _exact_is_restored(self) -> Manifest:
        if self.identity == "exact" and self.restore == "off":
            raise ValueError('identity "exact" uses the photograph\'s own pixels: it needs restore "full"')
        return self

    @field_validator("finish_by")
    @classmethod
    def _moment(cls, stated: str | None) -> str | None:
        if stated is not None:
            timestamp_s(stated)
        return stated

    @field_validator("labels")
    @classmethod
    def _label_limits(cls, labels: dict[str, str]) -> dict[str, str]:
        for name, value in labels.items():
            if not name or len(name.encode()) > 128:
                raise ValueError(f"label name {name[:40]!r} must have 1 to 128 bytes")
            if name.strip().lower() in RESERVED_LABELS or name.strip().lower().startswith(RESERVED_LABEL_PREFIX):
                raise ValueError(f"label {name!r} is reserved in object metadata: choose another name")
            if len(value.encode()) > MAX_LABEL_BYTES:
                raise ValueError(f"label {name!r} is longer than {MAX_LABEL_BYTES} bytes")
        return labels
