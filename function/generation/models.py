"""The table of models: native sizes, limits, prices, locations and retirement dates (models.json)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

TABLE = Path(__file__).with_name("models.json")
# What an unlisted model is assumed to take and return until it is added to the table.
FALLBACK_PROFILE = "gemini-2.5-flash-image"
RETIREMENT_NOTICE_DAYS = 60  # long enough to try a successor on one's own pictures
# What the services add to a model's id to name one version of it: "-001", "-preview-05-20", "-latest".
VERSION_SUFFIX = re.compile(r"-(\d{3}|latest|(preview|exp)(-.*)?)")

BillingRule = Literal["flat", "tiles", "crop_unit"]
# How an exact place is shown to a model: in words and coordinates, or outlined in a copy of the scene, one image more.
SpotShown = Literal["words", "marked_scene"]


class Prices(BaseModel):
    """USD per million tokens, by kind. Thinking is billed as text out."""

    input: float
    output_text: float
    output_image: float


class ImageModel(BaseModel):
    """One row of the table. Sizes are (width, height) in pixels by nominal ratio."""

    model_config = ConfigDict(frozen=True)

    id: str
    note: str
    retires: date | None
    retires_source: str
    locations: tuple[str, ...] | None  # of Vertex AI that serve it; None: not known to be limited
    locations_source: str
    usd_per_million: Prices
    output_image_tokens: dict[str, int]  # by image_size, from 1K up
    takes_image_size: bool
    thinking_levels: tuple[str, ...]  # that may be asked for, the cheapest first
    thinking_allowance_tokens: int  # what a call may think, for what it may cost before it is made
    asks_for_png: bool  # its answers are JPEG unless PNG is asked for, which Vertex AI allows
    answer_mime_type: str  # seen in its answers; what arrives is recognised by its bytes
    input_image_tokens: int
    billing_rules: tuple[BillingRule, ...]
    billing_rules_source: str
    max_input_images: int  # the scene is one of them
    max_input_images_source: str
    spot_shown: SpotShown
    spot_shown_source: str
    max_inline_bytes: int
    native_sizes: dict[str, tuple[int, int]]

    def is_served_in(self, location: str | None) -> bool:
        """Whether a location of Vertex AI serves it; None is the Gemini API, which has none."""
        return location is None or self.locations is None or location in self.locations


class TextModel(BaseModel):
    """USD per million tokens of a text model; once it has retired, `answered_by` answers and is billed."""

    input: float
    output_text: float
    retires: date | None
    answered_by: str | None


class Batch(BaseModel):
    """What a call costs in a batch, as a share of the standard price."""

    share_of_price: float
    source: str


class ModelTable(BaseModel):
    """The whole file."""

    price_source: str
    batch: Batch
    models: dict[str, ImageModel]
    text_models: dict[str, TextModel]

    def find(self, model_id: str) -> ImageModel:
        """The row of `model_id`; an unlisted model gets the fallback profile's sizes and limits, and the highest
        prices there are."""
        if model_id in self.models:
            return self.models[model_id]
        profile = self.models[FALLBACK_PROFILE]
        return profile.model_copy(update={"id": model_id, "usd_per_million": self.most_expensive().usd_per_million})

    def priced_as(self, answered_id: str) -> ImageModel:
        """The row whose prices apply to what `answered_id` answered; the most expensive one's for an unlisted model.

        `answered_id` is what a response calls itself (`modelVersion`): an id, perhaps with a version behind it.
        """
        found = _listed(answered_id, self.models)
        return self.models[found] if found else self.most_expensive()

    def text_priced_as(self, answered_id: str) -> TextModel:
        """As `priced_as`, of the text models."""
        found = _listed(answered_id, self.text_models)
        if found:
            return self.text_models[found]
        return max(self.text_models.values(), key=lambda model: model.output_text)

    def most_expensive(self) -> ImageModel:
        """The model whose pictures cost most."""
        return max(
            self.models.values(), key=lambda model: model.output_image_tokens["1K"] * model.usd_per_million.output_image
        )

    def retirement_warnings(self, model_ids: Iterable[str], today: date) -> list[str]:
        """A sentence for each of the models that has retired, or will within RETIREMENT_NOTICE_DAYS."""
        said = []
        for model_id in dict.fromkeys(model_ids):
            row = self.models.get(model_id) or self.text_models.get(model_id)
            if row is None or row.retires is None or (row.retires - today).days >= RETIREMENT_NOTICE_DAYS:
                continue
            when = "was" if row.retires <= today else "will be"
            instead = getattr(row, "answered_by", None)
            then = f"; {instead} answers in its place, and is billed" if instead else ""
            said.append(f"{model_id} {when} shut down on {row.retires}{then}: choose another model")
        return said


@cache
def model_table() -> ModelTable:
    """The table, read and checked once."""
    raw = json.loads(TABLE.read_text(encoding="utf-8"))
    rows = {name: {"id": name, **row} for name, row in raw["models"].items()}
    return ModelTable.model_validate(raw | {"models": rows})


def _listed(answered_id: str, table: Iterable[str]) -> str | None:
    """The listed id that `answered_id` is or is a version of."""
    name = answered_id.rpartition("/")[2]
    for listed in table:
        if name == listed or (name.startswith(listed) and VERSION_SUFFIX.fullmatch(name[len(listed) :])):
            return listed
    return None
