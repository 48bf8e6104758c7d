"""What a manifest's image references point at: gs:// addresses, data: URIs, names relative to the manifest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote

from pydantic import Field

from function.errors import ForbiddenReferenceError, InvalidManifestError
from function.imaging.data_uri import decode_data_uri, is_data_uri
from function.manifest.model import Manifest
from function.manifest.placement import is_mask_field
from function.manifest.quoting import quoted
from function.manifest.strict_model import StrictModel
from function.manifest.text import trimmed
from function.settings import Settings
from function.storage.names import BUCKET_NAME, MAX_OBJECT_NAME_BYTES, gs_uri, split_gs_uri
from function.storage.read_rules import GS_SCHEME, may_read

MAX_REFERENCE_CHARS = 8192  # a name of 1,024 bytes, percent-encoded on the web, and folders to leave
# A colon alone makes no scheme: "shoe:red.png" is a name.
OTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:about|blob|file|ftp|https?|javascript|s3):", re.IGNORECASE)
# https://cloud.google.com/storage/docs/request-endpoints, and the console's own addresses.
WEB_ADDRESS = re.compile(
    r"https?://(?:(?P<subdomain>[a-z0-9][a-z0-9._-]+)\.storage\.googleapis\.com/"
    r"|(?:(?:storage|commondatastorage)\.googleapis\.com|storage\.cloud\.google\.com"
    r"|console\.cloud\.google\.com/storage/browser/_details)/(?P<bucket>[a-z0-9][a-z0-9._-]+)/)(?P<name>.*)",
    re.IGNORECASE | re.DOTALL,
)


class StoredImage(StrictModel):
    """An image reference that points into a bucket."""

    bucket: str
    name: str

    @property
    def uri(self) -> str:
        """`gs://bucket/name`."""
        return gs_uri(self.bucket, self.name)


class InlineImage(StrictModel):
    """An image that came inside the manifest."""

    content: bytes = Field(repr=False)
    uri: str = "data:"


def has_gs_scheme(reference: str) -> bool:
    """Whether a reference begins as an address in Cloud Storage does, in capitals too (which are then refused)."""
    return reference[: len(GS_SCHEME)].lower() == GS_SCHEME


def bucket_of(reference: str) -> str | None:
    """The bucket of a well-formed gs:// reference; None for every other one."""
    try:
        bucket, name = split_gs_uri(reference)
    except ValueError:
        return None
    return bucket if name and re.fullmatch(BUCKET_NAME, bucket) else None


def gs_form(reference: str) -> str | None:
    """The gs:// form of an address under which Cloud Storage shows an object on the web; None for every other one."""
    address = WEB_ADDRESS.match(reference)
    if not address:
        return None
    bucket, name = address["bucket"] or address["subdomain"], unquote(re.split(r"[?#;]", address["name"])[0])
    return gs_uri(bucket, name) if name else None


def references_one_folder_deeper(fields: dict[str, Any]) -> None:
    """Have a manifest's `fields`, a catalogue's row, say its relative references as `one_folder_deeper` does."""
    if isinstance(fields["scene"], str):
        fields["scene"] = one_folder_deeper(fields["scene"])
    for one in (fields, *(fields.get("products") or ())):
        placement = one.get("placement")
        if isinstance(placement, dict) and placement.get("mask") is not None:
            placement["mask"] = one_folder_deeper(placement["mask"])
        views = one.get("product")
        if views is not None:
            one["product"] = one_folder_deeper(views) if isinstance(views, str) else [*map(one_folder_deeper, views)]


def stated_references(fields: Any) -> Iterator[str]:
    """What looks like a reference in a manifest's unchecked `fields`."""
    if isinstance(fields, dict):
        for value in fields.values():
            yield from stated_references(value)
    elif isinstance(fields, list):
        for value in fields:
            yield from stated_references(value)
    elif isinstance(fields, str):
        yield fields


def one_folder_deeper(reference: str) -> str:
    """A relative reference of a catalogue, as its rows' manifests must say it from the folder that they are in."""
    if reference.startswith("/") or has_gs_scheme(reference) or is_data_uri(reference):
        return reference
    return f"../{reference}"


