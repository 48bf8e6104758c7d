"""Fetches the images of a pair, side by side."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property

from function.deadline import Deadline
from function.errors import (
    CompositeError,
    ForbiddenReferenceError,
    PermanentError,
    SourceNotYetThereError,
    SourceTooLargeError,
    UnreadableSourceError,
)
from function.manifest.placement import is_mask_field
from function.manifest.references import InlineImage, StoredImage
from function.settings import Settings
from function.storage.client import AccessDeniedError, ObjectNotFoundError, ObjectTooLargeError, Storage, StoredObject
from function.storage.content_encoding import DamagedContentError
from function.storage.names import gs_uri, other_normal_forms


@dataclass(frozen=True)
class Source:
    """The bytes of an image and where they came from."""

    uri: str
    generation: int | None
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal digest of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def fetch_sources(
    targets: dict[str, StoredImage | InlineImage], storage: Storage, settings: Settings, deadline: Deadline
) -> dict[str, Source]:
    """Fetch every target at once, by field name.

    Raises what went wrong for good before what may pass; several permanent errors become one that names them all.
    """
    photographs = _PhotographBytes(settings.max_source_bytes)
    with ThreadPoolExecutor(max_workers=len(targets)) as pool:
        futures = {
            field: pool.submit(copy_context().run, _fetch, field, target, storage, settings, deadline, photographs)
            for field, target in targets.items()
        }
    errors = [error for future in futures.values() if (error := future.exception())]
    if errors:
        raise most_severe(errors)
    return {field: future.result() for field, future in futures.items()}


def most_severe(errors: list[BaseException]) -> BaseException:
    """Unexpected errors first, then permanent ones, then what may pass; several of a kind become one that names all."""
    unexpected = [error for error in errors if not isinstance(error, CompositeError)]
    permanent = [error for error in errors if isinstance(error, PermanentError)]
    missing = [error for error in errors if isinstance(error, SourceNotYetThereError)]
    alike: list[PermanentError] | list[SourceNotYetThereError] = permanent or missing
    if unexpected or len(alike) < 2 or (alike is missing and len(missing) < len(errors)):
        return (unexpected + permanent + errors)[0]
    first = alike[0]
    return type(first)("; ".join(dict.fromkeys(error.message for error in alike)), stage=first.stage)


class _PhotographBytes:
    """How many bytes all photographs of products have: however many there are, they take no more memory than one may.
    Safe between threads."""

    def __init__(self, limit: int):
        self._limit, self._bytes, self._lock = limit, 0, threading.Lock()

    def add(self, field: str, size: int) -> None:
        """Raises SourceTooLargeError."""
        if field == "scene" or is_mask_field(field):
            return
        with self._lock:
            self._bytes += size
            many = self._bytes
        if many > self._limit:
            raise SourceTooLargeError(
                f"{field}: the photographs of the product have more than {self._limit:,} bytes together "
                "(MAX_SOURCE_BYTES); send smaller ones, or fewer",
                field=field,
            )


def _fetch(
    field: str,
    target: StoredImage | InlineImage,
    storage: Storage,
    settings: Settings,
    deadline: Deadline,
    photographs: _PhotographBytes,
) -> Source:
    limit = settings.max_source_bytes
    if isinstance(target, InlineImage):
        check_size(field, target.uri, len(target.content), limit)
        photographs.add(field, len(target.content))
        return Source(target.uri, None, target.content)
    try:
        stored = find_image(target, storage, deadline)
        if stored is None:
            raise SourceNotYetThereError(f"{field}: there is no object {target.uri}")
        check_size(field, target.uri, stored.size, limit)
        photographs.add(field, stored.size)
        content = storage.read(stored.bucket, stored.name, deadline, generation=stored.generation, limit=limit)
        photographs.add(field, max(0, len(content) - stored.size))  # what was stored as gzip has more than it said
    except ObjectNotFoundError:
        raise SourceNotYetThereError(f"{field}: {target.uri} was replaced while it was read") from None
    except ObjectTooLargeError as error:
        raise _too_large(field, target.uri, error.size, limit) from None
    except DamagedContentError as error:
        raise UnreadableSourceError(
            f"{field}: {target.uri} is stored with Content-Encoding: gzip and cannot be unpacked: {error}", field=field
        ) from None
    except AccessDeniedError as error:
        raise ForbiddenReferenceError(
            f"{field}: this function's identity may not read {target.uri} ({error})"
        ) from None
    return Source(gs_uri(stored.bucket, stored.name), stored.generation, content)


def find_image(target: StoredImage, storage: Storage, deadline: Deadline) -> StoredObject | None:
    """The object that an image reference means, also where its name is spelled in the other normal form of Unicode."""
    names = [target.name, *other_normal_forms(target.name)]
    found = (storage.stat(target.bucket, name, deadline) for name in names)
    return next((stored for stored in found if stored is not None), None)


def check_size(field: str, uri: str, size: int, limit: int) -> None:
    """Raises SourceTooLargeError when `size` bytes are more than `limit`."""
    if size > limit:
        raise _too_large(field, uri, size, limit)


def _too_large(field: str, uri: str, size: int | None, limit: int) -> SourceTooLargeError:
    many = f"has {size:,} bytes" if size is not None else "unpacks to more"
    return SourceTooLargeError(f"{field}: {uri} {many}; {limit:,} are allowed (MAX_SOURCE_BYTES)", field=field)
