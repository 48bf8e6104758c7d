"""What the caps say: spent and left today, and of each catalogue that has a budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from function.budget.ledger import Ledger, UnreadableLedgerError, catalogue_name, day_name, read_ledger
from function.deadline import Deadline
from function.storage.client import AccessDeniedError, Storage
from function.tools.timeouts import CALL_S


@dataclass(frozen=True)
class Spending:
    """USD under one cap. `reserved_usd` is set aside for calls under way, or went with an instance that was killed."""

    spent_usd: float
    reserved_usd: float
    limit_usd: float

    @property
    def left_usd(self) -> float:
        """What may still be spent."""
        return round(max(0.0, self.limit_usd - self.spent_usd - self.reserved_usd), 6)

    def __str__(self) -> str:
        reserved = f", ${self.reserved_usd:,.2f} set aside" if self.reserved_usd >= 0.005 else ""
        return f"${self.spent_usd:,.2f} of ${self.limit_usd:,.2f} spent{reserved}, ${self.left_usd:,.2f} left"


def spending_today(storage: Storage, output_bucket: str) -> Spending | None:
    """Of MAX_USD_PER_DAY, over everything that the function has done today (UTC); None where there is no cap, or
    nothing was spent under it yet. Raises StorageUnavailableError."""
    today = datetime.now(UTC).date()
    return _read(storage, output_bucket, day_name(today), today.isoformat())


def spending_of_catalogue(storage: Storage, output_bucket: str, uri: str) -> Spending | None:
    """Of a catalogue's budget, the operator's or its own; None where it has none. Raises StorageUnavailableError."""
    return _read(storage, output_bucket, catalogue_name(uri), uri)


def _read(storage: Storage, bucket: str, name: str, account: str) -> Spending | None:
    try:
        ledger, _, _ = read_ledger(storage, bucket, name, account, Deadline(CALL_S))
    except (UnreadableLedgerError, AccessDeniedError):
        return None
    limit = _limit(ledger)
    if limit is None:
        return None
    return Spending(ledger.spent_usd, round(ledger.committed_usd - ledger.spent_usd, 6), limit)


def _limit(ledger: Ledger) -> float | None:
    stated = [usd for usd in (ledger.limit_usd, ledger.cap_usd) if usd is not None]
    return min(stated, default=None)
