"""Several products in one scene: each is looked for, restored and judged by itself."""

from __future__ import annotations

import io

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from function.imaging.xmp import Rights
from function.provenance.rights import read_rights
from function.sidecar.pair import Sidecar
from tests.pipeline.test_asked_place import mask
from tests.product_samples import put_products
from tests.provenance.samples import png_with_rights
from tests.support import png
from tests.tiers import exhaustive


def failed(record):
    return {name for name, check in record["checks"].items() if not check["passed"]}


def test_two_products_are_judged_and_restored_one_by_one(cloud, server):
    asked = {"bottle": "on the left", "can": "on the right"}
    resource = put_products(cloud, asked, placement="on the counter")
    for name in asked:
        stated = Rights((f"{name}'s photographer",), f"© {name}", licence=f"https://example.com/{name}")
        cloud.put(f"{name}.png", png_with_rights(cloud.get(f"{name}.png", cloud.input), stated))
    assert cloud.deliver(server, resource).status == 200
    (request,), sidecar = cloud.gemini.requests, cloud.sidecar()
    Draft202012Validator(Sidecar.model_json_schema(by_alias=True, mode="serialization")).validate(sidecar)
    assert len(request["images"]) == 3 and 'Placement of "can": on the right' in request["text"]
    assert "Placement of all together: on the counter" in request["text"]
    assert sidecar["status"] == "accepted", sidecar["checks"]
    bottle, can = sidecar["products"]
    assert (bottle["name"], bottle["placement"], can["name"]) == ("bottle", "on the left", "can")
    for product in (bottle, can):
        assert product["match_quality"] > 0.9 and failed(product) == set()
        assert product["view"] == {"index": 0, "uri": product["inputs"][0]["uri"], "sent": 1}
    assert bottle["box"][0] + bottle["box"][2] < can["box"][0]  # side by side
    assert sidecar["inputs"]["views"] == bottle["inputs"] + can["inputs"] and "view" not in sidecar
    assert sidecar["restoration"]["match_quality"] == min(bottle["match_quality"], can["match_quality"])
    assert sidecar["checks"].keys() == can["checks"].keys() == sidecar["attempts"][0]["checks"].keys()
    assert read_rights(cloud.get("pair.png")) == Rights(
        ("bottle's photographer", "can's photographer"), "Product 1: © bottle; product 2: © can",
        "https://example.com/can", "https://example.com/bottle",
    )  # fmt: skip
    result = np.asarray(Image.open(io.BytesIO(cloud.get("pair.png"))).convert("RGB"))
    scene = np.asarray(Image.open(io.BytesIO(cloud.get("scene.png", cloud.input))).convert("RGB"))
    assert (result == scene).all(axis=2).mean() > 0.7  # the scene's own pixels, between the products too


@pytest.mark.parametrize(
    ("fault", "whose", "check"),
    [
        ("one_drawn_twice", "bottle", "product_once"),
        *exhaustive(("one_recoloured", "bottle", "product_colour"), ("one_left_out", "can", "product_present")),
    ],
)
def test_what_is_wrong_with_one_product_is_said_of_that_one(cloud, server, fault, whose, check):
    cloud.gemini.control(faults=[{"kind": fault, "times": None}])
    resource = put_products(cloud, {"bottle": "on the left", "can": "on the right"}, attempts=1)
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] == "review" and cloud.gemini.faults.report()["fired"] == {fault: 1}
    for product in sidecar["products"]:
        assert check in failed(product) if product["name"] == whose else not failed(product), product["checks"]
    assert check in failed(sidecar) and sidecar["checks"][check]["reason"].startswith(f"{whose}: ")


def test_the_next_attempt_is_told_which_product_was_missing(cloud, server):
    cloud.gemini.control(faults=[{"kind": "one_left_out", "times": 1}])
    resource = put_products(cloud, {"bottle": "on the left", "can": "on the right"}, attempts=2)
    assert cloud.deliver(server, resource).status == 200
    first, second = cloud.gemini.requests
    sidecar = cloud.sidecar()
    assert [attempt["verdict"] for attempt in sidecar["attempts"]] == ["review", "accepted"]
    assert "- can: The product was missing." in second["text"] and "bottle: The" not in second["text"]
    assert "earlier attempt" not in first["text"] and all(product["box"] for product in sidecar["products"])


LEFT, RIGHT = [0.12, 0.3, 0.2, 0.5], [0.62, 0.45, 0.25, 0.4]


