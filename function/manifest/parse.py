"""The pair manifest: its fields, its limits, and what its image references point at."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from function.errors import ManifestInvalid, ReferenceForbidden
from function.settings import BUCKET_NAME, MODEL_NAME, Settings

MAX_MANIFEST_BYTES = 32 * 2**20  # images can come inside a manifest as data: URIs
MAX_PLACEMENT_CHARS = 500
MAX_LABELS = 32
MAX_LABEL_BYTES = 1024
MAX_METADATA_BYTES = 7936  # of labels and the manifest's address; Cloud Storage takes 8 KiB, our other keys the rest
MAX_OUTPUT_SIDE_PX = 16384  # WebP ends at 16383, and larger PNGs are beyond what the memory is planned for
MAX_OBJECT_NAME_BYTES = 1024  # Cloud Storage's own limit
GS_URI = re.compile(r"gs://([^/]+)/(.+)", re.DOTALL)
# A colon alone makes no scheme: "shoe:red.png" is a name.
OTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:about|blob|file|ftp|https?|javascript|s3):", re.IGNORECASE)
DATA_URI = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)

Reference = Annotated[
    str,
    StringConstraints(min_length=1),
    Field(description="gs://bucket/object, a data:image/…;base64,… URI, or a name relative to the manifest"),
]


class StrictModel(BaseModel):
    """A model that refuses unknown fields and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ScenePrompt(StrictModel):
    """A scene that is generated from text before the product is placed into it."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class Output(StrictModel):
    """The result's format and size; what is absent follows the scene."""

    format: Literal["png", "jpeg", "webp"] | None = None
    quality: int | None = Field(None, ge=1, le=100, description="for jpeg and webp")
    width: int | None = Field(None, ge=1, le=MAX_OUTPUT_SIDE_PX)
    height: int | None = Field(None, ge=1, le=MAX_OUTPUT_SIDE_PX)


class Manifest(StrictModel):
    """One product to be placed into one scene."""

    product: Reference
    scene: Reference | ScenePrompt
    placement: Annotated[str, StringConstraints(max_length=MAX_PLACEMENT_CHARS)] | None = None
    output: Output = Output()
    model: Annotated[str, StringConstraints(pattern=MODEL_NAME)] | None = None
    max_px: int | None = Field(None, ge=256, le=4096)
    attempts: int | None = Field(None, ge=1, description="at most MAX_ATTEMPTS of the environment")
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    restore: Literal["full", "off"] = "full"
    labels: Annotated[dict[str, str], Field(max_length=MAX_LABELS)] = {}

    @field_validator("labels")
    @classmethod
    def _label_limits(cls, labels: dict[str, str]) -> dict[str, str]:
        for name, value in labels.items():
            if not name or len(name.encode()) > 128:
                raise ValueError(f"label name {name[:40]!r} must have 1 to 128 bytes")
            if len(value.encode()) > MAX_LABEL_BYTES:
                raise ValueError(f"label {name!r} is longer than {MAX_LABEL_BYTES} bytes")
        return labels


def parse_manifest(body: bytes, settings: Settings) -> Manifest:
    """Bytes of a manifest → Manifest. Raises ManifestInvalid, whose message names every bad field at once."""
    if len(body) > MAX_MANIFEST_BYTES:
        raise ManifestInvalid(f"the manifest has {len(body)} bytes; {MAX_MANIFEST_BYTES} are allowed")
    try:
        fields = json.loads(body.decode("utf-8-sig"), object_pairs_hook=no_duplicates)
    except UnicodeDecodeError as error:
        raise ManifestInvalid(f"the manifest is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ManifestInvalid(f"the manifest is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise ManifestInvalid("the manifest is nested too deeply") from None
    except ValueError as error:
        raise ManifestInvalid(f"the manifest is not usable JSON: {error}") from None
    return manifest_from(fields, settings)


def manifest_from(fields: Any, settings: Settings) -> Manifest:
    """Already parsed JSON → Manifest, checked against the environment's limits. Raises ManifestInvalid."""
    if not isinstance(fields, dict):
        kind = {list: "a list", str: "a string", type(None): "null"}.get(type(fields), "a single value")
        raise ManifestInvalid(f"the manifest must be a JSON object with product and scene, not {kind}")
    try:
        manifest = Manifest.model_validate(fields)
    except ValidationError as error:
        raise ManifestInvalid(explain(error)) from None
    if manifest.attempts is not None and manifest.attempts > settings.max_attempts:
        raise ManifestInvalid(f"attempts: {manifest.attempts} is more than the {settings.max_attempts} allowed here")
    return manifest


def explain(error: ValidationError) -> str:
    """One sentence that names every bad field and what would be right."""
    problems: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"] if part not in _UNION_TAGS]
        name = ".".join(path) or "manifest"
        if item["type"] == "extra_forbidden":
            model = NESTED_MODELS.get(path[0], Manifest) if len(path) > 1 else Manifest
            allowed = ", ".join(model.model_fields)
            said = f"unknown field (known: {allowed})"
        elif item["type"] == "missing":
            said = "is required"
        else:
            said = item["msg"].removeprefix("Value error, ")
            if isinstance(item["input"], str | int | float | bool | None):
                said += f", got {_short(item['input'])}"
        problems.setdefault(name, []).append(said)
    return "; ".join(f"{name}: {' or '.join(dict.fromkeys(said))}" for name, said in problems.items())


NESTED_MODELS = {"output": Output, "scene": ScenePrompt}
# Pydantic puts the tried branch of a union into the location; a person does not need to know it.
_UNION_TAGS = {"ScenePrompt", "constrained-str", "str", "function-after[_label_limits(), dict[str,str]]"}


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + '…"'


def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"the field {', '.join(twice)} stands there twice")
    return fields


