"""Optimistic writes: read, decide, write if nothing has changed meanwhile, else again."""

from __future__ import annotations

from collections.abc import Callable

from function.deadline import Deadline
from function.storage.client import PreconditionFailedError, Storage, StoredObject
from function.storage.names import gs_uri

MAX_WRITES = 5  # each further one means that another program wrote in between


class WriteContentionError(Exception):
    """An object changed MAX_WRITES times while it was being written."""


def compare_and_swap(
    storage: Storage,
    bucket: str,
    name: str,
    content: bytes,
    content_type: str,
    deadline: Deadline,
    *,
    metadata: dict[str, str],
    may_replace: Callable[[StoredObject], bool],
    existing: StoredObject | None = None,
) -> bool:
    """Write an object; where there is one already `may_replace` decides, and may raise → whether it was written.

    The usual case costs one request: `existing` (None: there is none) is believed until storage contradicts it.
    Raises WriteContentionError, and whatever `Storage.write` and `Storage.stat` raise.
    """
    for _ in range(MAX_WRITES):
        if existing is not None and not may_replace(existing):
            return False
        try:
            storage.write(
                bucket, name, content, content_type, deadline,
                if_generation=existing.generation if existing else 0, metadata=metadata,
            )  # fmt: skip
            return True
        except PreconditionFailedError:
            existing = storage.stat(bucket, name, deadline)
    raise WriteContentionError(f"{gs_uri(bucket, name)} changed {MAX_WRITES} times while it was being written")
