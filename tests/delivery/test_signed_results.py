"""Results with content credentials: signed last, described as they are stored, not lost to a signer that fails."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re

import c2pa
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from function.imaging.xmp import DIGITAL_SOURCE_TYPE
from function.provenance.reading import STORE
from function.provenance.rights import read_rights
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
    """A server that signs with a certificate for tests, and drops what sources say of rights."""
    with place.server(SIGNING_KEY="test", RIGHTS_METADATA="drop") as server:
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
    place.put("set/signed.png", signed("PNG", content=with_rights(scene_png()))[0])
    resource = place.put_pair("set/pair.json", scene="signed.png", outputs=OUTPUTS)
    assert place.deliver(signing_server, resource).status == 200
    sidecar = place.sidecar("set/pair.json")
    assert len(sidecar["results"]) == 3 and is_described(place, sidecar)
    assert sidecar["inputs"]["scene"]["provenance"]["state"] == "valid"
    assert sidecar["inputs"]["product"]["provenance"] is None
    assert b"A. Photographer" in place.get("set/signed.png", place.input)
    assert not any(b"A. Photographer" in place.get(f"set/pair/{name}") for name in ("whole.jpg", "small.avif"))
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


def test_without_the_library_credentials_are_kept_unread_and_the_sidecar_says_so(place, gemini, tmp_path):
    (tmp_path / "c2pa.py").write_text("raise ModuleNotFoundError")
    place.put("bare/signed.png", signed("PNG")[0])
    resource = place.put_pair("bare/pair.json", scene="signed.png")
    with place.server(PYTHONPATH=str(tmp_path)) as server:
        assert place.deliver(server, resource).status == 200
    sidecar = place.sidecar("bare/pair.json")
    assert sidecar["status"] in {"accepted", "review"} and sidecar["result"]["provenance"] is None
    found = sidecar["inputs"]["scene"]["provenance"]
    assert (found["state"], found["note"][:38]) == ("unreadable", "not read: c2pa-python is not installed")
    [carried] = re.findall(rb'composite:role="scene" .*?composite:credentials="([^"]+)"', place.get("bare/pair.png"))
    kept = json.loads(c2pa.Reader("application/c2pa", io.BytesIO(base64.b64decode(carried))).json())
    assert kept["manifests"][kept["active_manifest"]]["title"] == "product composite"


def test_without_a_signer_rights_and_credentials_are_carried_and_no_place_is(cloud, server):
    """The shared server's settings: nobody signs, rights are kept."""
    cloud.put("signed.png", signed("PNG", content=with_rights(scene_png()))[0])
    cloud.put("product.jpg", jpeg_with_exif(product_png()))
    pair = {"scene": "signed.png", "product": "product.jpg"}
    assert cloud.deliver(server, cloud.put_pair("pair.json", **pair)).status == 200
    content = cloud.get("pair.png")
    rights = read_rights(content)
    assert rights.creators == ("A. Photographer", "Zoe Studio") and rights.licence == "https://example.com/licence"
    assert rights.copyright == "Scene: © 2026 A; product: (c) Zoe"
    assert DIGITAL_SOURCE_TYPE.encode() in content
    assert not any(place in content for place in (b"GPS", b"48,51", b"Exif", b"eXIf", b"Camera"))
    [carried] = re.findall(rb'composite:role="scene" composite:sha256="(\w+)" composite:credentials="([^"]+)"', content)
    assert carried[0].decode() == cloud.sidecar()["inputs"]["scene"]["sha256"]
    kept = json.loads(c2pa.Reader("application/c2pa", io.BytesIO(base64.b64decode(carried[1]))).json())
    assert any(one.get("title") == "product composite" for one in kept["manifests"].values())
    assert cloud.sidecar()["inputs"]["scene"]["provenance"]["note"] == ""
    as_jpeg = cloud.put_pair("jpeg.json", **pair, outputs=[{"name": "a", "format": "jpeg"}])
    assert cloud.deliver(server, as_jpeg).status == 200
    assert b"composite:credentials" in cloud.get("jpeg/a.jpg")


def with_rights(content):
    """The picture with XMP of an editor, in which the camera's place stands too."""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" exif:GPSLatitude="48,51.5N" '
        'xmpRights:WebStatement="https://example.com/licence">'
        "<dc:creator><rdf:Seq><rdf:li>A. Photographer</rdf:li></rdf:Seq></dc:creator>"
        '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© 2026 A</rdf:li></rdf:Alt></dc:rights>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    info, buffer = PngInfo(), io.BytesIO()
    info.add_itxt("XML:com.adobe.xmp", packet)
    Image.open(io.BytesIO(content)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def jpeg_with_exif(content):
    """The picture as a camera writes it, with its place."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x010F], exif[0x013B], exif[0x8298] = "Camera", "Zoe Studio", "(c) Zoe"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    Image.open(io.BytesIO(content)).convert("RGB").save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


@pytest.mark.exhaustive
def test_killed_between_a_signed_result_and_its_sidecar(place, proxy, gemini, signing_server):
    """The heir signs again, which gives other bytes: what stands in the end is what the sidecar describes."""
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


@pytest.mark.exhaustive
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
