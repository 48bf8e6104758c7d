"""One cap as this process sees it: a slice of it in hand, and one writer at a time that asks for more."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from function.budget.ledger import Ledger, Share, read_ledger, write_ledger
from function.deadline import Deadline
from function.errors import InstanceShutdownError
from function.storage.client import PreconditionFailedError, Storage

# Cloud Storage takes one write a second to an object (https://cloud.google.com/storage/quotas, read 2026-11-26).
WRITE_EVERY_S = 1.0
SLICE_CALLS = 4  # a slice pays for so many calls: a killed instance takes no more with it …
MAX_SLICE_CALLS = 16  # … unless calls are so quick that the one write a second would hold them up
QUICK_S = 10.0  # a slice that lasts for less is doubled
SHARE_OF_REST = 1 / 8  # of what is left, at the most: the last slices are small, so that no instance holds a large one
DENIAL_CACHE_S = 2.0  # that a refusal is believed without another look
ROUNDING_USD = 1e-9  # of sums of floats
NOTHING = Share(spent_usd=0.0, held_usd=0.0)


class CapReachedError(Exception):
    """The cap leaves no room for a call."""

    def __init__(self, ledger: Ledger, cap_usd: float):
        super().__init__(f"{ledger.account}: {ledger.committed_usd} of {cap_usd} USD")
        self.ledger, self.cap_usd = ledger, cap_usd


class Account:
    """Reserves and spends under one cap. Thread-safe.

    The slice is what is `_free` and what is `_reserved` for calls under way; `_spent` is what this instance has spent
    since it began. The ledger learns of both when the slice is filled up, and at the end.
    """

    def __init__(
        self, storage: Storage, bucket: str, name: str, title: str, instance: str, cap_of: Callable[[Ledger], float]
    ):
        self.name, self.title = name, title
        self._storage, self._bucket, self._name, self._title = storage, bucket, name, title
        self._instance, self._cap_of = instance, cap_of
        self._changed = threading.Condition()
        self._writing = self._returned = False
        self._free = self._reserved = self._spent = 0.0
        self._slice_calls, self._granted_at = SLICE_CALLS, -QUICK_S
        self._stretch = 1.0  # the most that a call has cost of what it was expected to cost at the most
        self._denied: tuple[float, float, CapReachedError] | None = None  # until when, from how much on, what was said

    def reserve(self, usd: float, deadline: Deadline) -> float:
        """Set aside what a call may cost → the amount.

        Raises CapReachedError, InstanceShutdownError once the slice is given back, DeadlineExceededError,
        StorageUnavailableError.
        """
        with self._changed:
            wanted = usd * self._stretch
            while True:
                if self._returned:
                    raise InstanceShutdownError("this instance is shutting down: it begins no further model call")
                if self._free + ROUNDING_USD >= wanted:
                    self._free -= wanted
                    self._reserved += wanted
                    return wanted
                if self._denied and self._denied[0] > time.monotonic() and wanted >= self._denied[1]:
                    raise self._denied[2]
                if not self._writing:
                    self._writing = True
                    break
                self._changed.wait(deadline.clamp(deadline.seconds, "budget"))
        try:
            self._extend_slice(wanted, deadline)
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
        return self.reserve(usd, deadline)

    def settle(self, reserved: float, spent: float) -> None:
        """A call is over, and cost `spent` of what was reserved for it."""
        with self._changed:
            self._reserved -= reserved
            self._spent += spent
            self._free += reserved - spent
            if reserved > 0:
                self._stretch = max(self._stretch, self._stretch * spent / reserved)
            self._changed.notify_all()

    def return_unspent(self, deadline: Deadline) -> None:
        """Post what was spent, and return what is left, at the end of this process. Calls under way count as spent.

        Raises StorageUnavailableError, AccessDeniedError, UnreadableLedgerError, DeadlineExceededError.
        """
        with self._changed:
            self._returned = True  # a slice that was taken after this would count what is spent twice
            self._changed.notify_all()
            while self._writing:
                self._changed.wait(deadline.clamp(deadline.seconds, "budget"))
            spent, self._free = self._spent + self._reserved, 0.0
        while True:
            ledger, generation, _ = read_ledger(self._storage, self._bucket, self._name, self._title, deadline)
            after = ledger.without_share(self._instance, spent)
            if after is ledger:
                return
            try:
                write_ledger(self._storage, self._bucket, self._name, after, generation, deadline)
                return
            except PreconditionFailedError:
                time.sleep(deadline.clamp(WRITE_EVERY_S * random.random(), "budget"))

    def _extend_slice(self, wanted: float, deadline: Deadline) -> None:
        """Have the slice filled up for a call of `wanted` USD and some more. Raises CapReachedError."""
        while True:
            ledger, generation, written = read_ledger(self._storage, self._bucket, self._name, self._title, deadline)
            with self._changed:
                held, spent, missing = self._free + self._reserved, self._spent, wanted - self._free
            cap = self._cap_of(ledger)
            own = ledger.instances.get(self._instance, NOTHING)
            room = cap - (ledger.committed_usd - own.spent_usd - own.held_usd) - spent - held
            if room < missing:
                reached = CapReachedError(ledger, cap)
                self._denied = (time.monotonic() + DENIAL_CACHE_S, wanted, reached)
                raise reached
            wait_s = _too_early_s(written)
            if wait_s:
                time.sleep(deadline.clamp(wait_s, "budget"))
                continue
            now = time.monotonic()
            quick = now - self._granted_at < QUICK_S
            calls = min(MAX_SLICE_CALLS, 2 * self._slice_calls) if quick else SLICE_CALLS
            grant = max(missing, min(calls * wanted, room * SHARE_OF_REST))
            try:
                share = Share(spent_usd=round(spent, 6), held_usd=round(held + grant, 6))
                after = ledger.with_share(self._instance, share).model_copy(update={"limit_usd": cap})
                write_ledger(self._storage, self._bucket, self._name, after, generation, deadline)
            except PreconditionFailedError:
                time.sleep(deadline.clamp(WRITE_EVERY_S * random.random(), "budget"))
                continue
            with self._changed:
                self._free += grant
            self._slice_calls, self._granted_at = calls, now
            return


def _too_early_s(written: datetime | None) -> float:
    """Seconds to wait before the object may be written again, with jitter: others are waiting for the same moment."""
    if written is None:
        return 0.0
    age_s = (datetime.now(UTC) - written).total_seconds()
    if age_s >= WRITE_EVERY_S or age_s < -WRITE_EVERY_S:  # from the future: our clock is wrong, and tells nothing
        return 0.0
    return WRITE_EVERY_S - max(0.0, age_s) + WRITE_EVERY_S * random.random() / 2
