"""Today's server and tools go on from what the version before pipeline 3.0.0 has left in the buckets."""

from __future__ import annotations

import base64
import json
import time

import pytest

from function.deadline import Deadline
from function.generation.answer_store import AnswerStore, answer_name
from function.generation.provider import Request
from function.sidecar.pair import Sidecar
from function.sidecar.record import SCHEMA_VERSION
from function.storage.client import Storage
from tests.delivery.test_slow_deliveries import expire_lease
from tests.old_version import INPUT, OUTPUT, RECORD, SCHEMA, replay
from tests.support import DATA, Cloud
from tests.tools.cli.conftest import command  # noqa: F401 (a fixture)

OLD = DATA / "upgrade"
OLD_SCHEMA_VERSION = "1.0"
SETTLED = ("accepted.json", "review.json", "failed.json", "whole.csv")
UNSETTLED = ("asked.json", "stored.json", "written.json", "half.csv")


@pytest.fixture(scope="module")
def left(gcs, gcs_client_session, gemini_session, folder):
    """What the old version left → today's place over it, and the uploads by name."""
    place = Cloud(gcs, gcs_client_session, gemini_session, folder, prefix="")
    place.input, place.output = INPUT, OUTPUT
    return place, replay(gcs_client_session, OLD)


@pytest.fixture(scope="module")
def server(left):
    """Today's server."""
    with left[0].server() as process:
        yield process


def outputs(place):
    """Object generation by name, without the working records."""
    found = place.client.list_blobs(OUTPUT)
    return {blob.name: blob.generation for blob in found if not blob.name.startswith("_work/")}


def test_the_tools_read_what_is_settled_and_find_what_is_not(left, command, tmp_path):  # noqa: F811
    place, uploads = left
    status = json.loads(command("status", f"gs://{OUTPUT}", "--input", f"gs://{INPUT}", "--json").out)
    assert [status[name] for name in ("accepted", "review", "failed")] == [1, 1, 1]
    assert status["spent_usd"] == pytest.approx(2 * 0.038971 + 0.000249)
    rows = sum("/" in name for name in uploads)
    assert status["waiting"] == 3 + rows and status["catalogues_waiting"] == 1
    (catalogue,) = status["catalogues"].values()
    assert (catalogue["status"], catalogue["rows_written"]) == ("accepted", 2)
    for name in UNSETTLED:
        expire_lease(place, uploads[name])
    redriven = command("redrive", f"gs://{INPUT}", "--output", f"gs://{OUTPUT}", "--dry-run")
    assert redriven.status == 0 and redriven.out.count("would be delivered again") == 4 + rows
    assert not any(f"/{name}:" in redriven.out for name in SETTLED)
    assert command("review", f"gs://{OUTPUT}", "--to", tmp_path / "page").status == 0
    decisions = tmp_path / "decisions.json"
    decisions.write_text(json.dumps([{"result": f"gs://{OUTPUT}/review.jpg", "decision": "accept"}]))
    assert command("decide", decisions, f"gs://{OUTPUT}").status == 0
    blob = place.client.bucket(OUTPUT).get_blob("review.jpg")
    assert blob.metadata["review-decision"] == "accept" and blob.metadata["status"] == "review"


def test_what_is_settled_stays(left, server, gemini):
    place, uploads = left
    before = outputs(place)
    assert [place.deliver(server, uploads[name]).status for name in SETTLED] == [200] * 4
    assert outputs(place) == before and gemini.requests == []


