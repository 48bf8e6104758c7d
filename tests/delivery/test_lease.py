"""A lease is short, renewed while its run goes on, and of no use to a run that has lost it."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from function.deadline import Deadline
from function.delivery import held_leases
from function.delivery import lease as lease_module
from function.delivery.cloud_event import parse_event
from function.delivery.held_leases import HeldLeases
from function.delivery.lease import LEASE_S, acquire_lease, lease_name
from function.errors import DeadlineExceededError, LeaseHeldError, StorageUnavailableError, SupersededError
from function.generation.call_ledger import BegunCall
from function.storage.client import Storage
from tests.fault_proxy import FaultProxy
from tests.support import wait_until

LONG = 300.0  # seconds that the event has: far more than a lease
CALL = BegunCall(number=1, seed=1)


@pytest.fixture
def upload(own_cloud, monkeypatch):
    """An uploaded pair, and the emulator as this process's storage."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    body, headers = own_cloud.event(own_cloud.put_pair())
    return parse_event(headers, body)


def stored(cloud, upload):
    """The lease as it is stored."""
    return json.loads(cloud.client.bucket(cloud.output).blob(lease_name(upload)).download_as_bytes())


def test_a_lease_is_short_and_renewed(own_cloud, upload, monkeypatch):
    monkeypatch.setattr(held_leases, "RENEW_EVERY_S", 0.1)
    lease = acquire_lease(Storage(), own_cloud.output, upload, Deadline(LONG))
    first = stored(own_cloud, upload)["expires"]
    assert first <= time.time() + LEASE_S
    with HeldLeases().keep(lease):
        wait_until(lambda: stored(own_cloud, upload)["expires"] > first)
        lease.reserve(CALL, Deadline(LONG))  # it knows the object's generation that the renewal made
        lease.assert_held(Deadline(LONG))
    lease.close()


def test_a_run_whose_lease_was_handed_on_neither_calls_nor_commits(own_cloud, upload):
    leases, storage = HeldLeases(), Storage()
    lease = acquire_lease(storage, own_cloud.output, upload, Deadline(LONG))
    with leases.keep(lease):
        lease.reserve(CALL, Deadline(LONG))
        leases.hand_over_all()
        with pytest.raises(LeaseHeldError):
            lease.reserve(CALL, Deadline(LONG))
        with pytest.raises(LeaseHeldError):
            lease.assert_held(Deadline(LONG))
        heir = acquire_lease(storage, own_cloud.output, upload, Deadline(LONG))
        assert heir.begun() == (CALL,)
        lease.release(Deadline(LONG))  # as the run does in the end: it is the heir's now
        heir.assert_held(Deadline(LONG))
    lease.close()
    with pytest.raises(LeaseHeldError), leases.keep(heir):
        raise AssertionError("nothing begins while the process ends")
    assert stored(own_cloud, upload)["state"] == "free"
    heir.close()


@pytest.mark.parametrize("next_step", ["renew", "reserve", "assert_held", "release"])
def test_a_run_knows_its_own_renewal_whose_acknowledgement_was_lost(own_cloud, upload, monkeypatch, next_step):
    with FaultProxy(own_cloud.gcs.url) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        lease = acquire_lease(Storage(), own_cloud.output, upload, Deadline(LONG))
        before = stored(own_cloud, upload)["expires"]
        lost = proxy.add("pause_after", "insert", f"{own_cloud.output}/{lease_name(upload)}", times=None)
        with monkeypatch.context() as hurried, pytest.raises((StorageUnavailableError, DeadlineExceededError)):
            hurried.setattr(lease_module, "RENEWAL_S", 1.0)  # only where the answer is lost: a busy machine is slow
            lease.renew()
        assert lost.fired and stored(own_cloud, upload)["expires"] > before
        proxy.clear()
        steps = {"reserve": (CALL, Deadline(LONG)), "assert_held": (Deadline(LONG),), "release": (Deadline(LONG),)}
        getattr(lease, next_step)(*steps.get(next_step, ()))
        left = stored(own_cloud, upload)
        assert (left["state"] == "free") == (next_step == "release")
        assert len(left["calls"]) == (next_step == "reserve")
    lease.close()


def test_a_lease_that_a_newer_generation_took_is_not_taken_for_an_own_write(own_cloud, upload):
    lease = acquire_lease(Storage(), own_cloud.output, upload, Deadline(LONG))
    newer = acquire_lease(
        Storage(), own_cloud.output, replace(upload, generation=upload.generation + 1), Deadline(LONG)
    )
    for step in (lease.renew, lambda: lease.reserve(CALL, Deadline(LONG)), lambda: lease.assert_held(Deadline(LONG))):
        with pytest.raises(SupersededError):
            step()
    newer.assert_held(Deadline(LONG))
    for each in (lease, newer):
        each.close()
