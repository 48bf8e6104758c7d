"""The lease on a manifest: which delivery works on it, as one small record changed with storage preconditions only.

A pair is settled when its sidecar is stored (see `outputs.py`); until then this record says who works on it.
States: none → in progress (short, and renewed while work goes on: see `held_leases.py`) → free again after a transient
failure or at shutdown. It is also the ledger of begun model calls, so that crashes cannot multiply them, and holds the
time of the first delivery, so that every upload gets the same patience however long it had queued.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid

from pydantic import ValidationError

from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.lease_record import (
    MAX_EARLIER_CALLS,
    MAX_LEASE_BYTES,
    Lease,
    lease_name,
    read_lease,
    write_lease,
)
from function.delivery.process_lock import ProcessLivenessLock, machine_identity
from function.errors import LeaseHeldError, SupersededError, TransientError
from function.generation.call_ledger import BegunCall
from function.storage.client import (
    AccessDeniedError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    PreconditionFailedError,
    Storage,
)

logger = logging.getLogger(__name__)

LEASE_S = 60.0  # how long an instance that dies without releasing blocks its upload; three renewals may fail
RENEWAL_S = 5.0  # one renewal may take: `reserve` and `hand_over` wait for it
SURE_FOR_S = 5.0  # after a look: a result and a sidecar are written in less, and no clock is wrong by 55 s
EXPIRY_MARGIN_S = 15.0  # past the event's deadline: clocks differ, and the last write may still be under way


class LeaseHandle:
    """A lease that this run holds, with the generation of its object (for preconditions); a `CallLedger`.

    Thread-safe: other threads renew it and hand it over while its run goes on. `is_first`: no other delivery of this
    generation has ever held it.
    """

    def __init__(
        self,
        storage: Storage,
        bucket: str,
        name: str,
        lease: Lease,
        generation: int,
        lock: ProcessLivenessLock,
        deadline: Deadline,
        *,
        is_first: bool,
    ):
        self._storage, self._bucket, self._name = storage, bucket, name
        self._lease, self._generation, self._lock = lease, generation, lock
        self.is_first = is_first
        self._first_generation = lease.manifest_generation
        self._run_deadline = deadline
        self._handed_over = False
        self._confirmed = time.monotonic()
        self._writing = threading.RLock()

    @property
    def replaces_older(self) -> bool:
        """Whether outputs of an older generation of the manifest may be stored."""
        return self._lease.replaces_older

    @property
    def first_delivery(self) -> float:
        """When the first delivery of this generation began its work, in seconds since 1970."""
        return self._lease.first_delivery or time.time()

    def begun(self) -> tuple[BegunCall, ...]:
        """Model calls begun by earlier deliveries and this one."""
        return (*self._begun_before(), *self._lease.calls)

    def count_since(self, generation: int) -> None:
        """Calls that were begun for the manifest since that `generation` of it count too: it was only touched since."""
        self._first_generation = generation

    def _begun_before(self) -> tuple[BegunCall, ...]:
        return tuple(call for generation, call in self._lease.earlier if generation >= self._first_generation)

    def all_calls(self, deadline: Deadline) -> tuple[BegunCall, ...]:
        """Model calls begun for this generation, by deliveries that took the lease over from this one too."""
        stored, _ = read_lease(self._storage, self._bucket, self._name, deadline)
        same = stored is not None and stored.manifest_generation == self._lease.manifest_generation
        calls = stored.calls if stored is not None and same else self._lease.calls
        return (*self._begun_before(), *calls)

    def may_be_lost(self, deadline: Deadline) -> bool:
        """Whether another delivery may have taken the lease over since this one last made sure of it; that is asked
        only where it took long, or was handed over."""
        if not self._handed_over and time.monotonic() - self._confirmed < SURE_FOR_S:
            return False
        stored = self._storage.stat(self._bucket, self._name, deadline)
        return stored is not None and stored.generation != self._generation

    def reserve(self, call: BegunCall, deadline: Deadline) -> None:
        """Note a model call before it is made. Raises SupersededError or LeaseHeldError when the lease was lost."""
        with self._writing:
            self._assert_not_handed_over()
            update = {"calls": (*self._lease.calls, call), "expires": _expiry(self._run_deadline)}
            self._replace(self._lease.model_copy(update=update), deadline)

    def rollback(self) -> None:
        """The call that was reserved last was not answered and is not billed; stored with the next write."""
        with self._writing:
            self._lease = self._lease.model_copy(update={"calls": self._lease.calls[:-1]})

    def renew(self) -> None:
        """Hold it for LEASE_S from now, but not past the event's deadline. Raises SupersededError or LeaseHeldError
        when it was lost, and what `Storage.write` raises."""
        with self._writing:
            if not self._handed_over:
                update = {"expires": _expiry(self._run_deadline)}
                self._replace(self._lease.model_copy(update=update), Deadline(RENEWAL_S))

    def hand_over(self, deadline: Deadline) -> None:
        """This instance is shutting down: free the lease for the next delivery, which finds the begun calls; this run
        makes no further calls and commits nothing."""
        with self._writing:
            self.release(deadline)
            self._handed_over = True

    def assert_held(self, deadline: Deadline) -> None:
        """Raises SupersededError or LeaseHeldError when another delivery has taken the lease over meanwhile."""
        with self._writing:
            self._assert_not_handed_over()
            began = time.monotonic()
            stored = self._storage.stat(self._bucket, self._name, deadline)
            if stored is not None and stored.generation != self._generation:
                self._recognise_own_write(deadline)
            self._confirmed = began

    def release(self, deadline: Deadline, *, restart_patience: bool = False) -> None:
        """Free the manifest for the next delivery, even past the deadline; with `restart_patience` that one counts as
        the first. That the lease was lost meanwhile is fine, and one that cannot be released expires."""
        with self._writing:
            if not self._handed_over:
                self._free(deadline, restart_patience)

    def _free(self, deadline: Deadline, restart_patience: bool) -> None:
        free = self._lease.model_copy(update={"state": "free", "expires": 0.0})
        if restart_patience:
            free = free.model_copy(update={"first_delivery": None})
        try:
            self._replace(free, deadline.grace_period())
        except (SupersededError, LeaseHeldError):
            return
        except (TransientError, AccessDeniedError) as error:
            logger.warning("the lease could not be released, it will expire: %s", error, extra={"stage": "lease"})

    def close(self) -> None:
        """This run is over; without a release, other machines see that when the lease expires."""
        self._lock.release()

    def _assert_not_handed_over(self) -> None:
        if self._handed_over:
            raise LeaseHeldError("this instance is shutting down; the manifest was handed over")

    def _replace(self, lease: Lease, deadline: Deadline) -> None:
        while True:
            began = time.monotonic()
            try:
                self._generation = write_lease(
                    self._storage, self._bucket, self._name, lease, self._generation, deadline
                )
            except PreconditionFailedError:
                self._recognise_own_write(deadline)
            else:
                self._lease, self._confirmed = lease, began
                return

    def _recognise_own_write(self, deadline: Deadline) -> None:
        """The object has another generation than the one known: a write of this run may have arrived after it was
        given up for lost. Raises SupersededError or LeaseHeldError when it was another run's: for the same generation
        this delivery has to come again, should that one die."""
        existing, generation = read_lease(self._storage, self._bucket, self._name, deadline)
        if existing is not None and existing.run == self._lease.run:
            self._generation = generation
            return
        if existing is not None and existing.manifest_generation > self._lease.manifest_generation:
            raise SupersededError("a newer generation of this manifest has taken over")
        raise LeaseHeldError("another delivery has taken this manifest over")


def acquire_lease(storage: Storage, bucket: str, upload: Upload, deadline: Deadline) -> LeaseHandle:
    """Take the lease on `upload` for this run.

    Raises LeaseHeldError when another live delivery of this generation holds it, SupersededError when a newer
    generation is or was at work.
    """
    name = lease_name(upload)
    run = uuid.uuid4().hex
    lease = Lease(
        manifest_generation=upload.generation,
        state="in_progress",
        expires=_expiry(deadline),
        machine=machine_identity(),
        run=run,
        first_delivery=time.time(),
    )
    lock = ProcessLivenessLock(run)
    try:
        return _acquire(storage, bucket, name, lease, lock, deadline)
    except BaseException:
        lock.release()
        raise


def _acquire(
    storage: Storage, bucket: str, name: str, lease: Lease, lock: ProcessLivenessLock, deadline: Deadline
) -> LeaseHandle:
    try:
        generation = write_lease(storage, bucket, name, lease, 0, deadline)
        return LeaseHandle(storage, bucket, name, lease, generation, lock, deadline, is_first=True)
    except PreconditionFailedError:
        pass  # not the first delivery, or not the first generation
    existing, expected_generation = read_lease(storage, bucket, name, deadline)
    is_first = False
    if existing is not None:
        if existing.manifest_generation > lease.manifest_generation:
            raise SupersededError("a newer generation of this manifest is in progress")
        if existing.manifest_generation < lease.manifest_generation:
            calls = ((existing.manifest_generation, call) for call in existing.calls)
            earlier = (*existing.earlier, *calls)[-MAX_EARLIER_CALLS:]
            lease = lease.model_copy(update={"replaces_older": True, "earlier": earlier})
            is_first = True
        elif not existing.is_available():
            raise LeaseHeldError("another delivery of this manifest is in progress")
        else:
            lease = lease.model_copy(
                update={
                    "calls": existing.calls,
                    "earlier": existing.earlier,
                    "replaces_older": existing.replaces_older,
                    "first_delivery": existing.first_delivery or lease.first_delivery,
                }
            )
    try:
        generation = write_lease(storage, bucket, name, lease, expected_generation, deadline)
    except PreconditionFailedError:
        raise LeaseHeldError("another delivery of this manifest was faster") from None
    return LeaseHandle(storage, bucket, name, lease, generation, lock, deadline, is_first=is_first)


def is_held(storage: Storage, bucket: str, upload: Upload, deadline: Deadline) -> bool:
    """Whether a delivery of this generation, or of a newer one, holds the lease and is not known to be dead."""
    try:
        body = storage.read(bucket, lease_name(upload), deadline, limit=MAX_LEASE_BYTES)
        lease = Lease.model_validate_json(body)
    except (ObjectNotFoundError, ValidationError, ObjectTooLargeError):
        return False
    return lease.manifest_generation >= upload.generation and not lease.is_available()


def _expiry(deadline: Deadline) -> float:
    return time.time() + min(LEASE_S, deadline.remaining() + EXPIRY_MARGIN_S)