def manifest_targets(
    manifest: Manifest, settings: Settings, bucket: str | None, name: str, skip: Collection[str] = ()
) -> dict[str, StoredImage | InlineImage]:
    """What the references of the manifest `name` in `bucket` point at, by field (those in `skip` are there already).

    Without a bucket (HTTP) relative names have no meaning. Raises InvalidManifestError, ForbiddenReferenceError.
    """
    allowed = {*settings.allowed_buckets, *([bucket] if bucket else [])}
    folder = name.rpartition("/")[0]
    targets = {
        field: resolve(reference, field, allowed_buckets=allowed, bucket=bucket, folder=folder)
        for field, reference in manifest.references.items()
        if field not in skip
    }
    _check_distinct(targets)
    own = (bucket, name) if bucket else None
    for field, target in targets.items():
        if isinstance(target, StoredImage) and not may_read(settings.allowed_prefixes, own, target.bucket, target.name):
            whose = f"manifests in {quoted(folder + '/')}" if own else "requests"
            raise ForbiddenReferenceError(f"{field}: {whose} may not read {quoted(target.uri)} (ALLOWED_PREFIXES)")
    return targets


def _check_distinct(targets: dict[str, StoredImage | InlineImage]) -> None:
    """Raises InvalidManifestError where two references mean the same photograph of a product, spelled in two ways."""
    photographs = [
        (field, target) for field, target in targets.items() if field != "scene" and not is_mask_field(field)
    ]
    for number, (field, target) in enumerate(photographs):
        same = next((other for other, earlier in photographs[:number] if earlier == target), None)
        if same is not None:
            raise InvalidManifestError(f"{field}: it is the same photograph as {same}; name each once")


def resolve(
    reference: str, field: str, *, allowed_buckets: set[str], bucket: str | None = None, folder: str = ""
) -> StoredImage | InlineImage:
    """What an image reference points at.

    `bucket` and `folder` are the manifest's own (`folder` without a trailing slash); without a bucket relative
    names have no meaning. Raises ForbiddenReferenceError for a bucket outside `allowed_buckets` or a path that
    leaves its bucket, InvalidManifestError for a reference that cannot be understood.
    """
    if is_data_uri(reference):
        try:
            return InlineImage(content=decode_data_uri(reference))
        except ValueError as error:
            raise InvalidManifestError(f"{field}: {error}") from None
    if len(reference) > MAX_REFERENCE_CHARS:
        raise InvalidManifestError(
            f"{field}: {quoted(reference)} has {len(reference):,} characters; no image name is that long"
        )
    _check_spelling(reference, field)
    if has_gs_scheme(reference):
        stated_bucket = bucket_of(reference)
        if stated_bucket is None:
            raise InvalidManifestError(f"{field}: {quoted(reference)} is not of the form gs://bucket/object")
        target = StoredImage(bucket=stated_bucket, name=split_gs_uri(reference)[1])
        if target.bucket not in allowed_buckets:
            raise ForbiddenReferenceError(
                f"{field}: the bucket {target.bucket!r} may not be read; add it to ALLOWED_BUCKETS"
            )
        return _checked(target, field)
    if stored := gs_form(reference):
        raise ForbiddenReferenceError(f"{field}: web addresses are not read; write {quoted(stored)}")
    if OTHER_SCHEME.match(reference):
        raise ForbiddenReferenceError(
            f"{field}: only gs:// and data: references are read, not {quoted(reference.partition(':')[0] + ':')}"
        )
    if bucket is None:
        raise InvalidManifestError(f"{field}: {quoted(reference)} is relative; use a gs:// or data: reference here")
    return _checked(StoredImage(bucket=bucket, name=_join(folder, reference, field)), field)


def _check_spelling(reference: str, field: str) -> None:
    """Raises InvalidManifestError for a name that no image has on purpose: waiting for it would be pointless."""
    clean = trimmed(reference)
    if clean != reference:
        raise InvalidManifestError(
            f"{field}: {quoted(reference)} begins or ends with a space or an invisible character; write {quoted(clean)}"
        )
    if "\\" in reference:
        raise InvalidManifestError(
            f"{field}: {quoted(reference)} has a backslash; folders are separated by /: "
            f"write {quoted(reference.replace(chr(92), '/'))}"
        )


def _join(folder: str, reference: str, field: str) -> str:
    """A relative name joined to its folder; '.' and '..' are resolved, and may not leave the bucket."""
    parts = [] if reference.startswith("/") or not folder else folder.split("/")
    for part in reference.removeprefix("/").split("/"):
        if part == "..":
            if not parts:
                raise ForbiddenReferenceError(f"{field}: {quoted(reference)} leads out of the bucket")
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _checked(target: StoredImage, field: str) -> StoredImage:
    try:
        length = len(target.name.encode())
    except UnicodeEncodeError:
        raise InvalidManifestError(f"{field}: the name has characters that are not valid Unicode") from None
    if not target.name or length > MAX_OBJECT_NAME_BYTES or "\n" in target.name or "\r" in target.name:
        raise InvalidManifestError(f"{field}: an object name has 1 to {MAX_OBJECT_NAME_BYTES} bytes and no line breaks")
    return target
