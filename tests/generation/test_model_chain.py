"""The chain: the manifest's own model first, a 404 remembered for a while, no location left."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

from function.generation.model_chain import MISSING_CACHE_S, ModelChain
from tests.support import log_lines

NANO = "gemini-nano-banana-2.1"


def chain_at(location=None):
    clock = SimpleNamespace(now=1000.0)
    return ModelChain(("a", NANO, "c"), location, lambda: clock.now), clock


def test_the_manifests_own_model_comes_first_and_the_chain_behind_it():
    chain, _ = chain_at()
    assert chain.candidates(None) == (["a", NANO, "c"], [])
    assert chain.candidates("mine")[0] == ["mine", "a", NANO, "c"]
    assert chain.candidates("c")[0] == ["c", "a", NANO]


def test_a_404_is_remembered_for_a_while():
    chain, clock = chain_at()
    chain.note_missing("a")
    asked, skipped = chain.candidates(None)
    assert asked == [NANO, "c"] and [(one.id, "404" in one.reason) for one in skipped] == [("a", True)]
    clock.now += MISSING_CACHE_S
    assert chain.candidates(None)[0] == ["a", NANO, "c"]


def test_when_every_model_is_missing_all_are_asked_again():
    chain, _ = chain_at()
    for name in ("a", NANO, "c"):
        chain.note_missing(name)
    assert chain.candidates(None)[0] == ["a", NANO, "c"]


def test_a_model_that_the_location_does_not_serve_is_never_asked():
    chain, _ = chain_at("europe-west4")
    asked, (skipped,) = chain.candidates(None)
    assert asked == ["a", "c"]
    assert skipped.id == NANO and "europe-west4" in skipped.reason and "global" in skipped.reason
    assert chain_at("global")[0].candidates(None) == (["a", NANO, "c"], [])


def gone(*models):
    return [{"kind": "404", "times": None, "match": {"model": model}} for model in models]


CHAIN = ("gemini-2.5-flash-image", "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image")


def test_the_next_of_the_chain_answers_when_the_default_is_gone_and_the_404_is_remembered(own_cloud):
    own_cloud.gemini.control(faults=gone(CHAIN[0]))
    with own_cloud.server() as server:
        for number in range(5):
            assert own_cloud.deliver(server, own_cloud.put_pair(f"{number}.json")).status == 200
    for number in range(5):
        sidecar = own_cloud.sidecar(f"{number}.json")
        assert sidecar["status"] != "failed"
        model = sidecar["model"]
        assert (model["requested_id"], model["id"], model["thinking_level"]) == (CHAIN[0], CHAIN[1], "minimal")
        assert ([one["id"] for one in model["skipped"]] == [CHAIN[0]] and "404" in json.dumps(model["skipped"])) or (
            "does not exist" in model["skipped"][0]["reason"]
        )
        usage = sidecar["attempts"][0]["usage"]
        assert usage["thought_tokens"] > 0, "thinking is part of the bill"
    assert sum(seen["code"] == 404 for seen in own_cloud.gemini.requests) == 1


def test_the_manifests_own_model_comes_before_the_chain(own_cloud):
    own_cloud.gemini.control(faults=gone(CHAIN[2]))
    with own_cloud.server() as server:
        assert own_cloud.deliver(server, own_cloud.put_pair(model=CHAIN[2])).status == 200
    model = own_cloud.sidecar()["model"]
    assert (model["requested_id"], model["id"]) == (CHAIN[2], CHAIN[0])
    assert [seen["model"] for seen in own_cloud.gemini.requests][:2] == [CHAIN[2], CHAIN[0]]


def test_a_model_that_is_not_allowed_is_an_error_that_names_those_that_are(cloud, server):
    status = cloud.deliver(server, cloud.put_pair(model="gemini-3-pro-image")).status
    assert status == 200 and cloud.gemini.requests == []
    error = cloud.sidecar()["error"]
    assert error["code"] == "manifest_invalid" and CHAIN[0] in error["message"] and "ALLOWED_MODELS" in error["message"]


def test_without_any_model_nothing_is_settled_and_nothing_is_lost(own_cloud):
    """However old the event: it is the deployment that has to be mended, and what stands stays."""
    with own_cloud.server(EVENT_MAX_AGE_S="1") as server:
        own_cloud.deliver(server, own_cloud.put_pair())
        before = own_cloud.get("pair.png")
        own_cloud.gemini.control(faults=gone(*CHAIN))
        resource = own_cloud.put_pair()
        for _ in range(3):
            assert own_cloud.deliver(server, resource, age_s=7200).status == 503
            time.sleep(0.6)
        assert own_cloud.get("pair.png") == before
        said = [line for line in log_lines(server) if line["message"] == "no model can be reached"]
        assert said and all(line["severity"] == "ERROR" and CHAIN[2] in line["reasons"] for line in said)
        own_cloud.gemini.faults.clear()
        assert own_cloud.deliver(server, resource).status == 200
    sidecar = own_cloud.sidecar()
    assert sidecar["status"] != "failed" and sidecar["manifest"]["generation"] == int(resource["generation"])
