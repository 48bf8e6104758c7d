"""Random interleavings of the delivery code keep its promises, and what makes them finds planted faults."""

from __future__ import annotations

import contextlib

import pytest

from function.budget.account import Account
from function.budget.ledger import Ledger
from function.deadline import Deadline
from function.delivery import reconciliation
from function.delivery.lease import RENEWAL_S, LeaseHandle
from function.delivery.lease_record import Lease
from function.delivery.outputs import OutputWriter
from function.delivery.process_once import _Run
from function.errors import CompositeError
from function.generation.answer_store import AnswerStore
from tests.delivery.exploration.world import World
from tests.delivery.explore import explore
from tests.tiers import exhaustive

RUNS = 300  # within which each planted fault is found
QUICK = 120  # in the default tests


@pytest.mark.parametrize(
    ("first", "count"),
    [(1, QUICK), *exhaustive((QUICK + 1, RUNS - QUICK), *((seed, 1000) for seed in range(1000, 6000, 1000)))],
)
def test_every_promise_holds(first, count):
    assert explore(range(first, first + count)) == []


def test_a_seed_gives_the_same_run_again(capsys):
    runs = []
    for _ in range(2):
        World(17, trace=True).run()
        runs.append(capsys.readouterr().out)
    assert len(runs[0].splitlines()) > 20
    assert runs[0] == runs[1]


def reserved_in_memory_only(self, call, deadline):
    """A call that no later delivery hears of."""
    self._lease = self._lease.model_copy(update={"calls": (*self._lease.calls, call)})


def renewed_without_precondition(self):
    """A renewal that takes the lease from whoever holds it."""
    storage = self._storage
    with self._writing:
        stored = storage.stat(self._bucket, self._name, Deadline(RENEWAL_S))
        self._generation = stored.generation if stored else 0
        with contextlib.suppress(CompositeError):
            self._replace(self._lease.model_copy(update={"expires": 9e9}), Deadline(RENEWAL_S))


def of_this_generation_whatever_it_is(self, stored):
    """A commit that takes every output for one that it may replace."""
    return 0


def closed_and_kept(self, instance, spent_usd):
    """The slice of an instance that ends is not returned, and what was spent of it is counted once more."""
    return self.model_copy(update={"closed_usd": self.closed_usd + spent_usd})


def spent_without_being_noted(self, reserved, spent):
    """Every call leaves the whole slice for others."""
    with self._changed:
        self._reserved -= reserved
        self._free += reserved


PLANTED = {
    "a call that is not noted before it is paid": (LeaseHandle, "reserve", reserved_in_memory_only),
    "a lease that is always available": (Lease, "is_available", lambda self: True),
    "a renewal without a precondition": (LeaseHandle, "renew", renewed_without_precondition),
    "a commit whatever generation is there": (OutputWriter, "_generation_of", of_this_generation_whatever_it_is),
    "a slice that is not returned and counted twice": (Ledger, "without_share", closed_and_kept),
    "a lease that is never available": (Lease, "is_available", lambda self: False),
    "money that is spent and not counted": (Account, "settle", spent_without_being_noted),
    "an answer that is not kept": (AnswerStore, "keep", lambda *_: None),
    "a failure that nobody records": (_Run, "_record", lambda *_: None),
    "a result that is set aside and not put in its place": (reconciliation, "_finish_result", lambda *_: None),
}
FIRST = list(PLANTED)[:5]


@pytest.mark.parametrize("fault", [*FIRST, *exhaustive(*(fault for fault in PLANTED if fault not in FIRST))])
def test_a_planted_fault_is_found(fault, monkeypatch):
    owner, name, planted = PLANTED[fault]
    monkeypatch.setattr(owner, name, planted)
    assert any(explore([seed]) for seed in range(1, RUNS + 1))
