"""A style profile, `_styles/NAME.json` of the input bucket: a house's words for its look, and defaults of its pairs.

It makes nothing of what decides milder: no check can be left out in it, no limit and no rule of the prompt be named.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, field_validator

from function.errors import ForbiddenReferenceError, InvalidManifestError
from function.generation.style_words import StyleWords
from function.manifest.json_text import parse_json
from function.manifest.model import STYLE_NAME, Manifest
from function.manifest.output_target import Output, OutputTarget, OutputTargets
from function.manifest.parse import explain
from function.manifest.quoting import quoted
from function.manifest.references import StoredImage, has_gs_scheme, resolve
from function.manifest.strict_model import StrictModel
from function.manifest.text import text_of
from function.settings import Identity, Settings
from function.storage.names import STYLE_SUFFIX, STYLES_FOLDER, is_style
from function.storage.read_rules import home_of, may_read

MAX_STYLE_BYTES = 16 * 1024  # all fields filled to their limits have 5 KiB
MAX_TEXT_CHARS, MAX_WISH_CHARS, MAX_WISHES, MAX_COLOURS, MAX_COLOUR_NAME_CHARS = 300, 200, 8, 8, 60
MAX_CHECKS = 40
COLOUR = r"^#[0-9a-fA-F]{6}$"

Words = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARS, strip_whitespace=True)]
Wish = Annotated[str, StringConstraints(min_length=1, max_length=MAX_WISH_CHARS, strip_whitespace=True)]
CheckName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
ColourName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_COLOUR_NAME_CHARS)]


class Style(StrictModel):
    """A house's style. Its words are wishes: the rules that every prompt has stand below them, and win."""

    light: Words | None = Field(None, description="how the light falls, as far as the scene leaves it open")
    mood: Words | None = None
    camera: Words | None = Field(None, description="of scenes that are generated; a photograph has its camera already")
    do: list[Wish] = Field([], max_length=MAX_WISHES)
    avoid: list[Wish] = Field([], max_length=MAX_WISHES)
    colours: dict[ColourName, Annotated[str, StringConstraints(pattern=COLOUR)]] = Field(
        {}, max_length=MAX_COLOURS, description="of the brand, name and #rrggbb: the product keeps them exactly"
    )
    output: Output | None = Field(None, description="where the manifest names neither output nor outputs")
    outputs: OutputTargets | None = Field(None, description="likewise, instead of output")
    identity: Identity | None = Field(None, description="where the manifest names none")
    checks: list[CheckName] = Field(
        [], max_length=MAX_CHECKS, description="that must have been measured, or a person looks at the picture"
    )

    @field_validator("outputs")
    @classmethod
    def _instead_of_output(cls, outputs: list[OutputTarget] | None, info: Any) -> list[OutputTarget] | None:
        if outputs is not None and info.data.get("output") is not None:
            raise ValueError("output and outputs exclude each other")
        return outputs

    @property
    def words(self) -> StyleWords:
        """What the model is told."""
        return StyleWords(
            self.light, self.mood, self.camera, tuple(self.do), tuple(self.avoid), tuple(self.colours.items())
        )

    def fill(self, manifest: Manifest) -> Manifest:
        """The manifest with the profile's defaults where it says nothing itself."""
        filled: dict[str, Any] = {}
        if not manifest.model_fields_set & {"output", "outputs"}:
            filled = {"output": self.output or Output(), "outputs": self.outputs}
        if manifest.identity is None:
            filled["identity"] = self.identity
        return manifest.model_copy(update=filled)


def parse_style(content: bytes, where: str) -> Style:
    """Bytes of a profile → Style. Raises InvalidManifestError, which says `where` and names every bad field."""
    if len(content) > MAX_STYLE_BYTES:
        raise InvalidManifestError(f"style: {where} has {len(content):,} bytes; {MAX_STYLE_BYTES:,} are allowed")
    try:
        fields = parse_json(text_of(content))
    except UnicodeDecodeError as error:
        raise InvalidManifestError(f"style: {where} is not {error.encoding.upper()} text; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        said = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise InvalidManifestError(f"style: {where} is not JSON: {said}") from None
    except ValueError as error:
        raise InvalidManifestError(f"style: {where} is not usable JSON: {error}") from None
    if not isinstance(fields, dict):
        raise InvalidManifestError(f"style: {where} must be a JSON object")
    try:
        return Style.model_validate(fields)
    except ValidationError as error:
        raise InvalidManifestError(f"style: {where}: {explain(error, Style)}") from None


def style_object(manifest: Manifest, settings: Settings, bucket: str | None, name: str) -> StoredImage | None:
    """The object that holds the profile which the manifest `name` in `bucket` asks for; None where it asks for none.

    A name means `_styles/NAME.json` at the bucket's root, or in the folder that ALLOWED_PREFIXES holds the manifest to.
    A gs:// address is read where an image could be. Raises InvalidManifestError, ForbiddenReferenceError.
    """
    if manifest.style is None:
        return None
    if not has_gs_scheme(manifest.style):
        if bucket is None:
            raise InvalidManifestError(
                f"style: a request has no bucket of its own; name the profile by its address, "
                f"gs://bucket/{STYLES_FOLDER}/{manifest.style}{STYLE_SUFFIX}"
            )
        home = home_of(settings.allowed_prefixes, name)
        return StoredImage(bucket=bucket, name=f"{home}{STYLES_FOLDER}/{manifest.style}{STYLE_SUFFIX}")
    allowed = {*settings.allowed_buckets, *([bucket] if bucket else [])}
    found = resolve(manifest.style, "style", allowed_buckets=allowed)
    if (
        not isinstance(found, StoredImage)
        or not is_style(found.name)
        or not re.fullmatch(STYLE_NAME, style_name(found))
    ):
        raise InvalidManifestError(
            f"style: {quoted(manifest.style)} is not the address of a profile, gs://bucket/{STYLES_FOLDER}/NAME{STYLE_SUFFIX}"
        )
    if not may_read(settings.allowed_prefixes, (bucket, name) if bucket else None, found.bucket, found.name):
        raise ForbiddenReferenceError(f"style: {quoted(found.uri)} may not be read from here (ALLOWED_PREFIXES)")
    return found


def style_name(place: StoredImage) -> str:
    """What a profile is called: the last part of its object's name, without the suffix."""
    return place.name.rpartition("/")[2][: -len(STYLE_SUFFIX)]
