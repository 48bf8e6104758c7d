"""The switch: while the input bucket is paused nothing begins, nothing is paid for, and nothing is lost."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import function.delivery.switch as switch_module
from function.deadline import Deadline
from function.delivery.switch import LOOK_EVERY_S, Switches, SwitchState, read_switch, write_switch
from function.storage.client import Storage
from function.tools.local.storage_emulator import PROJECT
from tests.delivery.test_exactly_once import in_background
from tests.fault_proxy import FaultProxy
from tests.support import PATIENCE_S, http, log_lines, wait_until
from tests.tiers import exhaustive

OVER_AN_HOUR_S = 3601.0
SWITCH = "_paused"


@pytest.fixture
def switch(own_cloud, monkeypatch):
    """Pause (True) or resume (False) the test's input bucket, as the commands do → whether that changed it."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    storage = Storage(PROJECT)
    return lambda paused: write_switch(storage, own_cloud.input, paused=paused, deadline=Deadline(60))


def looks(proxy, cloud) -> int:
    """How often the switch was asked for."""
    return proxy.requests.count(("stat", f"{cloud.input}/{SWITCH}"))


def test_paused_is_503_without_a_lease_or_a_call_and_resumed_it_is_settled(own_cloud, switch):
    resource, catalogue = own_cloud.put_pair(), own_cloud.put("spring.csv", "product,scene\nproduct.png,scene.png\n")
    assert switch(True) and not switch(True)
    with own_cloud.server() as server:
        responses = [own_cloud.deliver(server, one, age_s=OVER_AN_HOUR_S) for one in (resource, catalogue)]
        assert [(response.status, response.body) for response in responses] == [(503, b"paused\n")] * 2
        assert own_cloud.names(work=True) == [] and own_cloud.gemini.requests == []
        lines = [line for line in log_lines(server) if line["message"] == "paused"]
        assert [(line["severity"], line["stage"], line["age_s"] > 3600) for line in lines] == [
            ("INFO", "event", True)
        ] * 2
        assert own_cloud.deliver(server, own_cloud.put("photo.txt", "no manifest")).status == 200
        assert switch(False) and not switch(False)
        own_cloud.deliver_until_settled(server, resource)
        own_cloud.deliver_until_settled(server, catalogue)
    assert own_cloud.sidecar()["status"] != "failed" and own_cloud.sidecar("spring.csv.json")["rows_written"] == 1


@pytest.mark.exhaustive
def test_a_pause_is_seen_by_a_server_that_is_at_work(own_cloud, switch):
    with own_cloud.server() as server:
        assert own_cloud.deliver(server, own_cloud.put_pair("before.json")).status == 200
        switch(True)
        calls = own_cloud.calls()

        def settles_no_more():
            own_cloud.put("bad.json", "{}")
            blob = own_cloud.client.bucket(own_cloud.input).get_blob("bad.json")
            return own_cloud.deliver(server, dict(blob._properties)).status == 503

        wait_until(settles_no_more, within_s=LOOK_EVERY_S + 30)
        assert own_cloud.deliver(server, own_cloud.put_pair("after.json")).status == 503
    assert own_cloud.calls() == calls


@pytest.mark.exhaustive
def test_the_time_of_a_pause_is_not_held_against_what_waited(own_cloud, switch):
    """First delivered, then paused for longer than the patience, and then a fault that may pass: its hour begins."""
    with FaultProxy(own_cloud.gcs.url) as proxy:
        fault = proxy.add("503", "get", f"{own_cloud.input}/scene.png", times=None)
        changes = {"STORAGE_EMULATOR_HOST": proxy.url, "EVENT_DEADLINE_S": "8"}
        with own_cloud.server(**changes) as server:
            resource = own_cloud.put_pair()
            assert own_cloud.deliver(server, resource).status == 503
        own_cloud.backdate_first_delivery(resource, OVER_AN_HOUR_S)  # that long ago, and paused ever since
        switch(True)
        switch(False)
        with own_cloud.server(**changes) as server:
            assert own_cloud.deliver(server, resource, age_s=OVER_AN_HOUR_S).status == 503
            assert fault.fired and own_cloud.names() == []
            own_cloud.client.bucket(own_cloud.input).blob(SWITCH).delete()  # as if it had never been paused
        with own_cloud.server(**changes) as server:
            assert own_cloud.deliver(server, resource).status == 200
    assert own_cloud.sidecar()["status"] == "failed"


