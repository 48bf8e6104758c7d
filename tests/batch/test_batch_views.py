"""Several photographs of a product in a batch."""

from __future__ import annotations

from tests.product_samples import view_png


def test_a_batch_carries_every_photograph_that_is_sent(vertex_place):
    for name in ("front.png", "back.png"):
        vertex_place.cloud.put(name, view_png(name))
    vertex_place.put_rows([{"product": ["front.png", "back.png"], "attempts": 1}])
    sidecar = vertex_place.run(["spring/000001.json"])["spring/000001.json"]
    (request,) = vertex_place.requests()
    (asked,) = vertex_place.asked()
    assert len(request.images) == len(asked["images"]) == 3 and sidecar["view"]["sent"] == 2
    assert sidecar["attempts"][0]["price_tier"] == "batch"
    assert sidecar["attempts"][0]["usage"]["prompt_image_tokens"] == 3 * 258
