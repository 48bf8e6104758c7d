"""Deliveries: what is acknowledged, what comes again, and what is never touched."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import http, log_lines
from tests.tiers import exhaustive

FINALIZED = "google.cloud.storage.object.v1.finalized"


def test_a_pair_becomes_a_result_and_a_sidecar(cloud, server):
    resource = cloud.put_pair("a/b/pair.json", labels={"sku": "K-1"})
    response = cloud.deliver(server, resource)
    assert response.status == 200
    assert cloud.names() == ["a/b/pair.json", "a/b/pair.png"]
    sidecar = cloud.sidecar("a/b/pair.json")
    assert sidecar["status"] in {"accepted", "review"}
    assert sidecar["manifest"] == {
        "bucket": cloud.input, "name": cloud.prefix + "a/b/pair.json", "generation": int(resource["generation"]),
    }  # fmt: skip
    assert sidecar["labels"] == {"sku": "K-1"}
    metadata = cloud.metadata("a/b/pair.png")
    assert metadata["status"] == sidecar["status"]
    assert metadata["manifest-generation"] == str(resource["generation"])
    assert metadata["sku"] == "K-1"
    assert cloud.calls() == len(sidecar["attempts"])


def test_structured_mode_and_string_numbers_are_understood(cloud, server):
    resource = cloud.put_pair()
    assert cloud.deliver(server, resource, structured=True).status == 200
    assert cloud.sidecar()["status"] != "failed"


@pytest.mark.parametrize("name", ["picture.png", "notes.txt", "json", "x.json/"])
def test_other_names_are_acknowledged_and_nothing_is_read(cloud, server, name):
    resource = {"bucket": cloud.input, "name": cloud.prefix + name, "generation": "1"}
    assert cloud.deliver(server, resource).status == 200
    lines = log_lines(server, f"{cloud.input}/{cloud.prefix}{name}")
    assert [line["stage"] for line in lines] == ["event"]
    assert cloud.names() == []


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (b"{", FINALIZED),
        (b"null", FINALIZED),
        (b"[]", FINALIZED),
        (b'"text"', FINALIZED),
        (b"{}", FINALIZED),
        (b'{"bucket": "b", "name": "x.json"}', FINALIZED),
        (b'{"bucket": 1, "name": "x.json", "generation": 1}', FINALIZED),
        (b'{"bucket": "b", "name": "x.json", "generation": "-4"}', FINALIZED),
        (b'{"bucket": "b", "name": "x.json", "generation": true}', FINALIZED),
        (b'{"bucket": "b", "name": "x.json", "generation": 1e999}', FINALIZED),
        (b"\xff\xfe\x00", FINALIZED),
        (b"", FINALIZED),
        (b'{"bucket": "b", "name": "x.json", "generation": "1"}', "google.cloud.storage.object.v1.deleted"),
    ],
)
def test_what_is_no_such_event_is_acknowledged_and_logged_as_an_error(cloud, server, body, type_):
    before = len(log_lines(server))
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "Content-Type": "application/json"}
    assert http(server.url, body, {**headers, "ce-type": type_}).status == 200
    assert [line["severity"] for line in log_lines(server)[before:]] == ["ERROR"]


@pytest.mark.parametrize("missing", ["ce-id", "ce-source", "ce-type", "ce-specversion"])
def test_an_event_without_a_required_attribute_is_acknowledged(cloud, server, missing):
    body, headers = cloud.event({"bucket": cloud.input, "name": "x.json", "generation": "1"})
    del headers[missing]
    assert http(server.url, body, headers).status == 200
    assert log_lines(server)[-1]["severity"] == "ERROR"


def test_no_event_at_all_is_acknowledged(cloud, server):
    assert http(server.url, b"hello", {"Content-Type": "text/plain"}).status == 200
    assert http(server.url, b'{"a": 1}', {"Content-Type": "application/cloudevents+json"}).status == 200
    assert http(server.url, b"[" * 100_000, {"Content-Type": "application/cloudevents+json"}).status == 200


def test_the_output_buckets_own_events_are_refused(cloud, server):
    resource = cloud.put("pair.json", json.dumps({"scene": "s.png", "product": "p.png"}), bucket=cloud.output)
    assert cloud.deliver(server, resource).status == 200
    assert cloud.names() == ["pair.json"]
    assert "metadata" not in resource
    (line,) = log_lines(server, f"{cloud.output}/{cloud.prefix}pair.json")
    assert line["severity"] == "ERROR" and "OUTPUT_BUCKET" in line["message"]


def test_a_deleted_manifest_is_nothing_to_do(cloud, server):
    resource = cloud.put_pair()
    cloud.client.bucket(cloud.input).blob(cloud.prefix + "pair.json").delete()
    assert cloud.deliver(server, resource).status == 200
    assert cloud.names() == []
    assert cloud.calls() == 0


def test_a_replaced_manifest_is_left_to_its_newer_event(cloud, server):
    older = cloud.put_pair()
    newer = cloud.put_pair(labels={"version": "2"})
    assert cloud.deliver(server, older).status == 200
    assert cloud.names() == []
    assert cloud.deliver(server, newer).status == 200
    assert cloud.sidecar()["labels"] == {"version": "2"}


@pytest.mark.parametrize(
    "name",
    [
        "späti/日本語 🍋.json", "sp ace/%2F?#&.json", "n" * 890 + ".json", "a/.json",
        *exhaustive("quo'te\".json", "a..b/pair.json", "<script>.json", "deep/" * 100 + "pair.json", ".json",
                    "back\\slash.json"),
    ],
)  # fmt: skip
def test_any_object_name_works(cloud, server, name):
    resource = cloud.put_pair(name)
    assert cloud.deliver(server, resource).status == 200
    assert name in cloud.names()
    assert cloud.sidecar(name)["status"] != "failed", cloud.sidecar(name)["error"]
    assert name.removesuffix(".json") + ".png" in cloud.names()


def test_capitals_in_an_ending_are_an_ending_too(cloud, server):
    assert cloud.deliver(server, cloud.put_pair("Pair.JSON")).status == 200
    assert {"Pair.json", "Pair.png"} <= set(cloud.names())
    rows = cloud.put("Spring.CSV", "product,scene\np.png,s.png\n")
    assert cloud.deliver(server, rows).status == 200
    assert cloud.sidecar("Spring.CSV.json")["rows_written"] == 1
    lines = cloud.put("Summer.JSONL", '{"product": "p.png", "scene": "s.png"}\n')
    assert cloud.deliver(server, lines).status == 200
    assert cloud.sidecar("Summer.JSONL.json")["rows_written"] == 1


def test_of_two_manifests_with_the_same_results_the_second_is_a_conflict(cloud, server):
    assert cloud.deliver(server, cloud.put_pair("pair.json")).status == 200
    first, paid = cloud.get("pair.json"), cloud.calls()
    assert cloud.deliver(server, cloud.put_pair("pair.JSON")).status == 200
    assert cloud.get("pair.json") == first
    assert cloud.sidecar("pair.conflict.json")["error"]["code"] == "output_conflict"
    assert cloud.calls() == paid


def test_every_log_line_is_json_with_severity_event_manifest_and_stage(cloud, server):
    resource = cloud.put_pair()
    event_id = uuid.uuid4().hex
    trace = "0af7651916cd43dd8448eb211c80319c"
    body, headers = cloud.event(resource, id=event_id)
    assert http(server.url, body, {**headers, "traceparent": f"00-{trace}-b7ad6b7169203331-01"}).status == 200
    lines = log_lines(server, f"{cloud.input}/{cloud.prefix}pair.json")
    settled = [line for line in lines if line["message"] == "settled"]
    assert len(settled) == 1
    for line in lines:
        assert line["severity"] in {"DEBUG", "INFO", "WARNING", "ERROR"}
        assert line["event_id"] == event_id
        assert line["generation"] == int(resource["generation"])
        assert line["logging.googleapis.com/trace"].endswith(trace)
        assert line["stage"]


@pytest.mark.exhaustive
def test_the_first_events_of_a_fresh_server_may_come_all_at_once(own_cloud):
    resources = [own_cloud.put_pair(f"{number}.json", attempts=1) for number in range(6)]
    with own_cloud.server() as fresh, ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda resource: own_cloud.deliver(fresh, resource).status, resources))
    assert statuses == [200] * 6


@pytest.mark.parametrize("structured", [False, True])
def test_an_event_that_does_not_say_when_it_happened_is_as_old_as_its_object(cloud, server, structured):
    manifest = {"scene": "nowhere.png", "product": "nowhere.png"}
    resource = cloud.put("pair.json", manifest) | {"timeCreated": "2020-01-01T00:00:00Z"}
    body, headers = cloud.event(resource, structured=structured)
    if structured:
        body = json.dumps({name: value for name, value in json.loads(body).items() if name != "time"}).encode()
    else:
        del headers["ce-time"]
    assert http(server.url, body, headers).status == 503
    (line,) = [line for line in log_lines(server, f"{cloud.input}/{resource['name']}") if "age_s" in line]
    assert line["age_s"] > 365 * 86_400


def test_a_delivery_that_is_no_event_says_nothing_of_the_one_before(cloud, server):
    cloud.deliver(server, {"bucket": cloud.input, "name": "before.txt", "generation": "1"})
    http(server.url, b"[]", {"Content-Type": "text/plain"})
    assert "manifest" not in log_lines(server)[-1]


def test_labels_and_a_long_name_fit_into_an_objects_metadata_together(cloud, server):
    """Cloud Storage takes 8 KiB of it; the emulator would take more."""
    name = "n" * (900 - len(cloud.prefix)) + "/pair.json"
    resource = cloud.put_pair(name, labels={f"label{k:02}": "v" * 1000 for k in range(10)})
    assert cloud.deliver(server, resource).status == 200
    metadata = cloud.metadata(name.replace(".json", ".png"))
    assert sum(len(key) + len(value) for key, value in metadata.items()) < 8192
    assert "label05" in metadata and "label09" not in metadata
    assert len(cloud.sidecar(name)["labels"]) == 10


@pytest.mark.parametrize("name", ["_budget/days/2999-01-01.json", "_work/claims/x.json", "_budget/days.csv"])
def test_a_manifest_among_our_own_records_is_refused_and_touches_nothing(own_cloud, name):
    """It would be answered there: a sidecar in place of a counter would stop all spending for that day."""
    with own_cloud.server() as server:
        assert own_cloud.deliver(server, own_cloud.put(name, "{}")).status == 200
        (line,) = [line for line in log_lines(server) if line["severity"] == "ERROR"]
    assert "refused" in line["message"]
    assert own_cloud.names(work=True) == []
