"""The table of image models: native sizes, limits, prices and retirement dates (models.json)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

TABLE = Path(__file__).with_name("models.json")
# What an unlisted model is assumed to take and return until somebody adds it to the table.
FALLBACK_PROFILE = "gemini-2.5-flash-image"

BillingRule = Literal["flat", "tiles", "crop_unit"]


class Prices(BaseModel):
    """USD per million tokens, by kind."""

    input: float
    output_text: float
    output_image: float


class ImageModel(BaseModel):
    """One row of the table. Sizes are (width, height) in pixels by nominal ratio."""

    model_config = ConfigDict(frozen=True)

    id: str
    note: str
    retires: str | None
    retires_source: str
    usd_per_million: Prices | None
    output_image_tokens: dict[str, int]
    image_size: str | None
    answer_mime_type: str  # seen in its answers; what arrives is recognised by its bytes
    input_image_tokens: int
    billing_rules: tuple[BillingRule, ...]
    billing_rules_source: str
    max_input_images: int
    max_inline_bytes: int
    native_sizes: dict[str, tuple[int, int]]


class TextPrices(BaseModel):
    """USD per million tokens of a text model."""

    input: float
    output_text: float


class ModelTable(BaseModel):
    """The whole file."""

    price_source: str
    models: dict[str, ImageModel]
    text_models: dict[str, TextPrices]

    def find(self, model_id: str) -> ImageModel:
        """The row of `model_id`; an unlisted model gets the fallback profile's sizes and limits, and no price."""
        if model_id in self.models:
            return self.models[model_id]
        profile = self.models[FALLBACK_PROFILE]
        return profile.model_copy(update={"id": model_id, "usd_per_million": None})


@cache
def model_table() -> ModelTable:
    """The table, read and checked once."""
    raw = json.loads(TABLE.read_text(encoding="utf-8"))
    rows = {name: {"id": name, **row} for name, row in raw["models"].items()}
    return ModelTable(price_source=raw["price_source"], models=rows, text_models=raw["text_models"])