def test_a_call_that_was_under_way_is_listed_once_its_lease_is_over(left, server, gemini):
    """The old version's lease is as long as its deadline; it is respected for as long as it says."""
    place, uploads = left
    expire_lease(place, uploads["asked.json"], time.time() + 300)
    assert place.deliver(server, uploads["asked.json"]).status == 503 and gemini.requests == []
    expire_lease(place, uploads["asked.json"])
    assert place.deliver(server, uploads["asked.json"]).status == 200
    attempts = place.sidecar("asked.json")["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["interrupted", "generated"]


@pytest.mark.parametrize("name", ["stored.json", "written.json"])
def test_a_paid_answer_of_the_old_version_is_used(left, server, gemini, name):
    """Where today's request is another (a new prompt, other bytes of the pictures), its answer is not found: the call
    that was paid is listed as interrupted, and one more is made. A result without a sidecar is replaced."""
    place, uploads = left
    expire_lease(place, uploads[name])
    assert place.deliver(server, uploads[name]).status == 200
    sidecar = place.sidecar(name)
    outcomes = [attempt["outcome"] for attempt in sidecar["attempts"]]
    assert outcomes in (["reused"], ["interrupted", "generated"])
    assert place.calls() == outcomes.count("generated") and sidecar["cost"]["usd"] > 0.03
    stem = name.removesuffix(".json")
    assert [one for one in outputs(place) if one.startswith(stem + ".")] == [f"{stem}.jpg", f"{stem}.json"]
    assert place.metadata(f"{stem}.jpg")["status"] == sidecar["status"]


def test_a_catalogue_that_was_cut_off_is_finished(left, server):
    place, uploads = left
    written = place.client.bucket(INPUT).get_blob("half/000001.json").generation
    expire_lease(place, uploads["half.csv"])
    assert place.deliver(server, uploads["half.csv"]).status == 200
    sidecar = place.sidecar("half.csv.json")
    assert (sidecar["status"], sidecar["rows_written"]) == ("accepted", 3)
    assert place.client.bucket(INPUT).get_blob("half/000001.json").generation == written
    row = place.client.bucket(INPUT).get_blob("half/000002.json")
    assert place.deliver(server, dict(row._properties)).status == 200


def test_an_answer_as_the_old_version_stored_it_is_found(left, monkeypatch):
    """Where the request is the same, it is not paid for again."""
    place, _ = left
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", place.gcs.url)
    (refused,) = [
        blob
        for blob in place.client.list_blobs(OUTPUT, prefix="_work/answers/")
        if '"refused"' in blob.metadata["answer"]
    ]
    request = Request("gemini-2.5-flash-image", "the same", (), "16:9", None, 3)
    blob = place.client.bucket(OUTPUT).blob(answer_name(request))
    blob.metadata = refused.metadata
    blob.upload_from_string(b"")
    answer, owner, _ = AnswerStore(Storage(), OUTPUT).find(request, refused.metadata["owner"], Deadline(60))
    assert (answer.outcome, answer.finish_reason) == ("refused", "IMAGE_SAFETY") and answer.usage.prompt_tokens > 0
    assert owner == refused.metadata["owner"]


def old_sidecars():
    """The old version's pair sidecars."""
    for one in json.loads((OLD / RECORD).read_text(encoding="utf-8")):
        in_place = one["bucket"] == OUTPUT and "/" not in one["name"]
        if in_place and one["name"].endswith(".json") and not one["name"].endswith(".csv.json"):
            yield one["name"], json.loads(base64.b64decode(one["content"]))


def test_an_old_sidecar_is_a_sidecar():
    found = dict(old_sidecars())
    assert set(found) == {"accepted.json", "review.json", "failed.json"}
    for body in found.values():
        assert body["schema_version"] == OLD_SCHEMA_VERSION
        Sidecar.model_validate(body)


def properties(schema):
    """(part, field) and (part, field, allowed value) of a JSON Schema: all that a reader can rely on by name."""
    for part, description in {"": schema, **schema["$defs"]}.items():
        yield from ((part, name) for name in description.get("properties", {}))
        yield from ((part, "", value) for value in description.get("enum", []))
        for name, one in description.get("properties", {}).items():
            yield from ((part, name, value) for value in one.get("enum", []))


def test_the_schemas_version_moves_when_a_reader_could_stumble():
    """The second number rises when something is added, which a strict reader does not know; the first when something
    that a reader relies on is gone."""
    old = set(properties(json.loads((OLD / SCHEMA).read_text(encoding="utf-8"))))
    new = set(properties(Sidecar.model_json_schema(by_alias=True)))
    was, now = (tuple(int(part) for part in version.split(".")) for version in (OLD_SCHEMA_VERSION, SCHEMA_VERSION))
    assert now[0] > was[0] if old - new else now >= was
    assert now > was if new - old else now >= was
