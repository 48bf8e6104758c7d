"""Deliveries that were slow at the wrong moment: what another one has settled meanwhile stays as it is."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager

import pytest

from function.deadline import Deadline
from function.delivery.cloud_event import parse_event
from function.delivery.lease_record import lease_name
from function.generation.answer_store import AnswerStore, answer_name
from function.generation.pricing import Usage
from function.generation.provider import Answer, Request
from function.storage.client import Storage
from tests.delivery.test_exactly_once import generations, in_background
from tests.storage.test_storage_faults import calls_for, is_whole, put_pair
from tests.support import PATIENCE_S


@pytest.fixture(scope="module")
def slow(place, proxy):
    """A server whose requests to storage can be held, and whose results differ, as another revision's would."""
    with place.server(STORAGE_EMULATOR_HOST=proxy.url, MAX_PX="512") as server:
        yield server


@pytest.fixture(scope="module")
def other(place):
    """A server that is quicker."""
    with place.server() as server:
        yield server


@contextmanager
def overtaken(place, proxy, slow, other, stem, held):
    """A delivery that is held at a request, while another one settles the pair; in the end they are all settled, and
    nothing of what was settled first has changed."""
    resource = put_pair(place, stem)
    fault = proxy.add(*held)
    thread, statuses = in_background(place.deliver, slow, resource)
    assert fault.held.wait(PATIENCE_S)
    yield resource
    assert place.deliver(other, resource).status == 200
    settled = outputs(place, stem)
    assert set(settled) == {f"{stem}.json", f"{stem}.png"}
    proxy.clear()
    thread.join()
    assert statuses[0].status in (200, 503)
    assert place.deliver(slow, resource).status == 200
    assert outputs(place, stem) == settled


def test_settled_between_the_look_and_the_lease(place, proxy, slow, other, gemini):
    with overtaken(place, proxy, slow, other, "look", ("pause_after", "stat", f"{place.output}/look.json")):
        pass
    assert calls_for(place, "look") == len(is_whole(place, "look")["attempts"]) == 1


def test_a_result_that_comes_too_late_replaces_no_other(place, proxy, slow, other, gemini):
    """Its run still held the lease when it looked last; then another one took it over."""
    held = "pause", "insert", f"{place.output}/late.png"
    with overtaken(place, proxy, slow, other, "late", held) as resource:
        expire_lease(place, resource)
    assert calls_for(place, "late") == len(is_whole(place, "late")["attempts"]) == 2


def test_a_failure_that_comes_too_late_removes_no_result(place, proxy, slow, other, gemini):
    gemini.control(faults=[{"kind": "403"}])
    held = "pause", "stat", f"{place.output}/failure.png"
    with overtaken(place, proxy, slow, other, "failure", held) as resource:
        expire_lease(place, resource)
    assert is_whole(place, "failure")["status"] != "failed"


def outputs(place, stem):
    """Object generation by name of a pair's outputs."""
    return {name: made for name, made in generations(place).items() if name.startswith(stem + ".")}


