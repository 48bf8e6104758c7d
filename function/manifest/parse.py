"""Bytes of a pair manifest → Manifest, checked; every bad field is named in one error."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from function.errors import InvalidManifestError
from function.generation.models import ImageModel, model_table
from function.imaging.mishaps import lfs_pointer
from function.manifest.json_text import parse_json
from function.manifest.model import Manifest, ScenePrompt
from function.manifest.output_target import Output, OutputTarget
from function.manifest.placement import Placement, ReferenceObject
from function.manifest.product_views import AskedProduct
from function.manifest.quoting import MAX_LISTED, cut, quoted
from function.manifest.strict_model import StrictModel
from function.manifest.text import text_of
from function.settings import Settings

OBJECT = re.compile(r"a valid dictionary or instance of \w+")  # class names mean nothing to the author of a manifest
MAX_MANIFEST_BYTES = 32 * 2**20  # images can come inside a manifest as data: URIs


def parse_manifest(body: bytes, settings: Settings) -> Manifest:
    """Bytes of a manifest → Manifest. Raises InvalidManifestError, whose message names every bad field at once."""
    if len(body) > MAX_MANIFEST_BYTES:
        raise InvalidManifestError(f"the manifest has {len(body)} bytes; {MAX_MANIFEST_BYTES} are allowed")
    if pointer := lfs_pointer(body):
        raise InvalidManifestError(pointer)
    try:
        fields = parse_json(text_of(body))
    except UnicodeDecodeError as error:
        said = f"the manifest is not {error.encoding.upper()} text: {error.reason} at byte {error.start}"
        raise InvalidManifestError(f"{said}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidManifestError(f"the manifest is not JSON: {error.msg} at {where}") from None
    except ValueError as error:
        raise InvalidManifestError(f"the manifest is not usable JSON: {error}") from None
    return manifest_from(fields, settings)


def manifest_from(fields: Any, settings: Settings) -> Manifest:
    """Already parsed JSON → Manifest, checked against the environment's limits. Raises InvalidManifestError."""
    if not isinstance(fields, dict):
        kind = {list: "a list", str: "a string", type(None): "null"}.get(type(fields), "a single value")
        advice = "; several pairs go into a catalogue, one object a line, whose name ends in .jsonl"
        raise InvalidManifestError(
            f"the manifest must be a JSON object with product and scene, not {kind}"
            + (advice if isinstance(fields, list) else "")
        )
    try:
        manifest = Manifest.model_validate(fields)
    except ValidationError as error:
        raise InvalidManifestError(explain(error)) from None
    if manifest.model is not None and manifest.model not in settings.manifest_models:
        allowed = ", ".join(settings.manifest_models)
        raise InvalidManifestError(
            f"model: {manifest.model} is not allowed here (allowed: {allowed}; see ALLOWED_MODELS)"
        )
    check_products(manifest, model_table().find(manifest.model or settings.gemini_model))
    if manifest.attempts is not None and manifest.attempts > settings.max_attempts:
        raise InvalidManifestError(
            f"attempts: {manifest.attempts} is more than the {settings.max_attempts} allowed here"
        )
    return manifest


def check_products(manifest: Manifest, model: ImageModel) -> None:
    """Raises InvalidManifestError where the model takes fewer images than the scene and one of each product."""
    if manifest.products is not None and 1 + len(manifest.products) > model.max_input_images:
        raise InvalidManifestError(
            f"products: {model.id} takes {model.max_input_images} images, and not the scene and "
            f"{len(manifest.products)} products; ask for fewer, or name a model that takes more"
        )


def explain(error: ValidationError, document: type[StrictModel] = Manifest) -> str:
    """One sentence that names every bad field, up to MAX_LISTED of them, and what would be right."""
    problems: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        path = [cut(str(part)) for part in item["loc"]]
        own = path[2:] if path[:1] == ["products"] else path
        if own[:1] in (["scene"], ["placement"]) and len(own) == 2 and _is_of_the_other_kind(item):
            continue
        if own[:1] in (["product"], ["scene"], ["placement"]):
            at = len(path) - len(own) + 1
            del path[at : at + 1]  # the branch of the union that was tried; a person does not need to know it
        name = ".".join(path) or "manifest"
        if item["type"] == "extra_forbidden":
            around = ".".join(part for part in path[:-1] if not part.isdecimal())
            model = NESTED_MODELS.get(around) or NESTED_MODELS.get(path[0]) if len(path) > 1 else None
            allowed = ", ".join((model or document).model_fields)
            said = f"unknown field (known: {allowed})"
        elif item["type"] == "missing":
            said = "is required"
        else:
            said = OBJECT.sub("an object", item["msg"].removeprefix("Value error, "))
            if isinstance(item["input"], str | int | float | bool | None):
                said += f", got {quoted(item['input'])}"
        problems.setdefault(name, []).append(said)
    sentences = [f"{name}: {' or '.join(dict.fromkeys(said))}" for name, said in islice(problems.items(), MAX_LISTED)]
    if len(problems) > MAX_LISTED:
        sentences.append(f"and {len(problems) - MAX_LISTED} more fields are invalid")
    return "; ".join(sentences)


def _is_of_the_other_kind(item: ErrorDetails) -> bool:
    """Whether a union's branch for words complains of an object, or that for an object of words: the other one says
    what is wrong."""
    other = {"string_type": dict, "model_type": str}.get(item["type"])
    return other is not None and isinstance(item["input"], other)


NESTED_MODELS: dict[str, type[StrictModel]] = {
    "output": Output,
    "outputs": OutputTarget,
    "placement": Placement,
    "placement.reference": ReferenceObject,
    "products": AskedProduct,
    "products.placement": Placement,
    "products.placement.reference": ReferenceObject,
    "scene": ScenePrompt,
}
