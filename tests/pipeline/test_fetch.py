"""Source images: what is waited for, what is refused, and what never reaches the model."""

from __future__ import annotations

import unicodedata

import pytest

from tests.support import png, product_png, scene_array, scene_png


def test_an_image_that_is_not_there_yet_is_waited_for_then_found(cloud, server):
    resource = cloud.put("pair.json", {"scene": "scene.png", "product": "product.png"})
    cloud.put("product.png", product_png())
    assert cloud.deliver(server, resource).status == 503
    assert cloud.names() == []
    cloud.put("scene.png", scene_png())
    assert cloud.deliver(server, resource).status == 200
    assert cloud.sidecar()["status"] != "failed"


@pytest.mark.parametrize(("asked", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_image_whose_name_is_spelled_in_the_other_normal_form_is_found(cloud, server, asked, stored):
    """A Mac uploads ü as u and two dots; what a spreadsheet has is one character."""
    named, stored_name = (unicodedata.normalize(form, "grüne Flasche é.png") for form in (asked, stored))
    folder = unicodedata.normalize(asked, "für")
    cloud.put(f"{folder}/{stored_name}", product_png())
    cloud.put(f"{folder}/scene.png", scene_png())
    resource = cloud.put(f"{folder}/pair.json", {"scene": "scene.png", "product": named})
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar(f"{folder}/pair.json")
    assert sidecar["status"] != "failed"
    assert sidecar["inputs"]["product"]["uri"].endswith(f"{folder}/{stored_name}")


def test_both_missing_images_are_named_together(cloud, server):
    resource = cloud.put("pair.json", {"scene": "no-scene.png", "product": "no-product.png"})
    assert cloud.deliver(server, resource).status == 503
    cloud.backdate_first_delivery(resource, 601)
    assert cloud.deliver(server, resource).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == "source_missing"
    assert "no-scene.png" in error["message"] and "no-product.png" in error["message"]


@pytest.mark.parametrize(
    "product", ["product.png ", "images\\product.png", "https://storage.googleapis.com/shop/x.png"]
)
def test_a_name_that_nothing_can_have_is_not_waited_for(cloud, server, product):
    resource = cloud.put("pair.json", {"scene": "scene.png", "product": product})
    assert cloud.deliver(server, resource).status == 200
    assert "write" in cloud.sidecar()["error"]["message"]


def test_an_image_that_never_comes_is_recorded_ten_minutes_after_the_first_delivery(cloud, server):
    """However long the event had queued before that: of a large catalogue most rows queue for longer."""
    cloud.put("product.png", product_png())
    resource = cloud.put("pair.json", {"scene": "scene.png", "product": "product.png"})
    assert cloud.deliver(server, resource, age_s=3 * 3600).status == 503
    cloud.backdate_first_delivery(resource, 570)
    assert cloud.deliver(server, resource, age_s=3 * 3600).status == 503
    cloud.backdate_first_delivery(resource, 31)
    assert cloud.deliver(server, resource).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == "source_missing" and "scene.png" in error["message"]
    assert cloud.calls() == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "source_unreadable"),
        (b"GIF89a" + b"\0" * 50, "source_unsupported"),
        (b"<html>not found</html>", "source_unsupported"),
        (b"%PDF-1.7 ...", "source_unsupported"),
        (scene_png()[:2000], "source_unreadable"),
        (scene_png()[:-40], "source_unreadable"),
    ],
)
def test_what_is_no_picture_is_refused_before_the_model_is_called(cloud, server, content, code):
    cloud.put("scene.png", content)
    cloud.put("product.png", product_png())
    resource = cloud.put("pair.json", {"scene": "scene.png", "product": "product.png"})
    assert cloud.deliver(server, resource).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == code and error["message"].startswith("scene")
    assert cloud.calls() == 0


def test_too_many_bytes_or_pixels_are_refused(own_cloud):
    with own_cloud.server(MAX_SOURCE_BYTES="200000", MAX_SOURCE_PIXELS="200000") as server:
        resource = own_cloud.put_pair("bytes.json")
        own_cloud.put("scene.png", png(scene_array(400, 300)) + b"\0" * 200_000)
        assert own_cloud.deliver(server, resource).status == 200
        assert own_cloud.sidecar("bytes.json")["error"]["code"] == "source_too_large"
        own_cloud.put("scene.png", png(scene_array(500, 401)[:, :, :1].repeat(3, 2) // 64 * 64))
        resource = own_cloud.put("pixels.json", {"scene": "scene.png", "product": "product.png"})
        assert own_cloud.deliver(server, resource).status == 200
        error = own_cloud.sidecar("pixels.json")["error"]
        assert error["code"] == "source_too_large" and "scene" in error["message"]
    assert own_cloud.calls() == 0


@pytest.mark.exhaustive
def test_other_buckets_are_read_only_when_they_are_allowed(own_cloud):
    shelf = own_cloud.input + "-shelf"
    own_cloud.client.create_bucket(shelf)
    own_cloud.put("scene.png", scene_png(), bucket=shelf)
    own_cloud.put("product.png", product_png())
    manifest = {"scene": f"gs://{shelf}/scene.png", "product": "product.png"}
    with own_cloud.server() as server:
        own_cloud.deliver(server, own_cloud.put("closed.json", manifest))
    with own_cloud.server(ALLOWED_BUCKETS=f"unused, {shelf}") as server:
        own_cloud.deliver(server, own_cloud.put("open.json", manifest))
    assert own_cloud.sidecar("closed.json")["error"]["code"] == "reference_forbidden"
    assert own_cloud.sidecar("open.json")["inputs"]["scene"]["uri"] == f"gs://{shelf}/scene.png"


def test_both_bad_sources_are_named(cloud, server):
    manifest = {"scene": "gs://nowhere/a.png", "product": "file:///b.png"}
    cloud.deliver(server, cloud.put("pair.json", manifest))
    assert cloud.sidecar()["error"]["code"] == "reference_forbidden"
