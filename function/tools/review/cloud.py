"""Where a review's pairs are read from: Cloud Storage, or the emulator that stands for it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from function.deadline import Deadline
from function.storage.client import AccessDeniedError, ObjectNotFoundError, ObjectTooLargeError, Storage, StoredObject
from function.storage.content_encoding import DamagedContentError
from function.storage.names import OWN_PREFIXES, split_gs_uri
from function.tools.timeouts import DOWNLOAD_S, LISTING_S

GOOGLE_ENDPOINT = "https://storage.googleapis.com"
MAX_BYTES = 256 * 2**20  # far above any source or result; keeps a stray object out of memory


class CloudStore:
    """A `ReviewStore` over buckets. Its calls raise StorageUnavailableError when the service does not answer."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Every object whose name starts with the prefix, without the function's own working records."""
        for stored in self._storage.list(bucket, prefix, Deadline(LISTING_S)):
            if not stored.name.startswith(OWN_PREFIXES):
                yield stored

    def read(self, uri: str, generation: int | None = None) -> bytes | None:
        """The object's bytes; None when it is gone, replaced, damaged, not ours to read or absurdly large."""
        bucket, name = split_gs_uri(uri)
        try:
            return self._storage.read(bucket, name, Deadline(DOWNLOAD_S), generation=generation, limit=MAX_BYTES)
        except (ObjectNotFoundError, AccessDeniedError, ObjectTooLargeError, DamagedContentError):
            return None

    def link(self, uri: str) -> str | None:
        """The object behind the person's own login; None on an emulator, which is gone when the page is read."""
        if self._storage.client.api_endpoint != GOOGLE_ENDPOINT:
            return None
        bucket, name = split_gs_uri(uri)
        return f"https://storage.cloud.google.com/{bucket}/{quote(name)}"