def test_eight_deliveries_at_once_look_at_it_once(own_cloud):
    with FaultProxy(own_cloud.gcs.url) as proxy, own_cloud.server(STORAGE_EMULATOR_HOST=proxy.url) as server:
        resource = own_cloud.put("bad.json", "{}")
        pause = proxy.add("pause", "stat", f"{own_cloud.input}/{SWITCH}")
        pause.released.set()
        own_cloud.deliver_many(server, resource, 8)
        assert pause.fired and looks(proxy, own_cloud) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["403", *exhaustive("503", "stall")])
def test_one_that_cannot_be_read_stops_nothing_and_is_told_once(own_cloud, kind):
    with FaultProxy(own_cloud.gcs.url) as proxy, own_cloud.server(STORAGE_EMULATOR_HOST=proxy.url) as server:
        fault = proxy.add(kind, "stat", f"{own_cloud.input}/{SWITCH}", times=None)
        for name in ("one.json", "two.json"):
            assert own_cloud.deliver(server, own_cloud.put(name, "{}")).status == 200
            seen = fault.fired
            wait_until(lambda: own_cloud.deliver(server, own_cloud.put("x.json", "{}")) and fault.fired > seen)  # noqa: B023
        told = [line for line in log_lines(server) if "cannot be read" in line["message"]]
    assert [line["severity"] for line in told] == ["WARNING"] and "taken as running" in told[0]["message"]


@pytest.mark.exhaustive
def test_a_pause_that_was_seen_holds_while_the_switch_cannot_be_read(own_cloud, switch):
    switch(True)
    resource = own_cloud.put("pair.json", "{}")
    with FaultProxy(own_cloud.gcs.url) as proxy, own_cloud.server(STORAGE_EMULATOR_HOST=proxy.url) as server:
        assert own_cloud.deliver(server, resource).status == 503
        fault = proxy.add("403", "stat", f"{own_cloud.input}/{SWITCH}", times=None)
        wait_until(lambda: own_cloud.deliver(server, resource).status == 503 and fault.fired)
        assert own_cloud.deliver(server, resource).status == 503


def test_what_was_read_slowly_is_believed_no_longer(own_cloud, switch, monkeypatch):
    """The switch said that it runs, was turned, and then the response came."""
    now = [100.0]
    with FaultProxy(own_cloud.gcs.url) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        monkeypatch.setattr(switch_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
        switches = Switches(Storage(PROJECT))
        fault = proxy.add("pause_after", "stat", f"{own_cloud.input}/{SWITCH}")
        thread, seen = in_background(switches.look, own_cloud.input)
        assert fault.held.wait(PATIENCE_S)
        switch(True)
        now[0] += LOOK_EVERY_S - 1
        fault.released.set()
        thread.join()
        assert not seen[0].paused and not switches.look(own_cloud.input).paused
        now[0] += 1
        assert switches.look(own_cloud.input).paused


def test_an_object_put_there_by_hand_pauses(own_cloud, switch):
    own_cloud.put(SWITCH, "")
    state = read_switch(Storage(PROJECT), own_cloud.input, Deadline(60))
    assert state.paused and state.changed > 0
    assert switch(False)
    resumed = read_switch(Storage(PROJECT), own_cloud.input, Deadline(60))
    assert resumed == SwitchState(False, resumed.changed) and resumed.changed >= state.changed


def test_over_http_nothing_is_paused(own_cloud, switch):
    switch(True)
    with own_cloud.server(target="composite_http") as server:
        assert http(server.url, b"{}", {"Content-Type": "application/json"}).status == 400
