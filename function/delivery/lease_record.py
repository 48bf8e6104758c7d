"""The record of a lease: who works on a manifest, which model calls were begun for it, and how it is stored.

One small object, changed with preconditions on its generation only; `lease.py` acquires and renews it.
"""

from __future__ import annotations

import hashlib
import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.process_lock import ProcessLivenessLock, machine_identity
from function.errors import LeaseHeldError
from function.generation.call_ledger import BegunCall
from function.storage.client import ObjectNotFoundError, ObjectTooLargeError, Storage
from function.storage.names import WORK_PREFIX

MAX_LEASE_BYTES = 4096
MAX_EARLIER_CALLS = 24  # a record has to stay below MAX_LEASE_BYTES


class Lease(BaseModel):
    """The stored record. `calls` are the model calls begun for this generation, `earlier` those of generations before,
    each with its generation: a manifest that a batch has touched is still the same upload. Times are in seconds since
    1970.

    `machine` and `run` tell who holds it; `replaces_older` that outputs of an older generation may be stored. None as
    `first_delivery` (of earlier versions, and after what does not use patience): the next delivery counts as the first.
    """

    model_config = ConfigDict(frozen=True)

    manifest_generation: int
    state: Literal["in_progress", "free"]
    expires: float
    machine: str
    run: str
    calls: tuple[BegunCall, ...] = ()
    earlier: tuple[tuple[int, BegunCall], ...] = ()
    replaces_older: bool = False
    first_delivery: float | None = None

    def is_available(self) -> bool:
        """Whether another delivery may take this generation over."""
        return self.state == "free" or self.expires < time.time() or self._holder_is_dead()

    def _holder_is_dead(self) -> bool:
        """True only when that is certain: the run was on this machine, and its lock is not held any more."""
        return bool(self.machine) and self.machine == machine_identity() and not ProcessLivenessLock.is_held(self.run)


def lease_name(upload: Upload) -> str:
    """Object name of a manifest's lease; hashed, because names may be as long as a name can be."""
    digest = hashlib.sha256(f"{upload.bucket}\0{upload.name}".encode()).hexdigest()
    return f"{WORK_PREFIX}claims/{digest}.json"  # the folder's name is that of earlier versions, which may still run


def read_lease(storage: Storage, bucket: str, name: str, deadline: Deadline) -> tuple[Lease | None, int]:
    """The stored lease, and the generation of its object (0: there is none). Raises LeaseHeldError when it was
    replaced while it was read."""
    stored = storage.stat(bucket, name, deadline)
    if stored is None:
        return None, 0
    try:
        body = storage.read(bucket, name, deadline, generation=stored.generation, limit=MAX_LEASE_BYTES)
        return Lease.model_validate_json(body), stored.generation
    except ObjectNotFoundError:
        raise LeaseHeldError("another delivery of this manifest was faster") from None
    except (ValidationError, ObjectTooLargeError):
        return None, stored.generation  # not written by this version: it is replaced


def write_lease(
    storage: Storage, bucket: str, name: str, lease: Lease, expected_generation: int, deadline: Deadline
) -> int:
    """Store the record over the expected generation, 0 for none → its new one. Raises PreconditionFailedError."""
    body = lease.model_dump_json().encode()
    return storage.write(
        bucket, name, body, "application/json", deadline, if_generation=expected_generation, metadata={}
    )
