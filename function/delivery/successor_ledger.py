"""The call ledger of a run that took its lease over from an earlier one."""

from __future__ import annotations

from function.deadline import Deadline
from function.delivery.lease import LeaseHandle
from function.delivery.outputs import OutputWriter
from function.delivery.services import Delivery
from function.errors import LeaseHeldError
from function.generation.call_ledger import BegunCall


class SuccessorLedger:
    """A `CallLedger` that checks before each call whether the pair is settled: the earlier run may be slow rather than
    dead, and then no further call may be paid for."""

    def __init__(self, lease: LeaseHandle, delivery: Delivery, sidecar_name: str):
        self._lease, self._delivery, self._sidecar_name = lease, delivery, sidecar_name

    def begun(self) -> tuple[BegunCall, ...]:
        """Every call begun for this generation."""
        return self._lease.begun()

    def reserve(self, call: BegunCall, deadline: Deadline) -> None:
        """Note a call before it is made. Raises LeaseHeldError where the pair is settled."""
        if OutputWriter(self._delivery).is_settled(self._sidecar_name):
            raise LeaseHeldError("another delivery has settled this manifest")
        self._lease.reserve(call, deadline)

    def rollback(self) -> None:
        """Forget the call that was reserved last."""
        self._lease.rollback()
