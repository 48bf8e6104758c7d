"""The ledger of model calls that were begun for one manifest, so that faults cannot multiply what it costs."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from function.deadline import Deadline


class BegunCall(BaseModel):
    """A model call that was begun, by the attempt's number and seed."""

    model_config = ConfigDict(frozen=True)

    number: int
    seed: int


class CallLedger(Protocol):
    """Where begun calls are noted. The lease of an event implements it, so that later deliveries see them too."""

    def begun(self) -> tuple[BegunCall, ...]:
        """Every call begun for this manifest, by earlier deliveries too."""

    def reserve(self, call: BegunCall, deadline: Deadline) -> None:
        """Note a call before it is made. May raise when this run may not call any more."""

    def rollback(self) -> None:
        """The call that was reserved last was not answered and is not billed: forget it."""


class InMemoryLedger:
    """A ledger of one run, for requests over HTTP: they have no later delivery."""

    def __init__(self) -> None:
        self._begun: list[BegunCall] = []

    def begun(self) -> tuple[BegunCall, ...]:
        """Every call that this run has begun."""
        return tuple(self._begun)

    def reserve(self, call: BegunCall, deadline: Deadline) -> None:
        """Note a call before it is made."""
        self._begun.append(call)

    def rollback(self) -> None:
        """Forget the call that was reserved last."""
        self._begun.pop()
