"""Caps that hold: over several instances, at one write a second, with kills among them."""

from __future__ import annotations

import json
import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from function.budget import account
from function.budget.account import MAX_SLICE_CALLS
from function.budget.budget import Budget
from function.budget.caps import Caps
from function.budget.ledger import BUDGET_PREFIX, catalogue_name, day_name
from function.deadline import Deadline
from function.errors import BudgetExhaustedError, BudgetUsedUpForTodayError, InstanceShutdownError
from function.storage.client import Storage
from function.tools.local.storage_emulator import PROJECT
from tests.fault_proxy import FaultProxy

WRITE_EVERY_S = 0.2
DAY = date(2026, 11, 27)
PRICE = 0.04  # what a call costs; up to MOST is set aside for it
MOST = 0.05


@pytest.fixture
def proxy(gcs, monkeypatch):
    """Cloud Storage's limit, one write a second to an object, with seconds that are shorter for all."""
    monkeypatch.setattr(account, "WRITE_EVERY_S", WRITE_EVERY_S)
    with FaultProxy(gcs.url, write_every_s=WRITE_EVERY_S) as proxy:
        yield proxy


@pytest.fixture
def storage(proxy, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
    return Storage(PROJECT)


@pytest.fixture
def bucket(gcs_client_session):
    name = f"budget-{uuid.uuid4().hex[:12]}"
    gcs_client_session.create_bucket(name)
    return name


def ledger(storage, bucket, name="_budget/days/2026-11-27.json"):
    return json.loads(storage.read(bucket, name, Deadline(30), limit=10**6))


def budget(storage, bucket, day_usd=None, catalogue_usd=None, waits=True):
    return Budget(storage, bucket, Caps(day_usd, catalogue_usd, waits), lambda: DAY)


def call(budget, catalogue=None, price=PRICE):
    """One call within the caps. Raises when there is no room for it."""
    pair = budget.of_pair(catalogue, None)
    pair.reserve(MOST, Deadline(120))
    pair.settle(price)


def call_while_there_is_room(budget, spent, lock, stop_after=10**6):
    for _ in range(stop_after):
        try:
            call(budget)
        except BudgetUsedUpForTodayError:
            return
        with lock:
            spent.append(PRICE)


def test_several_instances_never_spend_more_than_the_cap_and_hardly_less(storage, bucket, proxy):
    cap, spent, lock = 2.0, [], threading.Lock()
    instances = [budget(storage, bucket, cap) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(call_while_there_is_room, one, spent, lock) for one in instances for _ in range(2)]
        [future.result() for future in futures]
    total = sum(spent)
    assert total <= cap + 1e-9
    assert total >= cap - len(instances) * MOST, "what is left is less than a call each"
    writes = sum(target.endswith(day_name(DAY)) for operation, target in proxy.requests if operation == "insert")
    for one in instances:
        one.return_unspent()
    after = ledger(storage, bucket)
    assert after["instances"] == {} and after["closed_usd"] == pytest.approx(total)
    assert proxy.refused.total() <= writes, "writers wait for their turn instead of being refused again and again"


@pytest.mark.exhaustive
def test_a_killed_instance_takes_no_more_than_its_slice_with_it(storage, bucket):
    """One that never gives back, after a few calls: what the others cannot spend is its slice."""
    cap, spent, lock = 2.0, [], threading.Lock()
    call_while_there_is_room(budget(storage, bucket, cap), spent, lock, stop_after=3)
    call_while_there_is_room(budget(storage, bucket, cap), spent, lock)
    assert cap - MAX_SLICE_CALLS * MOST - MOST <= sum(spent) <= cap


def test_what_is_left_is_given_back_at_the_end(storage, bucket):
    first = budget(storage, bucket, 0.2)
    call(first)
    assert ledger(storage, bucket)["instances"]
    first.return_unspent()
    spent, lock = [], threading.Lock()
    call_while_there_is_room(budget(storage, bucket, 0.2), spent, lock)
    assert len(spent) == 3


def test_an_instance_that_has_given_back_begins_no_further_call_and_counts_once(storage, bucket):
    one = budget(storage, bucket, 1.0)
    call(one)
    one.return_unspent()
    with pytest.raises(InstanceShutdownError) as ending:
        call(one)
    assert not ending.value.uses_patience
    one.return_unspent()
    assert ledger(storage, bucket)["closed_usd"] == pytest.approx(PRICE)


def test_a_call_that_costs_more_than_expected_makes_the_next_ones_careful(storage, bucket):
    one = budget(storage, bucket, 1.0)
    total = 0.0
    with pytest.raises(BudgetUsedUpForTodayError):
        for _ in range(100):
            call(one, price=3 * MOST)
            total += 3 * MOST
    assert total <= 1.0


def test_the_day_waits_or_fails_as_it_is_told(storage, bucket):
    with pytest.raises(BudgetUsedUpForTodayError, match=r"MAX_USD_PER_DAY.*midnight UTC") as waits:
        call(budget(storage, bucket, 0.01))
    assert not waits.value.uses_patience and 0 < waits.value.retry_after_s <= 86401
    with pytest.raises(BudgetExhaustedError, match="MAX_USD_PER_DAY"):
        call(budget(storage, bucket, 0.01, waits=False))


def test_what_is_known_later_is_counted_and_given_back_whatever_the_caps_say(storage, bucket):
    spender = budget(storage, bucket, day_usd=2 * PRICE)
    accounts = spender.spend(PRICE, None, Deadline(60))
    spender.count_more(accounts, 2 * PRICE, Deadline(60))
    with pytest.raises(BudgetUsedUpForTodayError):
        budget(storage, bucket, day_usd=2 * PRICE).spend(PRICE, None, Deadline(60))
    spender.refund(accounts, 2 * PRICE, Deadline(60))
    spender.return_unspent()
    assert ledger(storage, bucket)["closed_usd"] == pytest.approx(PRICE)


def test_without_caps_nothing_is_read_or_written(storage, bucket, proxy):
    call(budget(storage, bucket))
    assert proxy.requests == []


def test_a_catalogues_budget_is_its_own_and_is_never_filled_up_again(storage, bucket):
    uri = f"gs://in/{random.randrange(10**9)}.csv"
    one = budget(storage, bucket)
    one.open_catalogue(uri, 0.10, Deadline(30))
    for _ in range(2):
        call(one, uri)
    with pytest.raises(BudgetExhaustedError, match=r"budget of gs://in/.*budget_usd"):
        call(one, uri)
    call(one, "gs://in/other.csv")
    one.return_unspent()
    another = budget(storage, bucket)
    another.open_catalogue(uri, 0.10, Deadline(30))  # uploaded again: spent is spent
    with pytest.raises(BudgetExhaustedError):
        call(another, uri)
    another.open_catalogue(uri, 0.20, Deadline(30))
    fresh = budget(storage, bucket)
    call(fresh, uri)
    assert ledger(storage, bucket, catalogue_name(uri))["account"] == uri


def test_the_operators_cap_on_catalogues_holds_for_each_of_them(storage, bucket):
    one = budget(storage, bucket, catalogue_usd=0.06)
    for uri in ("gs://in/a.csv", "gs://in/b.csv"):
        call(one, uri)
        with pytest.raises(BudgetExhaustedError):
            call(one, uri)
    call(one)  # a pair of no catalogue


def test_what_was_set_aside_under_one_cap_is_returned_when_another_refuses(storage, bucket):
    one = budget(storage, bucket, day_usd=0.10, catalogue_usd=0.01)
    for _ in range(5):
        with pytest.raises(BudgetExhaustedError):
            call(one, "gs://in/a.csv")
    call(one)


def test_a_ledger_that_cannot_be_read_lets_no_call_pass(storage, bucket, gcs_client_session):
    from function.errors import StorageUnavailableError

    gcs_client_session.bucket(bucket).blob(day_name(DAY)).upload_from_string("not a ledger")
    with pytest.raises(StorageUnavailableError, match="spending caps"):
        call(budget(storage, bucket, 1.0))


def test_counters_lie_where_nothing_expires():
    from function.storage.names import WORK_PREFIX

    assert day_name(DAY).startswith(BUDGET_PREFIX) and not BUDGET_PREFIX.startswith(WORK_PREFIX)


@pytest.mark.parametrize("fault", ["lost", "503", "reset"])
def test_a_ledger_write_that_was_made_twice_counts_once(storage, bucket, proxy, fault):
    one = budget(storage, bucket, 1.0)
    call(one)
    proxy.add(fault, "insert", f"*{day_name(DAY)}")
    for _ in range(10):
        call(one)
    assert any(set_fault.fired for set_fault in proxy.faults)
    one.return_unspent()
    assert ledger(storage, bucket)["closed_usd"] == pytest.approx(11 * PRICE)