def test_each_product_stands_in_its_own_box_and_one_that_does_not_is_named(cloud, server):
    """The first product misses its box in the first picture, and is told so."""
    cloud.gemini.control(faults=[{"kind": "spot_missed_aside", "times": 1}])
    asked = {"bottle": {"words": "in front", "box": LEFT, "facing": "front"}, "can": {"box": RIGHT, "tolerance": 0.1}}
    assert cloud.deliver(server, put_products(cloud, asked, attempts=2)).status == 200
    sidecar = cloud.sidecar()
    Draft202012Validator(Sidecar.model_json_schema(by_alias=True, mode="serialization")).validate(sidecar)
    first, second = sidecar["attempts"]
    assert [name for name, check in first["checks"].items() if not check["passed"]] == ["placed_as_asked"]
    assert first["checks"]["placed_as_asked"]["reason"].startswith("bottle: The product is ")
    told, again = (request["text"] for request in cloud.gemini.requests)
    assert 'Placement of "bottle": in front. The spot is exact' in told and 'Placement of "can": The spot is' in told
    assert "- bottle: The product was not where it was asked to be" in again and "- can: " not in again
    assert second["verdict"] == sidecar["status"] == "accepted", sidecar["checks"]
    bottle, can = sidecar["products"]
    assert bottle["checks"]["placed_as_asked"]["value"] < 0.05 and can["checks"]["placed_as_asked"]["value"] < 0.05
    assert can["checks"]["placed_as_asked"]["threshold"] == 0.1
    assert (bottle["placement"], can["placement"]) == ("in front", None)
    assert bottle["asked_place"] == {
        "box": [161, 227, 269, 378], "areas": [], "height": None, "facing": "front", "tolerance": None,
    }  # fmt: skip
    assert can["asked_place"]["box"] == [833, 340, 336, 302] and "asked_place" not in sidecar


def test_each_product_stands_in_the_white_of_its_own_mask_and_one_that_does_not_is_named(cloud, server):
    """The first product misses its mask in the first picture, and is told so."""
    whites = {"left.png": (0.2, 0.72, 0.28, 0.9), "right.png": (0.6, 0.72, 0.9, 0.9)}
    for name, white in whites.items():
        cloud.put(name, png(np.dstack([mask(white=white)] * 3)))
    cloud.gemini.control(faults=[{"kind": "spot_missed_aside", "times": 1}])
    asked = {"bottle": {"mask": "left.png"}, "can": {"mask": "right.png", "height_cm": 20, "scene_cm_per_px": 0.1}}
    assert cloud.deliver(server, put_products(cloud, asked, attempts=2)).status == 200
    sidecar = cloud.sidecar()
    Draft202012Validator(Sidecar.model_json_schema(by_alias=True, mode="serialization")).validate(sidecar)
    assert {name: one["uri"].rpartition("/")[2] for name, one in sidecar["inputs"]["masks"].items()} == {
        "bottle": "left.png", "can": "right.png"
    }  # fmt: skip
    assert len(sidecar["inputs"]["views"]) == 2 and "mask" not in sidecar["inputs"]
    told = cloud.gemini.requests[0]["text"]
    assert told.count("The spot is exact: the middle of its base lies inside this area") == 2
    first, second = (one["checks"]["placed_as_asked"] for one in sidecar["attempts"])
    assert first["reason"].startswith("bottle: The product does not stand where the mask is white")
    assert second["passed"] and sidecar["status"] == "accepted", sidecar["checks"]
    for one, name in zip(sidecar["products"], whites, strict=True):
        left, _, right, bottom = whites[name]
        x, y, width, height = one["box"]
        assert left < (x + width / 2) / 1344 < right and (y + height) / 756 < bottom + 0.05
        assert len(one["asked_place"]["areas"]) == 1
    assert sidecar["products"][1]["asked_place"]["height"] == 200


@pytest.mark.exhaustive
def test_four_products_with_views_by_a_model_that_takes_them(own_cloud):
    asked = {name: None for name in ("bottle", "can", "mug", "box")}
    with own_cloud.server(ALLOWED_MODELS="gemini-3-pro-image") as server:
        resource = put_products(own_cloud, asked, model="gemini-3-pro-image", seed=4)
        assert own_cloud.deliver(server, resource).status == 200
    sidecar = own_cloud.sidecar()
    assert sidecar["status"] == "accepted", sidecar["checks"]
    assert [product["name"] for product in sidecar["products"]] == list(asked)


@pytest.mark.exhaustive
def test_a_model_of_the_chain_that_takes_fewer_products_is_not_asked(own_cloud):
    """It is found out only when the one that was asked for is gone."""
    own_cloud.gemini.control(faults=[{"kind": "404", "times": 1, "match": {"model": "gemini-3-pro-image"}}])
    chain = {"GEMINI_MODEL": "gemini-3-pro-image", "GEMINI_FALLBACK_MODEL": "gemini-2.5-flash-image"}
    with own_cloud.server(**chain) as server:
        resource = put_products(own_cloud, dict.fromkeys(("bottle", "can", "mug")))
        assert own_cloud.deliver(server, resource).status == 200
    error = own_cloud.sidecar()["error"]
    assert error["code"] == "manifest_invalid" and own_cloud.calls() == 0
    assert "gemini-2.5-flash-image takes 3 images" in error["message"]
