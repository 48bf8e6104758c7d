"""What has been spent of one cap, as a stored record that all instances share.

An instance takes a slice of the cap before it calls the model, and spends from that without further requests. Its entry
says what it has spent altogether and what it holds; it is written whole, so that a write whose acknowledgement was
lost may be made again. The slice of an instance that was killed stays reserved: how much of it was spent is
unknown, and a cap that holds counts all of it.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from function.deadline import Deadline
from function.storage.client import ObjectNotFoundError, ObjectTooLargeError, Storage
from function.storage.names import BUDGET_PREFIX

MAX_LEDGER_BYTES = 4 * 2**20  # some 40,000 instances
MAX_CORRECTIONS = 40  # that are remembered: a write is tried again within seconds, or never


class UnreadableLedgerError(Exception):
    """The object in the ledger's place is no ledger: what was spent is unknown."""


class Share(BaseModel):
    """One instance's part, in USD: what it has spent, and the slice that it holds and may have spent."""

    model_config = ConfigDict(frozen=True)

    spent_usd: float
    held_usd: float


class Ledger(BaseModel):
    """USD. `closed_usd` was spent by instances that have ended; `cap_usd` is a catalogue's own budget.

    `limit_usd` is the cap that was in force when a slice was last taken, for people to look at. `corrections` are the
    ids of the last ones, so that each is made once.
    """

    model_config = ConfigDict(frozen=True)

    account: str
    closed_usd: float = 0.0
    instances: dict[str, Share] = {}
    cap_usd: float | None = None
    limit_usd: float | None = None
    corrections: tuple[str, ...] = ()

    @property
    def spent_usd(self) -> float:
        """What is known to be spent."""
        return round(self.closed_usd + sum(share.spent_usd for share in self.instances.values()), 6)

    @property
    def committed_usd(self) -> float:
        """What counts against the cap."""
        return round(self.spent_usd + sum(share.held_usd for share in self.instances.values()), 6)

    def with_share(self, instance: str, share: Share) -> Ledger:
        """With an instance's part as it is now."""
        return self.model_copy(update={"instances": {**self.instances, instance: share}})

    def corrected(self, correction: str, usd: float) -> Ledger:
        """With `usd` more of what was spent by instances that have ended, or less. Made twice it is the same."""
        if correction in self.corrections:
            return self
        corrections = (*self.corrections, correction)[-MAX_CORRECTIONS:]
        return self.model_copy(update={"closed_usd": round(self.closed_usd + usd, 6), "corrections": corrections})

    def without_share(self, instance: str, spent_usd: float) -> Ledger:
        """After an instance has ended, having spent so much. Made twice it is the same."""
        others = {name: share for name, share in self.instances.items() if name != instance}
        if len(others) == len(self.instances):
            return self
        return self.model_copy(update={"instances": others, "closed_usd": round(self.closed_usd + spent_usd, 6)})


def day_name(day: date) -> str:
    """Object name of a day's ledger."""
    return f"{BUDGET_PREFIX}days/{day.isoformat()}.json"


def catalogue_name(uri: str) -> str:
    """Object name of a catalogue's ledger, whatever its generation: a budget is not filled up by an upload."""
    return f"{BUDGET_PREFIX}catalogues/{hashlib.sha256(uri.encode()).hexdigest()}.json"


def read_ledger(
    storage: Storage, bucket: str, name: str, account: str, deadline: Deadline
) -> tuple[Ledger, int, datetime | None]:
    """The ledger, the generation of its object (0: there is none yet), and when that was written.

    Raises UnreadableLedgerError, StorageUnavailableError, AccessDeniedError.
    """
    while True:
        stored = storage.stat(bucket, name, deadline)
        if stored is None:
            return Ledger(account=account), 0, None
        try:
            body = storage.read(bucket, name, deadline, generation=stored.generation, limit=MAX_LEDGER_BYTES)
            return Ledger.model_validate_json(body), stored.generation, stored.updated
        except ObjectNotFoundError:
            continue  # replaced since it was looked at
        except (ValidationError, ObjectTooLargeError):
            raise UnreadableLedgerError(f"gs://{bucket}/{name} is not a ledger of this function") from None


def write_ledger(
    storage: Storage, bucket: str, name: str, ledger: Ledger, if_generation: int, deadline: Deadline
) -> int:
    """Store the ledger over the generation that was read → its new generation. Raises PreconditionFailedError,
    StorageUnavailableError."""
    body = ledger.model_dump_json(indent=1).encode()
    return storage.write(
        bucket, name, body, "application/json", deadline, if_generation=if_generation, metadata={}, contended=True
    )
