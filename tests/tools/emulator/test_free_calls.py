"""The emulator's calls that cost nothing, as the real SDK makes them with a key and on Vertex AI."""

from __future__ import annotations

import pytest
from google import genai
from google.genai import errors, types

from tests.support import KEY, PATIENCE_S, png, product_array
from tests.tools.emulator.calls import Token

MODEL = "gemini-2.5-flash-image"
ONLY_GLOBAL = "gemini-nano-banana-2.1"


def client(emulator, *, vertex=False, location="global", key=KEY):
    options = types.HttpOptions(
        base_url=emulator.url, api_version="v1beta1" if vertex else "v1beta", timeout=int(1000 * PATIENCE_S)
    )
    if vertex:
        return genai.Client(vertexai=True, project="p", location=location, credentials=Token(), http_options=options)
    return genai.Client(vertexai=False, api_key=key, http_options=options)


@pytest.mark.parametrize("vertex", [False, True])
def test_models_are_listed_and_described(gemini, vertex):
    sdk = client(gemini, vertex=vertex)
    names = [model.name.rpartition("/")[2] for model in sdk.models.list()]
    assert {MODEL, ONLY_GLOBAL} <= set(names)
    assert sdk.models.get(model=MODEL).name.endswith(f"models/{MODEL}")
    with pytest.raises(errors.ClientError) as raised:
        sdk.models.get(model="gemini-none")
    assert raised.value.code == 404


@pytest.mark.parametrize("vertex", [False, True])
def test_tokens_are_counted_as_they_are_billed_and_no_picture_is_drawn(gemini, vertex):
    sdk = client(gemini, vertex=vertex)
    photograph = types.Part.from_bytes(data=png(product_array(64)), mime_type="image/png")
    counted = sdk.models.count_tokens(model=MODEL, contents=[photograph, photograph, "put it there"])
    assert counted.total_tokens == 2 * 258 + 3
    assert gemini.requests == []


def test_a_location_that_does_not_serve_a_model_counts_no_tokens_of_it(gemini):
    sdk = client(gemini, vertex=True, location="europe-west4")
    with pytest.raises(errors.ClientError) as raised:
        sdk.models.count_tokens(model=ONLY_GLOBAL, contents="put it there")
    assert raised.value.code == 404


@pytest.mark.parametrize(
    ("kind", "code"), [("404", 404), ("key_invalid", 400), ("403", 403), ("api_disabled", 403), ("no_quota", 429)]
)
def test_an_http_fault_meets_free_calls_too_each_where_it_is_meant(gemini, kind, code):
    sdk = client(gemini)
    gemini.control(faults=[{"kind": kind, "times": None, "match": {"model": MODEL}}])
    for call in (
        lambda: sdk.models.get(model=MODEL),
        lambda: sdk.models.count_tokens(model=MODEL, contents="x"),
        lambda: sdk.models.generate_content(model=MODEL, contents="x"),
    ):
        with pytest.raises(errors.ClientError) as raised:
            call()
        assert raised.value.code == code
    assert sdk.models.count_tokens(model=ONLY_GLOBAL, contents="x").total_tokens == 1


def test_a_fault_can_be_meant_for_one_call_alone(gemini):
    sdk = client(gemini)
    gemini.control(faults=[{"kind": "404", "times": None, "match": {"call": "generateContent"}}])
    assert sdk.models.count_tokens(model=MODEL, contents="x").total_tokens == 1
    with pytest.raises(errors.ClientError):
        sdk.models.generate_content(model=MODEL, contents="x")


def test_a_call_without_a_key_is_refused(gemini):
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{gemini.url}/v1beta/models", timeout=PATIENCE_S)
    assert raised.value.code == 403
