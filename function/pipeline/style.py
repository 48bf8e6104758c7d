"""The style profile that a manifest names: fetched, and applied to it."""

from __future__ import annotations

import hashlib

from function.deadline import Deadline
from function.errors import ForbiddenReferenceError, InvalidManifestError, SourceNotYetThereError
from function.generation.prompt import WORDING, Wording
from function.judging.registry import BY_NAME
from function.manifest.model import Manifest
from function.manifest.quoting import quoted
from function.manifest.references import StoredImage
from function.manifest.style import MAX_STYLE_BYTES, Style, parse_style, style_name, style_object
from function.pipeline.record import RunRecord
from function.settings import Settings
from function.sidecar.request import StyleRecord
from function.storage.client import AccessDeniedError, ObjectNotFoundError, ObjectTooLargeError, Storage
from function.storage.content_encoding import DamagedContentError


def apply_style(
    manifest: Manifest,
    own: tuple[str, str] | None,
    storage: Storage,
    settings: Settings,
    deadline: Deadline,
    record: RunRecord,
) -> tuple[Manifest, Wording]:
    """The manifest with its profile's defaults, and the words that it is asked with; the record says which profile.

    `own` is the manifest's bucket and name; None for a request. Raises what `style_object` and `fetch_style` raise.
    """
    place = style_object(manifest, settings, *(own or (None, "")))
    if place is None:
        return manifest, WORDING
    style, record.style = fetch_style(place, storage, deadline)
    return style.fill(manifest), Wording(style=style.words)


def fetch_style(place: StoredImage, storage: Storage, deadline: Deadline) -> tuple[Style, StyleRecord]:
    """The profile, and which one it was. Raises SourceNotYetThereError, InvalidManifestError,
    ForbiddenReferenceError."""
    try:
        stored = storage.stat(place.bucket, place.name, deadline)
        if stored is None:
            raise SourceNotYetThereError(f"style: there is no object {place.uri}")
        content = storage.read(place.bucket, place.name, deadline, generation=stored.generation, limit=MAX_STYLE_BYTES)
    except ObjectNotFoundError:
        raise SourceNotYetThereError(f"style: {place.uri} was replaced while it was read") from None
    except ObjectTooLargeError:
        raise InvalidManifestError(f"style: {place.uri} has more than the {MAX_STYLE_BYTES:,} bytes allowed") from None
    except DamagedContentError as error:
        raise InvalidManifestError(f"style: {place.uri} is stored as gzip and cannot be unpacked: {error}") from None
    except AccessDeniedError as error:
        raise ForbiddenReferenceError(f"style: this function's identity may not read {place.uri} ({error})") from None
    record = StyleRecord(
        name=style_name(place),
        uri=place.uri,
        generation=stored.generation,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    style = read_style(content, place.uri)
    return style, record.model_copy(update={"checks": style.checks})


def read_style(content: bytes, where: str) -> Style:
    """Bytes of a profile → Style. Raises InvalidManifestError, which says `where` and what is wrong."""
    style = parse_style(content, where)
    if unknown := sorted(set(style.checks) - set(BY_NAME)):
        raise InvalidManifestError(
            f"style: {where}: checks: there is no check {quoted(unknown[0])} (known: {', '.join(BY_NAME)})"
        )
    return style
