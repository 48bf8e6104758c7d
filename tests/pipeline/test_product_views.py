"""Several photographs of one product: as many are sent as the model takes, and the one that fits is judged by."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from function.manifest.parse import parse_manifest
from function.settings import Settings
from tests.pipeline.test_asked_place import mask
from tests.product_samples import SIDE_PX, put_views
from tests.storage.test_content_encoding import put_packed
from tests.support import png, product_array, product_png, scene_png

ALL = ["front.png", "back.png", "detail.png"]


def test_as_many_views_are_sent_as_the_model_takes_and_all_are_looked_at(cloud, server):
    assert cloud.deliver(server, put_views(cloud, ALL)).status == 200
    (request,), sidecar = cloud.gemini.requests, cloud.sidecar()
    assert sidecar["status"] == "accepted", sidecar["checks"]
    assert len(request["images"]) == 3  # what gemini-2.5-flash-image takes, the scene among them
    assert "[3] shows the very same product" in request["text"] and "photographed two times" in request["text"]
    stored = [f"gs://{cloud.input}/{cloud.prefix}{name}" for name in ALL]
    assert [view["uri"] for view in sidecar["inputs"]["views"]] == stored
    assert sidecar["inputs"]["product"] == sidecar["inputs"]["views"][0]
    # The close-up agrees best, over a part: the product is what the front shows of it.
    assert sidecar["view"] == {"index": 0, "uri": stored[0], "sent": 2}
    assert sidecar["compression"]["product"]["from"] == [SIDE_PX, SIDE_PX]
    usage, cost = sidecar["attempts"][0]["usage"], sidecar["cost"]
    text = usage["prompt_tokens"] - usage["prompt_image_tokens"]
    assert usage["prompt_image_tokens"] == 3 * 258
    assert cost["estimates_by_rule"]["flat"] - text == 3 * 258
    assert cost["estimates_by_rule"]["tiles"] - text == (2 + 2 * 4) * 258  # 1344 x 756, and 900 x 900 twice


def test_the_mask_of_an_exact_place_is_no_photograph_of_the_product(cloud, server):
    cloud.put("free.png", png(np.dstack([mask()] * 3)))
    resource = put_views(cloud, ALL[:2], placement={"mask": "free.png"}, attempts=1)
    assert cloud.deliver(server, resource).status == 200
    (request,), sidecar = cloud.gemini.requests, cloud.sidecar()
    assert len(request["images"]) == 3 and len(sidecar["inputs"]["views"]) == 2
    assert sidecar["inputs"]["mask"]["uri"].endswith("free.png") and len(sidecar["asked_place"]["areas"]) == 1
    assert "photographed two times" in request["text"] and "The spot is exact" in request["text"]
    assert sidecar["checks"]["placed_as_asked"]["value"] is not None


def test_a_picture_of_another_side_is_judged_and_restored_by_that_sides_photograph(cloud, server):
    cloud.gemini.control(faults=[{"kind": "other_view", "times": None}])
    assert cloud.deliver(server, put_views(cloud, ALL[:2], identity="model", attempts=1)).status == 200
    sidecar = cloud.sidecar()
    assert cloud.gemini.faults.report()["fired"] == {"other_view": 1}
    assert (sidecar["status"], sidecar["view"]["index"]) == ("accepted", 1), sidecar["checks"]
    assert sidecar["view"]["uri"].endswith("/back.png") and sidecar["restoration"]["match_quality"] > 0.9


def test_exact_pixels_are_those_of_the_leading_view_whatever_side_the_model_has_shown(cloud, server):
    cloud.gemini.control(faults=[{"kind": "other_view", "times": 1}])
    assert cloud.deliver(server, put_views(cloud, ALL[:2], identity="exact", attempts=2)).status == 200
    sidecar = cloud.sidecar()
    assert [attempt["method"] for attempt in sidecar["attempts"]] == ["model", "sketch"]
    assert (sidecar["method"], sidecar["view"]["index"]) == ("sketch", 0) and sidecar["status"] == "accepted"
    model, sketch = cloud.gemini.requests
    assert [len(request["images"]) for request in (model, sketch)] == [3, 2] and sidecar["identity"]["changed"] == []
    text = sum(a["usage"]["prompt_tokens"] - a["usage"]["prompt_image_tokens"] for a in sidecar["attempts"])
    assert sidecar["cost"]["estimates_by_rule"]["flat"] - text == 5 * 258


def test_a_view_that_was_drawn_as_a_thing_of_its_own_is_a_second_product(cloud, server):
    cloud.gemini.control(faults=[{"kind": "view_drawn_too", "times": None}])
    assert cloud.deliver(server, put_views(cloud, ALL[:2], identity="model", attempts=1)).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] == "review" and not sidecar["checks"]["product_once"]["passed"]


def test_a_list_of_one_is_the_same_request_as_the_reference_alone(cloud, server):
    assert cloud.deliver(server, cloud.put_pair(seed=177)).status == 200
    assert cloud.deliver(server, cloud.put_pair(seed=177, product=["product.png"])).status == 200
    sidecar = cloud.sidecar()
    assert [attempt["outcome"] for attempt in sidecar["attempts"]] == ["reused"] * len(sidecar["attempts"])
    assert "view" not in sidecar and "views" not in sidecar["inputs"]


@pytest.mark.exhaustive
def test_a_view_that_is_not_sent_makes_another_request_too(cloud, server):
    """It decides about the seed, and with it about the stored answer."""
    cloud.put("side.png", png(product_array(100)))
    for last in ("top.png", "detail.png", "top.png"):
        cloud.put(last, png(product_array(len(last) * 10)))
        resource = cloud.put_pair(product=["product.png", "side.png", last], seed=None, attempts=1)
        assert cloud.deliver(server, resource).status == 200
    first, second = cloud.gemini.requests
    assert first["seed"] != second["seed"] and first["digest"] == second["digest"]


def test_every_view_is_waited_for_and_named(cloud, server):
    cloud.put("scene.png", scene_png())
    cloud.put("product.png", product_png())
    resource = cloud.put("pair.json", {"scene": "scene.png", "product": ["product.png", "side.png", "top.png"]})
    assert cloud.deliver(server, resource).status == 503
    cloud.backdate_first_delivery(resource, 601)
    assert cloud.deliver(server, resource).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == "source_missing" and cloud.calls() == 0
    assert "product.1: there is no object" in error["message"] and "product.2: there is no object" in error["message"]


def test_a_scene_is_not_paid_for_where_one_view_is_no_picture(cloud, server):
    cloud.put("product.png", product_png())
    cloud.put("side.png", b"GIF89a" + bytes(99))
    fields = {"scene": {"prompt": "an oak table"}, "product": ["product.png", "side.png"]}
    assert cloud.deliver(server, cloud.put("pair.json", fields)).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == "source_unsupported" and "product.1" in error["message"] and cloud.calls() == 0


def test_all_views_together_take_no_more_bytes_than_one_may(own_cloud):
    limit = len(product_png()) * 3 // 2
    with own_cloud.server(MAX_SOURCE_BYTES=str(max(limit, len(scene_png()) + 1))) as server:
        own_cloud.put("side.png", product_png() + bytes(limit - len(product_png())))
        resource = own_cloud.put_pair(product=["product.png", "side.png"])
        assert own_cloud.deliver(server, resource).status == 200
    error = own_cloud.sidecar()["error"]
    assert error["code"] == "source_too_large" and "together" in error["message"]


def test_views_that_are_stored_as_gzip_count_as_what_they_unpack_to(own_cloud):
    limit = len(scene_png()) + 1
    with own_cloud.server(MAX_SOURCE_BYTES=str(limit)) as server:
        resource = own_cloud.put_pair(product=["product.png", "packed.png"])
        packed = put_packed(own_cloud, "packed.png", gzip.compress(product_png()[:40] + bytes(limit - 40)))
        assert len(product_png()) + int(packed["size"]) < limit
        assert own_cloud.deliver(server, resource).status == 200
    error = own_cloud.sidecar()["error"]
    assert error["code"] == "source_too_large" and "together" in error["message"]


def test_the_prefixes_and_buckets_that_may_be_read_hold_for_every_view(cloud, server):
    cloud.put("scene.png", scene_png())
    for view, words in (("gs://somebody-elses/side.png", "may not be read"), ("../../../x.png", "leads out")):
        resource = cloud.put("pair.json", {"scene": "scene.png", "product": ["product.png", view]})
        assert cloud.deliver(server, resource).status == 200
        error = cloud.sidecar()["error"]
        assert error["code"] == "reference_forbidden" and error["message"].startswith("product.1: ")
        assert words in error["message"]


def test_a_row_reads_its_views_from_the_catalogues_folder(cloud, server):
    csv = 'product,product.1,scene\nfront.png,"side.png",scene.png\n"[""a.png"", ""/b.png""]",,scene.png\n'
    assert cloud.deliver(server, cloud.put("a/spring.csv", csv)).status == 200
    settings = Settings.from_environment(cloud.environment())
    rows = [parse_manifest(cloud.get(f"a/spring/{n:06}.json", cloud.input), settings) for n in (1, 2)]
    assert [row.product for row in rows] == [["../front.png", "../side.png"], ["../a.png", "/b.png"]]
