"""Has the platform deliver an object's event again: the object is written over itself, which is a new generation."""

from __future__ import annotations

from function.deadline import Deadline
from function.delivery.persons_request import PICK_KEY
from function.manifest.parse import MAX_MANIFEST_BYTES
from function.storage.client import (
    ObjectNotFoundError,
    ObjectTooLargeError,
    PreconditionFailedError,
    Storage,
    StoredObject,
)
from function.storage.content_encoding import DamagedContentError
from function.tools.timeouts import CALL_S


class UnreadableObjectError(Exception):
    """The object is no manifest that the function would read; the message says why."""


def write_again(storage: Storage, stored: StoredObject) -> bool:
    """Same bytes, same metadata, new generation → False when it was replaced or deleted meanwhile. A picked attempt is
    left out: it was one of an earlier run.

    Raises UnreadableObjectError, AccessDeniedError, StorageUnavailableError.
    """
    deadline = Deadline(CALL_S)
    metadata = {key: value for key, value in stored.metadata.items() if key != PICK_KEY}
    try:
        content = storage.read(
            stored.bucket, stored.name, deadline, generation=stored.generation, limit=MAX_MANIFEST_BYTES
        )
        storage.write(
            stored.bucket, stored.name, content, stored.content_type or "application/octet-stream", deadline,
            if_generation=stored.generation, metadata=metadata,
        )  # fmt: skip
    except (ObjectNotFoundError, PreconditionFailedError):
        return False
    except ObjectTooLargeError:
        raise UnreadableObjectError(f"it is larger than the {MAX_MANIFEST_BYTES:,} bytes of any manifest") from None
    except DamagedContentError as error:
        raise UnreadableObjectError(f"it is stored as gzip and cannot be unpacked: {error}") from None
    return True
