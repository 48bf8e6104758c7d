"""`composite_http`: one pair as a request."""

from __future__ import annotations

import base64
import io
import json
import uuid

import pytest
from PIL import Image

from tests.held_model import held_model
from tests.support import http, picture, product_png, scene_png


def data_uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def pair(**fields) -> dict:
    return {"scene": data_uri(scene_png()), "product": data_uri(product_png()), **fields}


def post_json(server, body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http(server.url, content, {"Content-Type": "application/json", **headers})


def post_form(server, files, fields, **headers):
    mark = uuid.uuid4().hex
    body = io.BytesIO()
    for name, content in files.items():
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
        body.write(head.encode() + content + b"\r\n")
    for name, value in fields.items():
        body.write(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    body.write(f"--{mark}--\r\n".encode())
    return http(server.url, body.getvalue(), {"Content-Type": f"multipart/form-data; boundary={mark}", **headers})


@pytest.fixture
def server(session_http_server):
    return session_http_server


def test_json_in_json_out(gemini, server):
    response = post_json(server, pair(labels={"sku": "1"}))
    assert response.status == 200
    sidecar = response.json()["sidecar"]
    assert sidecar["status"] in {"accepted", "review"} and sidecar["labels"] == {"sku": "1"}
    content = base64.b64decode(response.json()["image"].partition(",")[2])
    assert picture(content).shape == (360, 640, 3)


def test_accept_image_gives_the_picture_and_its_status(gemini, server):
    response = post_json(server, pair(output={"format": "jpeg"}), Accept="image/*")
    assert response.status == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["X-Composite-Status"] in {"accepted", "review"}
    assert picture(response.body).shape == (360, 640, 3)


def test_files_and_form_fields(gemini, server):
    files = {"scene": scene_png(), "product": product_png()}
    fields = {"output.format": "webp", "seed": "7", "labels.sku": "A", "placement": "on the table"}
    response = post_form(server, files, fields | {"feedback": "too small"})
    assert response.status == 200
    sidecar = response.json()["sidecar"]
    assert sidecar["result"]["mime_type"] == "image/webp"
    assert sidecar["attempts"][0]["seed"] == 7
    assert sidecar["labels"] == {"sku": "A"}
    assert sidecar["feedback"] == "too small" and "put right: too small" in gemini.requests[0]["text"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "manifest_invalid"),
        ({"scene": "data:,"}, 400, "manifest_invalid"),
        (pair(colour=1), 400, "manifest_invalid"),
        (pair(scene="relative.png"), 400, "manifest_invalid"),
        (pair(scene="gs://not-allowed/x.png"), 403, "reference_forbidden"),
        (pair(scene="http://localhost/x.png"), 403, "reference_forbidden"),
        (pair(scene="data:image/png;base64," + base64.b64encode(b"GIF89a" + b"0" * 99).decode()), 415,
         "source_unsupported"),
        (pair(scene=data_uri(scene_png()[:3000])), 422, "source_unreadable"),
    ],
)  # fmt: skip
def test_what_the_caller_can_mend_is_4xx(gemini, server, body, status, code):
    response = post_json(server, body)
    assert response.status == status
    assert response.json()["error"]["code"] == code and response.json()["error"]["message"]
    assert gemini.requests == []


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("SAFETY", 502, "model_refused"), ("text_only", 502, "model_no_image"), ("403", 503, "model_unavailable")],
)
def test_the_models_failures_are_502_and_503(gemini, server, kind, status, code):
    gemini.control(faults=[{"kind": kind, "times": None}])
    response = post_json(server, pair(seed=abs(hash(kind)) % 10_000))
    assert (response.status, response.json()["error"]["code"]) == (status, code)


def test_the_deadline_is_504(gemini, own_cloud):
    with held_model(gemini), own_cloud.server(target="composite_http", EVENT_DEADLINE_S="1.5") as server:
        response = post_json(server, pair(seed=11))
    assert (response.status, response.json()["error"]["code"]) == (504, "deadline_exceeded")


def test_an_uploaded_file_has_the_same_limit_as_any_source(own_cloud):
    with own_cloud.server(target="composite_http", MAX_SOURCE_BYTES="100000") as server:
        files = {"scene": scene_png() + bytes(100_000), "product": product_png()}
        response = post_form(server, files, {})
    assert (response.status, response.json()["error"]["code"]) == (413, "source_too_large")
    assert own_cloud.gemini.requests == []


def test_only_post(gemini, server):
    assert http(server.url, None, {}, method="GET").status == 405


def test_what_has_no_picture_is_asked_again_by_the_next_request(gemini, server):
    """A hiccup is no reason to answer the same request with it for a week."""
    gemini.control(faults=[{"kind": "text_only", "times": None}])
    body = pair(placement=f"left, {uuid.uuid4()}")
    assert post_json(server, body).status == 502
    gemini.faults.clear()
    assert post_json(server, body).status == 200


def test_a_picture_that_another_request_paid_for_costs_nothing(gemini, server):
    body = pair(placement=f"right, {uuid.uuid4()}")
    first, second = (post_json(server, body).json()["sidecar"] for _ in range(2))
    assert first["cost"]["usd"] > 0
    assert [attempt["outcome"] for attempt in second["attempts"]] == ["reused"]
    assert (second["cost"]["usd"], second["cost"]["prompt_tokens_saved_percent"]) == (0, 0)


@pytest.mark.parametrize("fields", [{"seed": "--5"}, {"seed": "9" * 5000}, {"output": "[" * 100_000}])
def test_a_form_field_that_makes_no_sense_is_named(gemini, server, fields):
    response = post_form(server, {"scene": scene_png(), "product": product_png()}, fields)
    assert (response.status, response.json()["error"]["code"]) == (400, "manifest_invalid")
    assert next(iter(fields)) in response.json()["error"]["message"]


def test_an_image_may_be_a_form_field_of_any_size(gemini, server):
    scene = data_uri(scene_png() + bytes(1_000_000))
    response = post_form(server, {"product": product_png()}, {"scene": scene})
    assert response.status == 200, response.body[:300]


def test_too_many_form_fields_are_an_error_in_json(gemini, server):
    response = post_form(server, {"scene": scene_png()}, {f"labels.{k}": "x" for k in range(1500)})
    assert (response.status, response.json()["error"]["code"]) == (400, "manifest_invalid")


def test_an_output_bucket_that_is_not_there_is_an_error_in_json(own_cloud):
    with own_cloud.server(target="composite_http", OUTPUT_BUCKET="no-such-bucket", EVENT_DEADLINE_S="20") as server:
        response = post_json(server, pair(seed=12))
    assert response.status in {500, 503}
    assert response.json()["error"]["code"] == "internal"


def test_a_transparent_product_is_refused_before_it_is_paid_for(gemini, server):
    buffer = io.BytesIO()
    Image.new("RGBA", (64, 64), (200, 0, 0, 0)).save(buffer, "PNG")
    response = post_json(server, pair(product=data_uri(buffer.getvalue())))
    assert (response.status, response.json()["error"]["code"]) == (422, "source_unreadable")
    assert gemini.requests == []


def test_a_shape_that_cuts_the_product_off_goes_to_review(gemini, server):
    sidecar = post_json(server, pair(output={"width": 1500, "height": 100})).json()["sidecar"]
    assert sidecar["status"] == "review"
    assert sidecar["checks"]["product_whole"]["passed"] is False
    assert "cuts the product off" in sidecar["checks"]["product_whole"]["reason"]
    assert sidecar["risk"]["value"] > sidecar["attempts"][-1]["risk"]["value"]
