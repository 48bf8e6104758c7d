"""A form with several photographs of the product."""

from __future__ import annotations

import io
import json
import uuid

import pytest

from function.delivery.http_form import parse_form
from function.delivery.openapi import openapi
from function.errors import InvalidManifestError
from tests.product_samples import large_scene_png, view_png
from tests.support import http


def form_of(parts):
    """(body, boundary) of a form of (name, text or bytes of a file), in that order."""
    mark = uuid.uuid4().hex
    body = io.BytesIO()
    for name, content in parts:
        file = isinstance(content, bytes)
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"{"; filename=x" if file else ""}\r\n\r\n'
        body.write(head.encode() + (content if file else content.encode()) + b"\r\n")
    body.write(f"--{mark}--\r\n".encode())
    return body.getvalue(), mark


def parsed(*parts):
    body, mark = form_of(parts)
    return parse_form(body, {"boundary": mark}, 1_000_000)


def test_files_of_one_name_are_views_in_their_order(gemini, session_http_server):
    body, mark = form_of(
        [("product", view_png("front.png")), ("scene", large_scene_png()), ("product", view_png("back.png")),
         ("attempts", "1")]
    )  # fmt: skip
    response = http(session_http_server.url, body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
    assert response.status == 200, response.body[:500]
    sidecar = response.json()["sidecar"]
    assert [view["uri"] for view in sidecar["inputs"]["views"]] == ["upload:product", "upload:product.1"]
    assert sidecar["view"]["index"] == 0 and len(gemini.requests[0]["images"]) == 3


def test_a_file_leads_references_and_text():
    fields, uploaded = parsed(("product", b"1"), ("product.1", "gs://b/side.png"), ("scene", "gs://b/s.png"))
    assert fields["product"] == ["data:,", "gs://b/side.png"] and list(uploaded) == ["product"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([("product", b"1"), ("product", b"1")], "product.1: it is the same photograph as product"),
        ([("scene", b"1"), ("scene", b"2")], "scene is given twice"),
        ([("product", "gs://b/x.png"), ("product", b"1")], "product is given twice"),
        ([("product", b"1"), ("product", b"2"), ("product.1", "gs://b/x.png")], "holds a list of photographs already"),
        ([("product.1", b"1")], "unknown file"),
    ],
)
def test_what_makes_no_sense_is_refused(parts, words):
    with pytest.raises(InvalidManifestError, match=words):
        parsed(*parts)


def test_several_files_are_described():
    described = openapi()["components"]["schemas"]["Form"]["properties"]
    one, several = described["product"]["oneOf"]
    assert one == described["scene"] and several["items"] == one and several["maxItems"] == 6
    assert described["product.5"] == {"type": "string"}


def test_files_bring_the_photographs_of_several_products():
    products = '[{"name": "mill"}, {"name": "cup", "product": "gs://b/cup.png"}]'
    fields, uploaded = parsed(
        ("products.mill", b"1"), ("products", products), ("scene", "gs://b/s.png"), ("products.mill", b"2")
    )
    assert [one["product"] for one in fields["products"]] == [["data:,", "data:,1"], "gs://b/cup.png"]
    assert list(uploaded) == ["products.mill", "products.mill.1"]
    for parts, words in (
        ([("products", products), ("products.jug", b"1")], "unknown file"),
        ([("products.mill", b"1")], "unknown file"),
        ([("products", products), ("products.cup", b"1")], "products.cup is given twice"),
    ):
        with pytest.raises(InvalidManifestError, match=words):
            parsed(*parts)
    mask = "products.mill.placement.mask"
    for words in ({}, {"placement": "left"}, {"placement": {"words": "left"}}):
        fields, uploaded = parsed(("products", json.dumps([{"name": "mill", **words}])), (mask, b"1"))
        assert fields["products"][0]["placement"] == {"mask": "data:,"} | ({"words": "left"} if words else {})
        assert list(uploaded) == [mask]
    given = json.dumps([{"name": "mill", "placement": {"mask": "gs://b/m.png"}}])
    for parts, words in (
        ([("products", products), ("products.jug.placement.mask", b"1")], "unknown file"),
        ([("products", given), (mask, b"1")], f"{mask} is given twice"),
    ):
        with pytest.raises(InvalidManifestError, match=words):
            parsed(*parts)
    patterns = openapi()["components"]["schemas"]["Form"]["patternProperties"]
    assert patterns["^products[.]."]["oneOf"][1]["maxItems"] == 6
