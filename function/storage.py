"""Cloud Storage: reads at a generation, writes with preconditions, every call inside the event's deadline."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import google_crc32c
import requests
from google.api_core import exceptions as api
from google.api_core.retry import Retry
from google.auth import exceptions as auth
from google.cloud import storage
from google.cloud.storage import exceptions as storage_exceptions
from google.cloud.storage.retry import DEFAULT_RETRY

from function.deadline import Deadline
from function.errors import StorageUnavailable

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 20.0  # silence on a connection for this long is a stall: try again
RETRY_FOR_S = 60.0  # on one call at the most, so that a dead bucket leaves time to say so
METADATA_CACHE = "private, max-age=0"  # a re-uploaded manifest's result must not be served stale

T = TypeVar("T")


class NotFound(Exception):
    """No such object (or generation, or bucket)."""


class Forbidden(Exception):
    """This identity may not read there."""


class TooLarge(Exception):
    """The object has more bytes than the caller allows; `size` says how many."""

    def __init__(self, size: int):
        super().__init__(f"{size} bytes")
        self.size = size


class Changed(Exception):
    """A write's precondition did not hold: somebody else has written the object meanwhile."""


@dataclass(frozen=True)
class StoredObject:
    """What Cloud Storage says of an object."""

    bucket: str
    name: str
    generation: int
    size: int
    content_type: str | None
    crc32c: str | None
    metadata: dict[str, str] = field(default_factory=dict)
    updated: datetime | None = None