def test_an_answer_that_is_replaced_while_it_is_read_is_found(place, proxy, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
    store = AnswerStore(Storage(), place.output)
    request = Request("model", "prompt", (), "1:1", None, 1)
    first, second = (Answer("image", "STOP", "", image, "image/png", Usage(), None, 1) for image in (b"one", b"two"))
    store.keep(request, first, "somebody", Deadline(60))
    reading = proxy.add("pause", "get", f"{place.output}/{answer_name(request)}")
    thread, found = in_background(store.find, request, "owner", Deadline(60))
    assert reading.held.wait(PATIENCE_S)
    store.keep(request, second, "somebody", Deadline(60))
    reading.released.set()
    thread.join()
    assert [(one.answer, one.owner) for one in found] == [(second, "somebody")]


def expire_lease(cloud, resource, at=1.0):
    """As if the holder had stood still for a minute; `at`: seconds since 1970."""
    body, headers = cloud.event(resource)
    blob = cloud.client.bucket(cloud.output).blob(lease_name(parse_event(headers, body)))
    lease = json.loads(blob.download_as_bytes())
    blob.upload_from_string(json.dumps({**lease, "expires": at}))


# --- a run that another one has taken over from, and whose sidecar was on its way all the time


def with_its_sidecar_on_its_way(place, other, stem, **fields):
    """A pair whose run stood still as it sent its sidecar → (its event, what lets the sidecar arrive)."""
    resource = put_pair(place, stem, **fields)
    assert place.deliver(other, resource).status == 200
    blob = place.client.bucket(place.output).get_blob(place.prefix + f"{stem}.json")
    content, metadata = blob.download_as_bytes(), blob.metadata
    blob.delete()
    expire_lease(place, resource)

    def arrive():
        late = place.client.bucket(place.output).blob(blob.name)
        late.metadata = metadata
        late.upload_from_string(content, "application/json", if_generation_match=0)

    return resource, arrive


def overtaken_at(place, proxy, slow, resource, held, meanwhile):
    """The heir's status, which is held at a request until `meanwhile` has happened."""
    fault = proxy.add(*held)
    thread, answers = in_background(place.deliver, slow, resource)
    assert fault.held.wait(PATIENCE_S)
    meanwhile()
    proxy.clear()
    thread.join()
    return answers[0].status


def test_the_result_of_a_sidecar_that_arrives_late_stands_and_every_call_is_listed(place, proxy, slow, other, gemini):
    resource, arrive = with_its_sidecar_on_its_way(place, other, "heir")
    held = "pause", "insert", f"{place.output}/heir.json"
    assert overtaken_at(place, proxy, slow, resource, held, arrive) == 200
    sidecar = is_whole(place, "heir")
    assert calls_for(place, "heir") == len(sidecar["attempts"]) == 2
    assert sidecar["cost"]["usd"] == pytest.approx(sum(attempt["usd"] for attempt in sidecar["attempts"]))
    assert place.metadata("heir.json")["usd"] == f"{sidecar['cost']['usd']:.6f}"


def test_an_heir_pays_for_nothing_once_the_run_before_it_has_settled(place, proxy, slow, other, gemini):
    resource, arrive = with_its_sidecar_on_its_way(place, other, "spared")
    held = "pause_after", "stat", f"{place.output}/_work/answers/*"
    assert overtaken_at(place, proxy, slow, resource, held, arrive) == 503
    assert place.deliver(slow, resource).status == 200
    assert calls_for(place, "spared") == len(is_whole(place, "spared")["attempts"]) == 1


def test_what_an_heir_has_settled_and_not_put_in_its_place_is_finished_by_any_delivery(
    place, proxy, slow, other, gemini
):
    resource, _ = with_its_sidecar_on_its_way(place, other, "left")

    def finish():
        assert place.deliver(other, resource).status == 200
        assert calls_for(place, "left") == len(is_whole(place, "left")["attempts"]) == 2

    held = "pause", "insert", f"{place.output}/left.png"
    assert overtaken_at(place, proxy, slow, resource, held, finish) == 200
    is_whole(place, "left")
    assert "result-pending" not in place.metadata("left.json")
    waiting = place.client.list_blobs(place.output, prefix="_work/results/")
    assert not [blob for blob in waiting if blob.metadata["manifest"].endswith("/left.json")]


def test_several_results_that_an_heir_has_settled_are_all_put_into_their_places(place, proxy, slow, other, gemini):
    outputs = [{"name": name, "width": width, "format": "png"} for name, width in (("large", 320), ("small", 64))]
    resource, _ = with_its_sidecar_on_its_way(place, other, "set", outputs=outputs)
    written_first = place.get("set/large.png")

    def finish():
        assert place.deliver(other, resource).status == 200

    held = "pause", "insert", f"{place.output}/set/large.png"
    assert overtaken_at(place, proxy, slow, resource, held, finish) == 200
    sidecar = place.sidecar("set.json")
    assert [one["name"] for one in sidecar["results"]] == ["large", "small"]
    for result in sidecar["results"]:
        assert hashlib.sha256(place.get(f"set/{result['name']}.png")).hexdigest() == result["sha256"]
    assert place.get("set/large.png") != written_first  # the heir's, which was set aside
    assert "result-pending" not in place.metadata("set.json")
