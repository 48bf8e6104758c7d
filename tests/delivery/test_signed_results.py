"""Results with content credentials: signed last, described as they are stored, not lost to a signer that fails."""

from __future__ import annotations

import base64
import hashlib

import pytest

from function.provenance.reading import STORE
from tests.delivery.test_crashes import deliver_in_background
from tests.delivery.test_http_api import data_uri, pair, post_json
from tests.provenance.fake_services import FakeServices
from tests.provenance.samples import signed, verdict
from tests.support import PATIENCE_S, product_png, scene_png

OUTPUTS = [
    {"name": "whole", "format": "jpeg"},
    {"name": "banner", "width": 320, "height": 100, "format": "webp"},
    {"name": "small", "width": 160, "format": "avif"},
]


@pytest.fixture(scope="module")
def signing_server(place):
    """A server that signs with a certificate for tests."""
    with place.server(SIGNING_KEY="test") as server:
        yield server


def is_described(place, sidecar):
    """Whether each result stands as its sidecar says, and verifies."""
    for result in sidecar["results"]:
        content = place.get(result["uri"].removeprefix(f"gs://{place.output}/"))
        assert (result["bytes"], result["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert verdict(content, result["mime_type"])[0] == "Valid"
        assert result["provenance"]["state"] == "valid" and result["provenance"]["test"]
    return True


def test_every_picture_is_signed_with_what_it_was_made_of(place, gemini, signing_server):
    place.put("set/signed.png", signed("PNG", content=scene_png())[0])
    resource = place.put_pair("set/pair.json", scene="signed.png", outputs=OUTPUTS)
    assert place.deliver(signing_server, resource).status == 200
    sidecar = place.sidecar("set/pair.json")
    assert len(sidecar["results"]) == 3 and is_described(place, sidecar)
    assert sidecar["inputs"]["scene"]["provenance"]["state"] == "valid"
    assert sidecar["inputs"]["product"]["provenance"] is None
    _, manifest = verdict(place.get("set/pair/banner.webp"), "image/webp")
    assert [one["title"] for one in manifest["ingredients"] if one.get("active_manifest")] == ["scene"]
    actions = {one["action"]: one for one in manifest["assertions"][0]["data"]["actions"]}
    assert {"c2pa.cropped", "c2pa.resized"} <= actions.keys()
    edited = actions["c2pa.edited"]["parameters"]
    assert edited["manifestGeneration"] == str(resource["generation"])
    assert edited["judged"] == sidecar["status"] and edited["promptVersion"] == sidecar["prompt_version"]
    assert actions["c2pa.placed"]["softwareAgent"]["name"] == sidecar["model"]["id"]


def test_broken_credentials_and_no_signer_are_no_failure(cloud, server):
    """The shared server signs nothing."""
    product, _ = signed("PNG", content=product_png())
    end = product.index(STORE) + 1000  # of a chunk before the pixels
    cloud.put("broken.png", product[:end] + bytes(40) + product[end + 40 :])
    resource = cloud.put_pair("pair.json", product="broken.png")
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["result"]["provenance"] is None
    found = sidecar["inputs"]["product"]["provenance"]
    assert found["state"] in {"invalid", "unreadable"} and found["note"]


def test_killed_between_a_signed_result_and_its_sidecar(place, proxy, gemini, signing_server):
    """The heir signs anew, which gives other bytes: what stands in the end is what the sidecar describes."""
    resource = place.put_pair("heir/pair.json")
    with place.server(SIGNING_KEY="test", STORAGE_EMULATOR_HOST=proxy.url) as doomed:
        pause = proxy.add("pause_after", "insert", f"{place.output}/heir/pair.png")
        thread = deliver_in_background(place, doomed, resource)
        assert pause.held.wait(PATIENCE_S)
        left_behind = place.get("heir/pair.png")
        doomed.kill()
        thread.join()
    proxy.clear()
    place.deliver_until_settled(signing_server, resource)
    sidecar = place.sidecar("heir/pair.json")
    assert is_described(place, sidecar) and len(sidecar["attempts"]) == 1
    assert place.get("heir/pair.png") != left_behind
    assert [name for name in place.names() if name.startswith("heir/")] == ["heir/pair.json", "heir/pair.png"]


def test_with_cloud_kms_down_it_waits_and_is_then_delivered_to_be_reviewed(place, gemini):
    with FakeServices() as services, place.server(**services.environment()) as server:
        resource, soon = place.put_pair("late/pair.json"), place.put_pair("soon/pair.json")
        calls = place.calls()
        services.kms = "503"
        assert place.deliver(server, resource).status == place.deliver(server, resource).status == 503
        assert "late/pair.png" not in place.names()
        place.backdate_first_delivery(resource, 4000)
        assert place.deliver(server, resource).status == 200
        services.kms = "lies"
        assert place.deliver(server, soon).status == 503
        services.reset()
        assert place.deliver(server, soon).status == 200
        assert services.count("asymmetricSign") == services.count("/time") == 1  # a picture
    assert is_described(place, place.sidecar("soon/pair.json"))
    assert place.sidecar("soon/pair.json")["result"]["provenance"]["time"]
    sidecar = place.sidecar("late/pair.json")
    assert sidecar["status"] == "review" == place.metadata("late/pair.png")["status"]
    assert sidecar["result"]["provenance"]["state"] == "unsigned"
    assert (
        not sidecar["checks"]["signed"]["passed"]
        and "Cloud KMS has not signed: 503" in sidecar["checks"]["signed"]["reason"]
    )
    assert sidecar["result"]["sha256"] == hashlib.sha256(place.get("late/pair.png")).hexdigest()
    assert place.calls() - calls == 2  # each is paid for once


def test_over_http_pictures_are_signed_too(place, gemini):
    with place.server(target="composite_http", SIGNING_KEY="test") as server:
        answer = post_json(server, pair(scene=data_uri(scene_png()), product=data_uri(product_png()))).json()
    content = base64.b64decode(answer["image"].partition(",")[2])
    assert verdict(content, "image/png")[0] == "Valid"
    assert answer["sidecar"]["result"]["sha256"] == hashlib.sha256(content).hexdigest()
