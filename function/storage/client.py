"""Cloud Storage: reads at a generation, writes with preconditions, every call inside the event's deadline."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import google_crc32c
from google.api_core import exceptions as api
from google.cloud import storage
from google.cloud.storage import exceptions as storage_exceptions

from function.deadline import Deadline
from function.errors import StorageUnavailableError
from function.storage.content_encoding import InflatedTooLargeError, unpacked
from function.storage.read_deadline import DeadlineAdapter
from function.storage.retries import CLIENT_ERRORS, READ_TIMEOUT_S, Timeout, call_with_retries, is_rate_limited

METADATA_CACHE = "private, max-age=0"  # a re-uploaded manifest's result must not be served stale

T = TypeVar("T")


class ObjectNotFoundError(Exception):
    """No such object (or generation, or bucket)."""


class AccessDeniedError(Exception):
    """This identity may not read there."""


class ObjectTooLargeError(Exception):
    """The object has more bytes than the caller allows; `size` says how many, None where it unpacks to too many."""

    def __init__(self, size: int | None):
        super().__init__(f"{size or 'too many'} bytes")
        self.size = size


class PreconditionFailedError(Exception):
    """A write's precondition did not hold: another writer has changed the object meanwhile."""


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
        self._lock = threading.Lock()

    @property
    def client(self) -> storage.Client:
        """The google-cloud-storage client."""
        with self._lock:
            if self._client is None:
                client = self._make_client(project=self._project)
                # Two images for each of many threads: the default pool of ten would drop connections.
                adapter = DeadlineAdapter(pool_connections=32, pool_maxsize=32)
                for scheme in ("https://", "http://"):
                    client._http.mount(scheme, adapter)
                self._client = client
            return self._client

    def stat(self, bucket: str, name: str, deadline: Deadline, generation: int | None = None) -> StoredObject | None:
        """The object's metadata, or None when there is none. Raises StorageUnavailableError, AccessDeniedError."""

        def call(timeout: Timeout) -> StoredObject | None:
            blob = self.client.bucket(bucket).blob(name, generation=generation)
            try:
                blob.reload(retry=None, timeout=timeout)
            except api.NotFound:
                return None
            return _described(blob)

        return self._run(call, deadline, f"reading gs://{bucket}/{name}")

    def read(self, bucket: str, name: str, deadline: Deadline, *, generation: int | None = None, limit: int) -> bytes:
        """The object's bytes, checksum verified; stored with `Content-Encoding: gzip` they are unpacked then, under the
        same limit. Raises ObjectNotFoundError, ObjectTooLargeError, DamagedContentError, AccessDeniedError,
        StorageUnavailableError.
        """

        def call(timeout: Timeout) -> tuple[bytes, str | None]:
            sink = _BoundedBuffer(limit, deadline)
            blob = self.client.bucket(bucket).blob(name, generation=generation)
            try:
                blob.download_to_file(sink, raw_download=True, checksum=None, retry=None, timeout=timeout)
            except api.NotFound:
                raise ObjectNotFoundError(f"gs://{bucket}/{name}") from None
            content = sink.getvalue()
            # The client lets an answer without a checksum pass, and a proxy's page of HTML has none.
            if blob.crc32c != crc32c(content):
                raise storage_exceptions.DataCorruption(None, "the bytes do not match their checksum")
            return content, blob.content_encoding

        content, encoding = self._run(call, deadline, f"reading gs://{bucket}/{name}")
        try:
            return unpacked(content, encoding, limit)
        except InflatedTooLargeError:
            raise ObjectTooLargeError(None) from None

    def read_range(
        self, bucket: str, name: str, deadline: Deadline, *, generation: int, start: int, length: int
    ) -> bytes:
        """`length` bytes of one generation of an object from byte `start` on, fewer at its end. Of a part there is no
        checksum. Raises ObjectNotFoundError, AccessDeniedError, StorageUnavailableError.
        """

        def call(timeout: Timeout) -> bytes:
            sink = _BoundedBuffer(length, deadline)
            blob = self.client.bucket(bucket).blob(name, generation=generation)
            try:
                blob.download_to_file(
                    sink, start=start, end=start + length - 1, raw_download=True, checksum=None, retry=None,
                    timeout=timeout,
                )  # fmt: skip
            except api.NotFound:
                raise ObjectNotFoundError(f"gs://{bucket}/{name}") from None
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
        contended: bool = False,
    ) -> int:
        """Write the object when its generation is `if_generation` (0: when there is none) → its new generation.

        A write whose acknowledgement was lost counts as done. `contended`: others write the object all the time, so
        when it was written too often (429) it has changed as well. Raises PreconditionFailedError,
        StorageUnavailableError.
        """

        def call(timeout: Timeout) -> int:
            blob = self.client.bucket(bucket).blob(name)
            blob.metadata = metadata
            blob.cache_control = METADATA_CACHE
            blob.upload_from_string(
                content,
                content_type=content_type,
                if_generation_match=if_generation,
                checksum="crc32c",
                retry=None,
                timeout=timeout,
            )
            return int(blob.generation)

        try:
            return self._run(call, deadline, f"writing gs://{bucket}/{name}", contended=contended)
        except PreconditionFailedError:
            # Either another writer was first, or our own write arrived and its acknowledgement did not.
            existing = self.stat(bucket, name, deadline)
            if existing and existing.crc32c == crc32c(content) and existing.metadata == metadata:
                return existing.generation
            raise

    def delete(self, bucket: str, name: str, deadline: Deadline, *, generation: int) -> None:
        """Delete one generation of the object; that it is gone already is fine."""

        def call(timeout: Timeout) -> None:
            blob = self.client.bucket(bucket).blob(name)
            try:
                blob.delete(if_generation_match=generation, retry=None, timeout=timeout)
            except (api.NotFound, api.PreconditionFailed):
                return

        self._run(call, deadline, f"deleting gs://{bucket}/{name}")

    def update_metadata(self, bucket: str, name: str, changes: dict[str, str | None], deadline: Deadline) -> None:
        """Add or replace custom metadata of an object; None removes a key. Raises ObjectNotFoundError,
        StorageUnavailableError."""

        def call(timeout: Timeout) -> None:
            blob = self.client.bucket(bucket).blob(name)
            blob.metadata = changes
            try:
                blob.patch(retry=None, timeout=timeout)
            except api.NotFound:
                raise ObjectNotFoundError(f"gs://{bucket}/{name}") from None

        self._run(call, deadline, f"updating gs://{bucket}/{name}")

    def list(self, bucket: str, prefix: str, deadline: Deadline) -> Iterator[StoredObject]:
        """Every object whose name starts with `prefix`, in name order."""

        token: str | None = None

        def page(timeout: Timeout) -> tuple[list[StoredObject], str | None]:
            found = self.client.list_blobs(bucket, prefix=prefix, page_token=token, retry=None, timeout=timeout)
            blobs = [_described(blob) for blob in next(found.pages, ())]
            return blobs, found.next_page_token

        while True:
            blobs, token = self._run(page, deadline, f"listing gs://{bucket}/{prefix}")
            yield from blobs
            if not token:
                return

    def _run(self, call: Callable[[Timeout], T], deadline: Deadline, doing: str, *, contended: bool = False) -> T:
        """Run one call with retries, and turn the client's errors into ours."""
        try:
            return call_with_retries(call, deadline, retry_rate_limited=not contended)
        except api.PreconditionFailed:
            raise PreconditionFailedError(doing) from None
        except (api.Forbidden, api.Unauthorized) as error:
            raise AccessDeniedError(f"{doing}: {error.message}") from None
        except CLIENT_ERRORS as error:
            if contended and is_rate_limited(error):
                raise PreconditionFailedError(doing) from None
            raise StorageUnavailableError(f"{doing} failed: {_short(error)}") from None


class _BoundedBuffer(io.BytesIO):
    """Refuses to grow past `limit` bytes, so that a huge object is not read to find out that it is huge, and past
    the deadline: a connection that trickles is never silent."""

    def __init__(self, limit: int, deadline: Deadline):
        super().__init__()
        self._limit, self._deadline = limit, deadline

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self._limit:
            raise ObjectTooLargeError(self.tell() + len(data))
        self._deadline.clamp(READ_TIMEOUT_S, "storage")
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
