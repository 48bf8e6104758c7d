"""What a result's credentials say of how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from function import PIPELINE_VERSION
from function.imaging.xmp import DIGITAL_SOURCE_TYPE
from function.provenance.ingredient import Ingredient
from function.sidecar.record import Method

GENERATOR = "Product composites"
PLACED: dict[Method, str] = {
    "model": "An image model placed the product into the scene.",
    "sketch": "The product was laid into the scene, and an image model gave it light and shadow.",
    "classical": "The product was laid into the scene without an image model.",
}
RESTORED = (
    "Outside of what changed the scene's own pixels were put back, and the product was given the detail of its "
    "photograph where its place could be verified."
)
ENLARGED = "The model's picture was enlarged to the scene's size."


@dataclass(frozen=True)
class Making:
    """How the pictures of one pair were made.

    model, version  as the service calls itself; None where none was asked
    generation      of the manifest's upload; None over HTTP
    status          the judge's verdict: accepted or review
    restored        share of the picture that is the scene's or the product's own pixels; None: nothing was restored
    """

    ingredients: Sequence[Ingredient]
    method: Method
    model: str | None
    version: str | None
    prompt_version: str | None
    generation: int | None
    status: str
    restored: float | None


def definition(making: Making, mime_type: str, *, cropped: bool, resized: bool) -> dict[str, Any]:
    """A manifest's definition, as C2PA's library takes it; of one picture."""
    placed = [one.label for role in ("product", "answer") for one in making.ingredients if one.role == role]
    agent = {"name": making.model, "version": making.version} if making.model else {"name": GENERATOR}
    actions: list[dict[str, Any]] = [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["scene"]}}]
    actions.append(
        {
            "action": "c2pa.placed",
            "digitalSourceType": DIGITAL_SOURCE_TYPE,
            "softwareAgent": {name: value for name, value in agent.items() if value},
            "description": PLACED[making.method],
            "parameters": {"ingredientIds": placed},
        }
    )
    edited = {
        "promptVersion": making.prompt_version,
        "manifestGeneration": None if making.generation is None else str(making.generation),
        "judged": making.status,
        "restoredShare": None if making.restored is None else f"{making.restored:.4f}",
    }
    ours = {"name": GENERATOR, "version": PIPELINE_VERSION}
    actions.append(
        {
            "action": "c2pa.edited",
            "digitalSourceType": DIGITAL_SOURCE_TYPE,
            "softwareAgent": ours,
            "description": ENLARGED if making.restored is None else RESTORED,
            "parameters": {name: value for name, value in edited.items() if value is not None},
        }
    )
    places = [place for one in making.ingredients for place in one.places]
    redacted = {"action": "c2pa.redacted", "reason": "c2pa.PII.present", "softwareAgent": ours}
    actions += [{**redacted, "parameters": {"redacted": place}} for place in places]
    actions += [{"action": "c2pa.cropped", "softwareAgent": ours}] if cropped else []
    actions += [{"action": "c2pa.resized", "softwareAgent": ours}] if resized else []
    return {
        "claim_generator_info": [ours],
        "title": "product composite",
        "format": mime_type,
        "redactions": places,
        "ingredients": [one.definition() for one in making.ingredients if one.archive is None],
        "assertions": [{"label": "c2pa.actions.v2", "created": True, "data": {"actions": actions}}],
    }
