"""Of several photographs the page shows the one that the picture was compared with."""

from __future__ import annotations

import json

import pytest

from function.tools.review.page_data import pair_data
from function.tools.review.pair import load_pairs
from function.tools.review.view import product_record, view_of
from tests.tools.review.samples import make_pair, png, record

RED, GREEN = (png(colour, (60, 90)) for colour in ((200, 0, 0), (0, 200, 0)))
VIEWS = [record("gs://in/front.png", RED), record("gs://in/side.png", GREEN)]


def sidecar(index: object = 1, views: object = VIEWS) -> dict:
    made = make_pair().sidecar
    return made | {"inputs": made["inputs"] | {"views": views}, "view": {"index": index, "uri": "", "sent": 2}}


def test_the_view_that_was_used_is_the_product_of_the_page():
    assert product_record(sidecar())["uri"] == "gs://in/side.png"
    shown = make_pair(**{name: sidecar()[name] for name in ("inputs", "view")})
    assert pair_data(shown, {})["view"] == {"number": 2, "of": 2} and pair_data(make_pair(), {})["view"] is None


@pytest.mark.parametrize(("index", "views"), [(2, VIEWS), (-1, VIEWS), ("1", VIEWS), (True, VIEWS), (0, None), (0, [])])
def test_a_broken_view_is_the_leading_photograph(index, views):
    assert view_of(sidecar(index, views)) is None
    assert product_record(sidecar(index, views))["uri"] == "gs://in/p.png"


class Store:
    """A bucket with one pair, whose photographs are in the manifest."""

    def __init__(self, content: dict, manifest: dict):
        self._stored = {"gs://out/a/one.json": json.dumps(content), "gs://in-bucket/a/one.json": json.dumps(manifest)}

    def list_objects(self, bucket, prefix):
        class Stored:
            name, size, metadata, generation = "a/one.json", 1000, {}, 1

        return [Stored]

    def read(self, uri, generation=None):
        return self._stored[uri].encode()

    def link(self, uri):
        return None


def test_a_view_inside_the_manifest_is_read_there():
    inline = [one | {"uri": "data:", "generation": None} for one in VIEWS]
    manifest = {"product": ["data:image/png;base64,AAAA", "data:image/png;base64,AQID"], "scene": "s.png"}
    settled = sidecar(views=inline) | {"manifest": {"bucket": "in-bucket", "name": "a/one.json", "generation": 17}}
    (pair,) = load_pairs(Store(settled, manifest), "gs://out/a/")
    assert pair.product() == b"\x01\x02\x03"


def test_of_several_products_it_says_what_each_did_not_pass():
    check = {"value": 1.0, "threshold": 0.1, "passed": False, "unit": "", "reason": ""}
    products = [
        {"name": "mill", "placement": "left", "checks": {"product_once": check}},
        {"name": "cup", "placement": None, "checks": {"product_once": check | {"passed": True}}},
        "broken",
    ]
    assert pair_data(make_pair(products=products), {})["products"] == [
        {"name": "mill", "placement": "left", "failed": ["Product once"]},
        {"name": "cup", "placement": "", "failed": []},
        {"name": "", "placement": "", "failed": []},
    ]
    assert pair_data(make_pair(), {})["products"] == []


def test_the_page_names_the_photograph_and_the_products(open_page):
    check = {"value": 1.0, "threshold": 0.1, "passed": False, "unit": "", "reason": ""}
    products = [
        {"name": "mill", "placement": "left", "checks": {"product_once": check}},
        {"name": "cup", "placement": "", "checks": {}},
    ]
    page = open_page([make_pair(**{name: sidecar()[name] for name in ("inputs", "view")}, products=products)])
    page.locator(".card").first.click()
    page.locator("figure.product figcaption").wait_for(state="attached")
    assert page.locator("figure.product figcaption").text_content() == "Product, photograph 2 of 2"
    said = page.locator("#detail").inner_text()
    assert "did not pass: Product once (left)" in said and "passed every check" in said
