"""Random interleavings of batch jobs keep their promises, and what makes them finds planted faults."""

from __future__ import annotations

import pytest

from function.batch import create, follow, lines, release, twins
from function.batch.context import BatchContext
from function.batch.records import Records
from function.budget.budget import Budget
from function.generation.batch_service import ServiceJob
from tests.delivery.exploration.batch_world import BatchWorld
from tests.delivery.explore import explore
from tests.tiers import exhaustive

RUNS = 200  # within which each planted fault is found
QUICK = 24  # in the default tests


@pytest.mark.parametrize(
    ("first", "count"),
    [(1, QUICK), *exhaustive((QUICK + 1, RUNS - QUICK), *((seed, 500) for seed in range(1000, 4000, 500)))],
)
def test_every_promise_holds(first, count):
    assert explore(range(first, first + count), BatchWorld) == []


def test_a_seed_gives_the_same_run_again(capsys):
    runs = []
    for _ in range(2):
        BatchWorld(17, trace=True).run()
        runs.append(capsys.readouterr().out)
    assert len(runs[0].splitlines()) > 20
    assert runs[0] == runs[1]


def not_claimed(context, digest, job, deadline):
    """A job takes what it is planned for, whoever has it, and leaves no trace."""
    return context.requests.read(digest, deadline)[0]


UPDATE, REFUND = BatchContext.update, Budget.refund


def without_record_of_the_creation(self, job, deadline, **changes):
    """That a job is asked for is known to this sweep alone."""
    if changes.get("state") == "creating":
        return job.model_copy(update=changes)
    return UPDATE(self, job, deadline, **changes)


def twice(self, accounts, usd, deadline):
    """What was not spent is given back twice."""
    for _ in range(2):
        REFUND(self, accounts, usd, deadline)


def alike(self, key, record, if_generation, deadline):
    """What two write at once, and says the same, is the same."""
    return self._storage.write(
        self._bucket, self._name_of(key), record.model_dump_json().encode(), "application/json", deadline,
        if_generation=if_generation, metadata={},
    )  # fmt: skip


PLANTED = {
    "a request that is not claimed before it is sent": (create, "_claim", not_claimed),
    "a job that is not recorded before it is made": (BatchContext, "update", without_record_of_the_creation),
    "a job that is taken for ended while it lives": (ServiceJob, "ended", True),
    "a job that is given up as soon as it is cancelled": (follow, "CANCEL_WAIT_S", 0.0),
    "an answer that nobody is told of": (release, "touch", lambda *_: True),
    "a batch's answer at the full price": (lines, "replace", lambda answer, **_: answer),
    "money that is given back twice": (Budget, "refund", twice),
    "a job that no cap counts": (Budget, "spend", lambda *_: ()),
    "twins that are not noted": (twins, "_note", lambda *_: None),
    "two who cannot be told apart": (Records, "write", alike),
}
SLOW = list(PLANTED)[-2:]  # ten times as rare as the others


@pytest.mark.parametrize("fault", [*(fault for fault in PLANTED if fault not in SLOW), *exhaustive(*SLOW)])
def test_a_planted_fault_is_found(fault, monkeypatch):
    owner, name, planted = PLANTED[fault]
    monkeypatch.setattr(owner, name, planted)
    assert any(explore([seed], BatchWorld) for seed in range(1, RUNS + 1))
