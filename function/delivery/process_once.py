"""The state machine of a delivery, the same for pair manifests and catalogues.

settled? → lease → run → commit → settled
                    ├ permanent error → record it → settled
                    ├ transient error → out of patience? record it → settled : release the lease, deliver again
                    ├ superseded by a newer generation → discard what this one wrote → settled
                    └ something else has the sidecar's name → record it beside → settled
"""

from __future__ import annotations

import contextlib
import logging
from typing import Generic, Protocol, TypeVar

from function.delivery.lease import LeaseHandle, acquire_lease
from function.delivery.outputs import OutputWriter
from function.delivery.reconciliation import PENDING_KEY
from function.delivery.services import Delivery
from function.errors import (
    CompositeError,
    InternalError,
    LeaseHeldError,
    OutputConflictError,
    PermanentError,
    StorageUnavailableError,
    SupersededError,
    TransientError,
)
from function.storage.client import AccessDeniedError

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Work(Protocol[T]):
    """What a kind of upload does on its way to a sidecar. `T` is what its run hands to its commit."""

    @property
    def sidecar_name(self) -> str:
        """Object name of the sidecar; where it is stored, the upload is settled."""

    @property
    def conflict_name(self) -> str:
        """Object name of the record for when something else has the sidecar's name."""

    def run(self, delivery: Delivery, lease: LeaseHandle) -> T | None:
        """Do the work. None: there is nothing to do, and nothing is recorded."""

    def commit(self, delivery: Delivery, done: T, *, replaces_older: bool) -> bool:
        """Write the outputs, the sidecar last → whether this run's sidecar is the stored one. `replaces_older`: outputs
        of an older generation may be stored."""

    def record(self, delivery: Delivery, error: CompositeError, name: str, *, replaces_older: bool) -> bool:
        """Write a sidecar that says why there is no result, as object `name` → whether it is the stored one."""

    def reconcile(self, delivery: Delivery, lease: LeaseHandle | None) -> None:
        """Another run may have committed at the same time: make the outputs agree with the stored sidecar. Does nothing
        while there is none."""

    def discard(self, delivery: Delivery) -> None:
        """Remove results of this generation: a newer one has taken over."""

    def give_up(self, error: TransientError, delivery: Delivery, waited_s: float) -> CompositeError | None:
        """What to record instead of waiting for another delivery; None while waiting may help. `waited_s`: from the
        first delivery to this one; an upload may have queued for hours before that."""


def process_once(work: Work[T], delivery: Delivery) -> None:
    """Bring one upload to its sidecar. Returns when it is settled; raises TransientError to have it delivered again."""
    writer = OutputWriter(delivery)
    try:
        if (sidecar := writer.settled(work.sidecar_name)) is not None:
            logger.info("already settled", extra={"stage": "lease"})
            if PENDING_KEY in sidecar.metadata:
                work.reconcile(delivery, None)
            return
        lease = acquire_lease(delivery.storage, delivery.output_bucket, delivery.upload, delivery.deadline)
    except SupersededError as newer:
        logger.info("nothing to do: %s", newer, extra={"stage": "lease"})
        work.discard(delivery)  # an earlier delivery may have been killed after writing a result
        return
    except AccessDeniedError as error:
        raise StorageUnavailableError(f"the output bucket cannot be used: {error}", stage="lease") from None
    except OutputConflictError as conflict:
        _record_conflict(work, delivery, conflict)
        return
    _Run(work, delivery, lease, lease.replaces_older or writer.saw_older).process_once()


