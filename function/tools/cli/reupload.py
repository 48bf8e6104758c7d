"""Has the platform deliver an object's event again: the object is written over itself, which is a new generation."""

from __future__ import annotations

from function.deadline import Deadline
from function.manifest.parse import MAX_MANIFEST_BYTES
from function.storage.client import Changed, NotFound, Storage, StoredObject
from function.tools.timeouts import CALL_S


def write_again(storage: Storage, there: StoredObject) -> bool:
    """Same bytes, same metadata, new generation → False when it was replaced or deleted meanwhile.

    Raises Forbidden, StorageUnavailable.
    """
    deadline = Deadline(CALL_S)
    try:
        content = storage.read(
            there.bucket, there.name, deadline, generation=there.generation, limit=MAX_MANIFEST_BYTES
        )
        storage.write(
            there.bucket, there.name, content, there.content_type or "application/octet-stream", deadline,
            if_generation=there.generation, metadata=there.metadata,
        )  # fmt: skip
    except (NotFound, Changed):
        return False
    return True
