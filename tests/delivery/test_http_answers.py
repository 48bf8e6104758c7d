"""What form a response of `composite_http` takes: the format that is accepted, and an address where it is too large."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from tests.delivery.test_http_api import pair, post_form, post_json
from tests.support import product_png, scene_array
from tests.tiers import exhaustive

LIMIT = 32 * 2**20


@pytest.fixture
def server(session_http_server):
    return session_http_server


@pytest.fixture(scope="module")
def body(session_http_server):
    """One pair for all, so that it is paid for once; a PNG scene."""
    return pair(seed=random.randrange(2**30))


@pytest.mark.parametrize(
    ("accept", "mime_type"),
    [
        ("image/webp", "image/webp"),
        ("image/*", "image/png"),  # the scene's own
        ("image/webp;q=0.1, image/jpeg;q=0.9", "image/jpeg"),
        ("application/json, image/webp;q=0.9", "application/json"),
    ],
)
def test_the_caller_says_which_format(gemini, server, body, accept, mime_type):
    response = post_json(server, body, Accept=accept)
    assert (response.status, response.headers["Content-Type"]) == (200, mime_type)
    if mime_type != "application/json":
        assert Image.MIME[Image.open(io.BytesIO(response.body)).format] == mime_type


@pytest.mark.parametrize(
    ("accept", "output"), [("image/gif", {}), ("image/bmp, image/tiff", {}), ("image/png", {"format": "webp"})]
)
def test_what_cannot_be_given_is_said_before_it_is_paid_for(gemini, server, accept, output):
    response = post_json(server, pair(output=output), Accept=accept)
    assert (response.status, response.json()["error"]["code"]) == (406, "not_acceptable")
    assert gemini.requests == []


def test_a_format_that_both_ask_for_is_given(gemini, server, body):
    response = post_json(server, body | {"output": {"format": "jpeg"}}, Accept="image/png, image/*;q=0.1")
    assert response.headers["Content-Type"] == "image/jpeg"


def grainy_jpeg(width: int, height: int) -> bytes:
    """A scene with so much noise that it takes 2.3 bytes a pixel or more as a PNG."""
    scene = scene_array(width, height)
    noise = np.random.default_rng(1).integers(-45, 46, scene.shape, np.int16)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(scene + noise, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("accept", "size"), [("application/json", (4400, 2500)), *exhaustive(("image/png", (5400, 3000)))]
)
def test_an_answer_that_is_too_large_is_stored_and_its_address_given(gemini, cloud, server, accept, size):
    fields = {"output.format": "png", "labels.sku": "A-7", "seed": "71"}
    response = post_form(server, {"scene": grainy_jpeg(*size), "product": product_png()}, fields, Accept=accept)
    assert response.status == 201 and len(response.body) < LIMIT
    whole, sidecar = response.json(), response.json()["sidecar"]
    assert whole["image"] == sidecar["result"]["uri"] == response.headers["Location"]
    bucket, _, name = whole["image"].removeprefix("gs://").partition("/")
    assert bucket == cloud.output and name.startswith("_http/")
    blob = cloud.client.bucket(bucket).get_blob(name)
    content = blob.download_as_bytes()
    assert len(content) == sidecar["result"]["bytes"]
    assert (len(content) if accept == "image/png" else 4 * len(content) / 3) > LIMIT
    assert Image.open(io.BytesIO(content)).size == size
    assert blob.metadata == {"status": sidecar["status"], "sku": "A-7"} and blob.content_type == "image/png"
    assert response.headers["X-Composite-Status"] == sidecar["status"] and sidecar["cost"]["usd"] > 0


def test_a_manifest_among_the_stored_answers_is_refused(cloud, session_server):
    resource = {"bucket": cloud.input, "name": "_http/x.json", "generation": "1"}
    assert cloud.deliver(session_server, resource).body == b"refused\n"
