"""The caps that a model call has to pass, and what they say when it may not."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from function.budget.account import Account, CapReachedError
from function.budget.caps import Caps
from function.budget.ledger import Ledger, UnreadableLedgerError, catalogue_name, day_name, read_ledger, write_ledger
from function.deadline import Deadline
from function.errors import BudgetExhaustedError, BudgetUsedUpForTodayError, CompositeError, StorageUnavailableError
from function.storage.client import AccessDeniedError, PreconditionFailedError, Storage

logger = logging.getLogger(__name__)

OWN_BUDGET_CACHE_S = 30.0  # that a catalogue is believed to have, or not to have, a budget of its own
RETURN_S = 5.0  # Cloud Run kills an instance ten seconds after it has asked it to end
NO_LIMIT = float("inf")


class Budget:
    """The caps of this process, over all its pairs. Thread-safe."""

    def __init__(self, storage: Storage, bucket: str, caps: Caps, today: Callable[[], date] | None = None):
        self._storage, self._bucket, self._caps = storage, bucket, caps
        self._today = today or (lambda: datetime.now(UTC).date())
        self._instance = uuid.uuid4().hex
        self._accounts: dict[str, Account] = {}
        self._own_caps: dict[str, tuple[float, bool]] = {}  # by catalogue: believed until, whether it has one
        self._lock = threading.Lock()

    def of_pair(self, catalogue: str | None, own_usd: float | None) -> PairBudget:
        """What limits one pair: the day, the catalogue (gs:// name) that it is from, and a budget of its own."""
        return PairBudget(self, catalogue, own_usd)

    def reserve(self, usd: float, catalogue: str | None, deadline: Deadline) -> list[tuple[Account, float]]:
        """Set aside what a call may cost, under every cap that it comes under.

        Raises BudgetUsedUpForTodayError or BudgetExhaustedError, DeadlineExceededError, StorageUnavailableError.
        """
        held: list[tuple[Account, float]] = []
        try:
            for account in self._accounts_of(catalogue, deadline):
                held.append((account, account.reserve(usd, deadline)))
        except BaseException as error:
            for account, reserved in held:
                account.settle(reserved, 0.0)
            if isinstance(error, CapReachedError):
                raise self._exhausted(error) from None
            if isinstance(error, AccessDeniedError | UnreadableLedgerError):
                raise StorageUnavailableError(f"the spending caps cannot be read: {error}", stage="budget") from None
            raise
        return held

    def spend(self, usd: float, catalogue: str | None, deadline: Deadline) -> tuple[tuple[str, str], ...]:
        """Count `usd` as spent under every cap → the accounts (ledger, title), for `refund`. Raises as `reserve`."""
        held = self.reserve(usd, catalogue, deadline)
        for account, reserved in held:
            account.settle(reserved, usd)
        return tuple((account.name, account.title) for account, _ in held)

    def refund(self, accounts: Sequence[tuple[str, str]], usd: float, deadline: Deadline) -> None:
        """Less was spent than `spend` counted, by `usd`. What cannot be noted stays counted."""
        for name, title in accounts:
            with contextlib.suppress(CompositeError, AccessDeniedError, UnreadableLedgerError):
                self._correct(name, title, -usd, deadline)

    def count_more(self, accounts: Sequence[tuple[str, str]], usd: float, deadline: Deadline) -> None:
        """More was spent than `spend` counted, by `usd`, whatever the caps say. Raises StorageUnavailableError,
        DeadlineExceededError."""
        for name, title in accounts:
            try:
                self._correct(name, title, usd, deadline)
            except (AccessDeniedError, UnreadableLedgerError) as error:
                raise StorageUnavailableError(f"what was spent cannot be counted: {error}", stage="budget") from None

    def _correct(self, name: str, title: str, usd: float, deadline: Deadline) -> None:
        correction = uuid.uuid4().hex[:16]
        while True:
            ledger, generation, _ = read_ledger(self._storage, self._bucket, name, title, deadline)
            after = ledger.corrected(correction, usd)
            if after is ledger:  # an earlier try had arrived, and others have written since
                return
            try:
                write_ledger(self._storage, self._bucket, name, after, generation, deadline)
                return
            except PreconditionFailedError:
                time.sleep(deadline.clamp(random.random(), "budget"))

    def open_catalogue(self, uri: str, own_usd: float | None, deadline: Deadline) -> None:
        """Note a catalogue's own budget, before its rows are written; what was spent before stays spent.

        Raises StorageUnavailableError.
        """
        name = catalogue_name(uri)
        while True:
            try:
                ledger, generation, _ = read_ledger(self._storage, self._bucket, name, uri, deadline)
                if ledger.cap_usd != own_usd:
                    ledger = ledger.model_copy(update={"cap_usd": own_usd})
                    write_ledger(self._storage, self._bucket, name, ledger, generation, deadline)
                return
            except PreconditionFailedError:
                time.sleep(deadline.clamp(1.0, "budget"))
            except (AccessDeniedError, UnreadableLedgerError) as error:
                raise StorageUnavailableError(
                    f"the catalogue's budget cannot be recorded: {error}", stage="budget"
                ) from None

    def return_unspent(self) -> None:
        """Return what is left of every slice; for the end of this process. What cannot be returned counts as spent."""
        with self._lock:
            accounts = list(self._accounts.values())
        for account in accounts:
            with contextlib.suppress(CompositeError, AccessDeniedError, UnreadableLedgerError, PreconditionFailedError):
                account.return_unspent(Deadline(RETURN_S))

    def _accounts_of(self, catalogue: str | None, deadline: Deadline) -> list[Account]:
        accounts = []
        if self._caps.day_usd is not None:
            day = self._today()
            accounts.append(self._account(day_name(day), day.isoformat(), self._day_cap))
        if catalogue is not None and self._has_cap(catalogue, deadline):
            accounts.append(self._account(catalogue_name(catalogue), catalogue, self._catalogue_cap))
        return accounts

    def _account(self, name: str, title: str, cap_of: Callable[[Ledger], float]) -> Account:
        with self._lock:
            if name not in self._accounts:
                self._accounts[name] = Account(self._storage, self._bucket, name, title, self._instance, cap_of)
            return self._accounts[name]

    def _day_cap(self, _: Ledger) -> float:
        return NO_LIMIT if self._caps.day_usd is None else self._caps.day_usd

    def _catalogue_cap(self, ledger: Ledger) -> float:
        return min(
            NO_LIMIT if self._caps.catalogue_usd is None else self._caps.catalogue_usd,
            NO_LIMIT if ledger.cap_usd is None else ledger.cap_usd,
        )

    def _has_cap(self, catalogue: str, deadline: Deadline) -> bool:
        """Whether a catalogue comes under a cap, the operator's or its own."""
        if self._caps.catalogue_usd is not None:
            return True
        now = time.monotonic()
        with self._lock:
            until, has = self._own_caps.get(catalogue, (0.0, False))
        if until > now:
            return has
        ledger, _, _ = read_ledger(self._storage, self._bucket, catalogue_name(catalogue), catalogue, deadline)
        with self._lock:
            self._own_caps[catalogue] = now + OWN_BUDGET_CACHE_S, ledger.cap_usd is not None
        return ledger.cap_usd is not None

    def _exhausted(self, reached: CapReachedError) -> BudgetExhaustedError | BudgetUsedUpForTodayError:
        ledger, cap = reached.ledger, reached.cap_usd
        of_catalogue = ledger.account.startswith("gs://")
        logger.error(
            "budget exhausted",
            extra={
                "stage": "budget",
                "error_code": BudgetExhaustedError.code.value,
                "account": "catalogue" if of_catalogue else "day",
                "name_": ledger.account,
                "spent_usd": ledger.committed_usd,
                "cap_usd": cap,
            },
        )
        said = f"{ledger.committed_usd:.2f} of {cap:.2f} USD are spent or reserved for calls under way"
        if of_catalogue:
            return BudgetExhaustedError(
                f"the budget of {ledger.account} is used up: {said}; raise MAX_USD_PER_CATALOGUE or its budget_usd, "
                "then `redrive --failed`"
            )
        if self._caps.waits:
            return BudgetUsedUpForTodayError(
                f"MAX_USD_PER_DAY is used up: {said}; it resets at midnight UTC", seconds_to_midnight()
            )
        return BudgetExhaustedError(f"MAX_USD_PER_DAY is used up: {said}; raise it or wait for midnight UTC, "
                               "then `redrive --failed`", seconds_to_midnight())  # fmt: skip


def seconds_to_midnight() -> int:
    """Seconds until the day's cap is reset (UTC)."""
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    return int((midnight - now).total_seconds()) + 1


class PairBudget:
    """The caps as one pair meets them. Not thread-safe: a pair asks one call after the other."""

    def __init__(self, budget: Budget, catalogue: str | None, own_usd: float | None):
        self._budget, self._catalogue, self._own_usd = budget, catalogue, own_usd
        self._spent_usd = 0.0
        self._held: list[tuple[Account, float]] = []

    def reserve(self, usd: float, deadline: Deadline) -> None:
        """Set aside what the next call may cost. Raises as `Budget.reserve`."""
        self.check_own(usd)
        self._held = self._budget.reserve(usd, self._catalogue, deadline)

    def check_own(self, usd: float) -> None:
        """Raises BudgetExhaustedError when the pair's own budget does not pay for another call of `usd`."""
        if self._own_usd is not None and self._spent_usd + usd > self._own_usd:
            raise BudgetExhaustedError(
                f"budget_usd is used up: {self._spent_usd:.3f} of {self._own_usd:.3f} USD are spent, and the next "
                f"picture may cost {usd:.3f}"
            )

    def settle(self, spent_usd: float) -> None:
        """The call that was reserved for is over and cost so much; 0 when it was not billed."""
        self.note_spent(spent_usd)
        for account, reserved in self._held:
            account.settle(reserved, spent_usd)
        self._held = []

    def note_spent(self, usd: float) -> None:
        """An earlier delivery of this pair has spent so much, under the caps of its time."""
        self._spent_usd += usd