class _Run(Generic[T]):
    """A delivery that holds the lease."""

    def __init__(self, work: Work[T], delivery: Delivery, lease: LeaseHandle, replaces_older: bool):
        self._work, self._delivery, self._lease = work, delivery, lease
        self._replaces_older = replaces_older

    def process_once(self) -> None:
        try:
            with self._delivery.services.leases.keep(self._lease):
                self._run_and_record()
        except SupersededError as newer:
            logger.info("stopped: %s", newer, extra={"stage": "commit"})
            self._work.discard(self._delivery)
        except OutputConflictError as conflict:
            _record_conflict(self._work, self._delivery, conflict)
        except BaseException as error:
            restart_patience = isinstance(error, TransientError) and not error.uses_patience
            self._lease.release(self._delivery.deadline, restart_patience=restart_patience)
            if isinstance(error, TransientError) and not self._lease.is_first:
                # No further delivery may come: the earlier holder may have settled it, and been acknowledged.
                with contextlib.suppress(TransientError, AccessDeniedError, OutputConflictError, SupersededError):
                    self._work.reconcile(self._delivery, self._lease)
            if isinstance(error, AccessDeniedError):
                raise StorageUnavailableError(f"the output bucket cannot be used: {error}") from None
            raise
        finally:
            self._lease.close()

    def _run_and_record(self) -> None:
        """Raises what is not recorded: SupersededError, a conflict over the sidecar's name, transient errors."""
        work, lease = self._work, self._lease
        try:
            # Between the look at the sidecar and the lease, by its holder; or by a run that is slow.
            if self._is_settled_by_now():
                return
            done = work.run(self._delivery, lease)
            if done is None:
                lease.release(self._delivery.deadline)
                return
            lease.assert_held(self._delivery.deadline)
            if self._is_settled_by_now():
                return
            self._reconcile_unless_sure(work.commit(self._delivery, done, replaces_older=self._replaces_older))
        except PermanentError as error:
            self._record(error)
        except Exception as error:  # noqa: BLE001 (a bug is recorded too, once the event is too old)
            self._record(self._final_if_out_of_patience(error))

    def _is_settled_by_now(self) -> bool:
        """Whether a delivery that held the lease before this one has settled it after all."""
        if self._lease.is_first or not OutputWriter(self._delivery).is_settled(self._work.sidecar_name):
            return False
        logger.info("already settled", extra={"stage": "lease"})
        self._work.reconcile(self._delivery, self._lease)
        self._lease.release(self._delivery.deadline)
        return True

    def _record(self, error: CompositeError) -> None:
        self._lease.assert_held(self._delivery.deadline)
        if self._is_settled_by_now():
            return
        recorded = self._work.record(
            self._delivery, error, self._work.sidecar_name, replaces_older=self._replaces_older
        )
        self._reconcile_unless_sure(recorded)

    def _reconcile_unless_sure(self, settled: bool) -> None:
        """After the end of a run that has `settled` its upload, or has found it settled by another one."""
        if not settled or self._lease.may_be_lost(self._delivery.with_grace_period().deadline):
            self._work.reconcile(self._delivery, self._lease)

    def _final_if_out_of_patience(self, error: Exception) -> CompositeError:
        """What to record for a transient error once the upload has waited long enough; before that it is re-raised."""
        if isinstance(error, SupersededError | LeaseHeldError):
            raise error
        if isinstance(error, AccessDeniedError):
            error = StorageUnavailableError(f"a bucket cannot be used: {error}")
        elif not isinstance(error, TransientError):
            # A bug: another delivery, perhaps of a fixed version, may succeed.
            logger.error("unexpected: %s: %s", type(error).__name__, error, exc_info=error, extra={"stage": "run"})
            error = InternalError(f"an unexpected {type(error).__name__}; the log has the details")
        if not error.uses_patience:
            raise error
        waited_s = self._delivery.waited_s(self._lease.first_delivery)
        final = self._work.give_up(error, self._delivery, waited_s)
        if final is None:
            raise error
        # The time of this delivery may be what ran out: recording why needs a little of its own.
        self._delivery = self._delivery.with_grace_period()
        return final


def _record_conflict(work: Work[T], delivery: Delivery, conflict: OutputConflictError) -> None:
    """Something else has the sidecar's name: the error is recorded beside it."""
    try:
        work.record(delivery, conflict, work.conflict_name, replaces_older=False)
    except (OutputConflictError, SupersededError) as error:
        logger.error(
            "%s; and %s could not be written: %s", conflict, work.conflict_name, error, extra={"stage": "upload"}
        )