class StoredImage(StrictModel):
    """An image reference that points into a bucket."""

    bucket: str
    name: str

    @property
    def uri(self) -> str:
        """The gs:// form."""
        return f"gs://{self.bucket}/{self.name}"


class InlineImage(StrictModel):
    """An image that came inside the manifest."""

    content: bytes = Field(repr=False)
    uri: str = "data:"


def resolve(
    reference: str, field: str, *, allowed_buckets: set[str], bucket: str | None = None, folder: str = ""
) -> StoredImage | InlineImage:
    """What an image reference points at.

    `bucket` and `folder` are the manifest's own (`folder` without a trailing slash); without a bucket relative
    names have no meaning. Raises ReferenceForbidden for a bucket outside `allowed_buckets` or a path that
    leaves its bucket, ManifestInvalid for a reference that cannot be understood.
    """
    if reference[:5].lower() == "data:":
        return InlineImage(content=_inline_content(reference, field))
    if reference[:5].lower() == "gs://":
        match = GS_URI.fullmatch(reference)
        if not match or not re.fullmatch(BUCKET_NAME, match[1]):
            raise ManifestInvalid(f"{field}: {_short(reference)} is not of the form gs://bucket/object")
        target = StoredImage(bucket=match[1], name=match[2])
        if target.bucket not in allowed_buckets:
            raise ReferenceForbidden(
                f"{field}: the bucket {target.bucket!r} may not be read; add it to ALLOWED_BUCKETS"
            )
        return _checked(target, field)
    if OTHER_SCHEME.match(reference):
        raise ReferenceForbidden(
            f"{field}: only gs:// and data: references are read, not {_short(reference.partition(':')[0] + ':')}"
        )
    if bucket is None:
        raise ManifestInvalid(f"{field}: {_short(reference)} is relative; use a gs:// or data: reference here")
    return _checked(StoredImage(bucket=bucket, name=_join(folder, reference, field)), field)


def _join(folder: str, reference: str, field: str) -> str:
    """A relative name joined to its folder; '.' and '..' are resolved, and may not leave the bucket."""
    parts = [] if reference.startswith("/") or not folder else folder.split("/")
    for part in reference.removeprefix("/").split("/"):
        if part == "..":
            if not parts:
                raise ReferenceForbidden(f"{field}: {_short(reference)} leads out of the bucket")
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _checked(target: StoredImage, field: str) -> StoredImage:
    try:
        length = len(target.name.encode())
    except UnicodeEncodeError:
        raise ManifestInvalid(f"{field}: the name has characters that are not valid Unicode") from None
    if not target.name or length > MAX_OBJECT_NAME_BYTES or "\n" in target.name or "\r" in target.name:
        raise ManifestInvalid(f"{field}: an object name has 1 to {MAX_OBJECT_NAME_BYTES} bytes and no line breaks")
    return target


def _inline_content(reference: str, field: str) -> bytes:
    match = DATA_URI.match(reference)
    if not match:
        raise ManifestInvalid(f"{field}: a data: reference has the form data:image/png;base64,…")
    payload = reference[match.end() :]
    if ";base64" not in match[2].lower():
        return unquote_to_bytes(payload)
    # Upstream services wrap lines, drop the padding, or use the URL-safe alphabet.
    packed = re.sub(r"\s+", "", payload).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ManifestInvalid(f"{field}: the base64 of the data: reference is damaged") from None
