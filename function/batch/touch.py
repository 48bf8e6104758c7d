"""A manifest that waited is written over itself: a new upload, whose event finishes the pair as any other does."""

from __future__ import annotations

import logging
import time

from function.batch.records import Waiter
from function.deadline import Deadline
from function.errors import StorageUnavailableError
from function.manifest.parse import MAX_MANIFEST_BYTES
from function.storage.client import (
    AccessDeniedError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    PreconditionFailedError,
    Storage,
)
from function.storage.content_encoding import DamagedContentError

logger = logging.getLogger(__name__)

# Custom metadata of a touched manifest: the generation and the time (seconds since 1970) of the upload that a person
# or a catalogue made, so that what was paid and the deadline are that one's.
FIRST_KEY = "batch-first"
# … and the digests of the requests that it was touched for, the latest so many of them (a kilobyte; metadata may have
# eight): a pair that comes again may need fewer than it had asked for.
TOUCHED_KEY, MAX_TOUCHED = "batch-requests", 16
CLOCKS_S = 300.0  # that clocks may differ by


def touch(storage: Storage, waiter: Waiter, digest: str, deadline: Deadline) -> bool:
    """Write the manifest over itself, for the request of that `digest` → whether it had to be: one that was replaced or
    deleted does not wait.

    Raises StorageUnavailableError.
    """
    bucket, name = waiter.bucket, waiter.name
    try:
        stored = storage.stat(bucket, name, deadline)
        if stored is None or stored.generation != waiter.generation:
            return False
        body = storage.read(bucket, name, deadline, generation=stored.generation, limit=MAX_MANIFEST_BYTES)
        others = [one for one in touched_for(stored.metadata) if one != digest]
        metadata = {
            FIRST_KEY: f"{waiter.generation}/{waiter.since:.3f}",
            **stored.metadata,
            TOUCHED_KEY: " ".join([*others, digest][-MAX_TOUCHED:]),
        }
        storage.write(
            bucket, name, body, stored.content_type or "application/json", deadline,
            if_generation=stored.generation, metadata=metadata,
        )  # fmt: skip
    except (ObjectNotFoundError, PreconditionFailedError):
        return False
    except (ObjectTooLargeError, DamagedContentError) as error:
        logger.error(
            "a manifest that waited for a batch cannot be read: %s", error, extra={"stage": "batch", "manifest": name}
        )
        return False
    except AccessDeniedError as error:
        raise StorageUnavailableError(f"a manifest that waited for a batch may not be written: {error}") from None
    return True


def touched_for(metadata: dict[str, str]) -> tuple[str, ...]:
    """The digests of the requests that a manifest was touched for, as far as they are noted."""
    return tuple(metadata.get(TOUCHED_KEY, "").split())


def first_upload(metadata: dict[str, str], generation: int, uploaded: float | None) -> tuple[int, float]:
    """Generation and time of the upload that is behind a manifest of `generation`, touched or not."""
    now = time.time()
    try:
        first, since = metadata[FIRST_KEY].split("/")
        if 0 < int(first) <= generation and float(since) <= now + CLOCKS_S:
            return int(first), float(since)
    except (KeyError, ValueError):
        pass
    return generation, uploaded or now
