"""`/openapi.json` is a valid description, and of what the server really does."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.delivery.test_http_api import data_uri, pair, post_json
from tests.delivery.test_http_limits import LIMIT, connect, head
from tests.support import DATA, Cloud, HttpResponse, scene_png
from tests.support import http as ask

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
referencing = pytest.importorskip("referencing")

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}
# Slow to bring about; each has a test of its own (test_http_answers, test_http_api).
SHOWN_ELSEWHERE = {"201", "504"}


@pytest.fixture(scope="module")
def server(gcs, gcs_client_session, gemini_session, folder, session_server):
    place = Cloud(gcs, gcs_client_session, gemini_session, folder, prefix="shared/")
    with place.server(target="composite_http", BODY_TIMEOUT_S="3", ALLOWED_BUCKETS=place.input) as process:
        yield process


@pytest.fixture(scope="module")
def document(server) -> dict:
    response = ask(server.url + "/openapi.json", None, {}, method="GET")
    assert response.status == 200 and response.headers["Content-Type"] == "application/json"
    return response.json()


def validator(document: dict, pointer: str):
    """Of what the document describes at a JSON pointer."""
    resource = referencing.Resource.from_contents(document, referencing.jsonschema.DRAFT202012)
    registry = referencing.Registry().with_resource("urn:document", resource)
    return jsonschema.Draft202012Validator({"$ref": f"urn:document#{pointer}"}, registry=registry)


def test_the_description_is_valid(document):
    """Against the OpenAPI Initiative's own schema; its schemas are valid too, and every reference leads somewhere."""
    schema = json.loads((DATA / "openapi-3.1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    for name, one in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(one)
        list(validator(document, f"/components/schemas/{name}").iter_errors(None))


def test_each_path_takes_the_methods_that_are_described(document, server):
    for path, operations in document["paths"].items():
        described = {name.upper() for name in operations}
        for method in METHODS - described:
            response = ask(server.url + path, None, {}, method=method)
            assert response.status == 405 and set(response.headers["Allow"].split(", ")) == described
        for method in described - {"POST"}:
            response = ask(server.url + path, None, {}, method=method)
            assert_described(document, response, path, method.lower())
    assert ask(server.url + "/other", None, {}, method="GET").status == 404


def assert_described(document: dict, response: HttpResponse, path: str, method: str) -> None:
    """The response's status, headers and body are as the document says."""
    described = document["paths"][path][method]["responses"][str(response.status)]
    stated = {name for name in response.headers if name.startswith("X-") or name in {"Location", "Retry-After"}}
    assert stated <= set(described["headers"])
    for name in described["headers"]:
        header = document["components"]["headers"][name]
        assert name in stated or not header.get("required")
        if name in stated:
            jsonschema.validate(response.headers[name], header["schema"])
    media_type = response.headers["Content-Type"]
    if method == "head":
        assert response.body == b""
        return
    assert media_type in described["content"]
    if media_type == "application/json":
        at = f"/paths/{path.replace('/', '~1')}/{method}/responses/{response.status}/content/application~1json/schema"
        validator(document, at).validate(response.json())


def declared_only(server, length: int) -> HttpResponse:
    """The response to a request that states its length and sends nothing."""
    with connect(server) as connection:
        connection.sendall(head(server, f"Content-Length: {length}"))
        response = http.client.HTTPResponse(connection)
        response.begin()
        return HttpResponse(response.status, response.read(), dict(response.headers))


def test_every_answer_is_described_and_every_description_is_answered(document, gemini, cloud, server):
    gif = data_uri(b"GIF89a" + bytes(99))
    responses = [
        post_json(server, pair(seed=2001, labels={"sku": "1"})),
        post_json(server, pair(seed=2001), Accept="image/webp"),
        post_json(server, b"{"),
        post_json(server, pair(scene="gs://not-allowed/x.png")),
        post_json(server, pair(scene=f"gs://{cloud.input}/none.png")),
        post_json(server, pair(), Accept="image/gif"),
        declared_only(server, 10),
        declared_only(server, LIMIT + 1),
        post_json(server, pair(scene=gif)),
        post_json(server, pair(scene=data_uri(scene_png()[:3000]))),
        post_json(server, pair(seed=2002, budget_usd=0)),
    ]
    for kind in ("SAFETY", "403"):
        gemini.faults.clear()
        gemini.control(faults=[{"kind": kind, "times": None}])
        responses.append(post_json(server, pair(seed=2003, placement=kind)))
    for response in responses:
        assert_described(document, response, "/", "post")
    seen = {str(response.status) for response in responses}
    assert seen == set(document["paths"]["/"]["post"]["responses"]) - SHOWN_ELSEWHERE


def test_manifests_and_forms_that_work_are_described(document):
    manifest, form = (validator(document, f"/components/schemas/{name}") for name in ("Manifest", "Form"))
    manifest.validate(pair(seed=1, output={"format": "webp"}, labels={"sku": "1"}))
    form.validate({"scene": "x", "product": "y", "output.format": "webp", "labels.sku": "1"})
    assert not manifest.is_valid(pair(colour=1)) and not form.is_valid({"colour": "1"})


@pytest.mark.parametrize(
    "fields", [{"output": {"quality": 0}}, {"output": {"width": 20000}}, {"max_px": 100}, {"attempts": 0}, {"seed": -1}]
)
def test_the_limits_of_numbers_are_described(document, gemini, server, fields):
    assert not validator(document, "/components/schemas/Manifest").is_valid(pair(**fields))
    assert post_json(server, pair(**fields)).status == 400