class Storage:
    """The few calls this function makes. Thread-safe; the client is made on the first call."""

    def __init__(self, project: str | None = None, make_client: Callable[..., storage.Client] = storage.Client):
        self._project = project
        self._make_client = make_client
        self._client: storage.Client | None = None

    @property
    def client(self) -> storage.Client:
        """The google-cloud-storage client."""
        if self._client is None:
            client = self._make_client(project=self._project)
            # Two images for each of many threads: the default pool of ten would drop connections.
            adapter = requests.adapters.HTTPAdapter(pool_connections=32, pool_maxsize=32)
            for scheme in ("https://", "http://"):
                client._http.mount(scheme, adapter)
            self._client = client
        return self._client

    def stat(self, bucket: str, name: str, deadline: Deadline, generation: int | None = None) -> StoredObject | None:
        """The object's metadata, or None when there is none. Raises StorageUnavailable, Forbidden."""

        def call(retry: Retry, timeout: Any) -> StoredObject | None:
            blob = self.client.bucket(bucket).blob(name, generation=generation)
            try:
                blob.reload(retry=retry, timeout=timeout)
            except api.NotFound:
                return None
            return _described(blob)

        return self._run(call, deadline, f"reading gs://{bucket}/{name}")

    def read(self, bucket: str, name: str, deadline: Deadline, *, generation: int | None = None, limit: int) -> bytes:
        """The object's bytes, checksum verified. Raises NotFound, TooLarge, Forbidden, StorageUnavailable."""

        def call(retry: Retry, timeout: Any) -> bytes:
            sink = _BoundedBuffer(limit)
            blob = self.client.bucket(bucket).blob(name, generation=generation)
            try:
                blob.download_to_file(sink, raw_download=True, retry=retry, timeout=timeout)
            except api.NotFound:
                raise NotFound(f"gs://{bucket}/{name}") from None
            return sink.getvalue()

        return self._run(call, deadline, f"reading gs://{bucket}/{name}")

    def write(
        self,
        bucket: str,
        name: str,
        content: bytes,
        content_type: str,
        deadline: Deadline,
        *,
        if_generation: int,
        metadata: dict[str, str],
    ) -> int:
        """Write the object when its generation is `if_generation` (0: when there is none) → its new generation.

        A write whose acknowledgement was lost counts as done. Raises Changed, StorageUnavailable.
        """

        def call(retry: Retry, timeout: Any) -> int:
            blob = self.client.bucket(bucket).blob(name)
            blob.metadata = metadata
            blob.cache_control = METADATA_CACHE
            blob.upload_from_string(
                content,
                content_type=content_type,
                if_generation_match=if_generation,
                checksum="crc32c",
                retry=retry,
                timeout=timeout,
            )
            return int(blob.generation)

        try:
            return self._run(call, deadline, f"writing gs://{bucket}/{name}")
        except Changed:
            # Either somebody else was first, or our own write arrived and its acknowledgement did not.
            there = self.stat(bucket, name, deadline)
            if there and there.crc32c == crc32c(content) and there.metadata == metadata:
                return there.generation
            raise

    def delete(self, bucket: str, name: str, deadline: Deadline, *, generation: int) -> None:
        """Delete one generation of the object; that it is gone already is fine."""

        def call(retry: Retry, timeout: Any) -> None:
            blob = self.client.bucket(bucket).blob(name)
            try:
                blob.delete(if_generation_match=generation, retry=retry, timeout=timeout)
            except (api.NotFound, api.PreconditionFailed):
                return

        self._run(call, deadline, f"deleting gs://{bucket}/{name}")

    def update_metadata(self, bucket: str, name: str, changes: dict[str, str], deadline: Deadline) -> None:
        """Add or replace custom metadata of an object. Raises NotFound, StorageUnavailable."""

        def call(retry: Retry, timeout: Any) -> None:
            blob = self.client.bucket(bucket).blob(name)
            blob.metadata = changes
            try:
                blob.patch(retry=retry, timeout=timeout)
            except api.NotFound:
                raise NotFound(f"gs://{bucket}/{name}") from None

        self._run(call, deadline, f"updating gs://{bucket}/{name}")

    def list(self, bucket: str, prefix: str, deadline: Deadline) -> Iterator[StoredObject]:
        """Every object whose name starts with `prefix`, in name order."""

        def call(retry: Retry, timeout: Any) -> list[StoredObject]:
            blobs = self.client.list_blobs(bucket, prefix=prefix, retry=retry, timeout=timeout)
            return [_described(blob) for blob in blobs]

        return iter(self._run(call, deadline, f"listing gs://{bucket}/{prefix}"))

    def _run(self, call: Callable[[Retry, Any], T], deadline: Deadline, doing: str) -> T:
        """Run one call with retries inside the deadline, and turn the client's errors into ours."""
        budget = deadline.within(RETRY_FOR_S, "storage")
        retry = DEFAULT_RETRY.with_timeout(budget).with_delay(initial=0.1, maximum=8.0)
        timeout = min(CONNECT_TIMEOUT_S, budget), min(READ_TIMEOUT_S, budget)
        while True:
            try:
                return call(retry, timeout)
            except api.PreconditionFailed:
                raise Changed(doing) from None
            except (api.Forbidden, api.Unauthorized) as error:
                raise Forbidden(f"{doing}: {error.message}") from None
            except storage_exceptions.DataCorruption:
                # The bytes did not match the checksum: the library does not retry this by itself.
                deadline.within(1, "storage")
            except (api.RetryError, api.GoogleAPICallError, storage_exceptions.InvalidResponse) as error:
                cause = error.__cause__ or error
                raise StorageUnavailable(f"{doing} failed: {_short(cause)}") from None
            except (requests.RequestException, auth.GoogleAuthError, OSError) as error:
                raise StorageUnavailable(f"{doing} failed: {_short(error)}") from None


class _BoundedBuffer(io.BytesIO):
    """Refuses to grow past `limit` bytes, so that a huge object is not read to find out that it is huge."""

    def __init__(self, limit: int):
        super().__init__()
        self._limit = limit

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self._limit:
            raise TooLarge(self.tell() + len(data))
        return super().write(data)


def crc32c(content: bytes) -> str:
    """Cloud Storage's base64 form of the CRC32C checksum."""
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()


def _described(blob: storage.Blob) -> StoredObject:
    return StoredObject(
        bucket=blob.bucket.name,
        name=blob.name,
        generation=int(blob.generation or 0),
        size=int(blob.size or 0),
        content_type=blob.content_type,
        crc32c=blob.crc32c,
        metadata=dict(blob.metadata or {}),
        updated=blob.updated,
    )


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
