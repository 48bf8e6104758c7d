"""Requests as the emulator reads them: what it refuses, and how it counts tokens."""

from __future__ import annotations

import base64
import json

import pytest
from google.genai import errors

from tests.tools.emulator.calls import HELLO, MODEL, SCENE, TEXT_MODEL, ask, post, request_of, scene_part


def test_tokens_are_counted_as_the_real_model_counts_them(emulator):
    usage = ask(emulator).usage_metadata
    assert {d.modality.value: d.token_count for d in usage.prompt_tokens_details}["IMAGE"] == 2 * 258
    assert {d.modality.value: d.token_count for d in usage.candidates_tokens_details}["IMAGE"] == 1290
    assert usage.prompt_token_count == sum(d.token_count for d in usage.prompt_tokens_details)
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count


def test_key_and_vertex_paths_are_both_spoken_and_logged(emulator):
    for vertex in (False, True):
        response = ask(emulator, vertex=vertex)
        assert response.model_version == MODEL
        assert response.response_id
    assert [(entry["api"], entry["version"]) for entry in emulator.requests] == [("key", "v1beta"), ("vertex", "v1")]
    assert [image["mode"] for image in emulator.requests[0]["images"]] == ["RGB", "RGBA"]


def test_both_alphabets_of_base64_and_both_spellings_of_names_are_read(emulator):
    for encode, names in (
        (base64.b64encode, ("inlineData", "mimeType")),
        (base64.urlsafe_b64encode, ("inline_data", "mime_type")),
    ):
        part = {names[0]: {names[1]: "image/png", "data": encode(SCENE).decode()}}
        code, body = post(emulator, {"contents": [{"parts": [part, {"text": "brighter"}]}]})
        assert code == 200, body


REFUSED = {
    "not json": b"{",
    "unknown field": {**request_of(HELLO), "content": []},
    "unknown field inside": request_of(HELLO, aspectRatio="16:9"),
    "no contents": {"contents": []},
    "no parts": {"contents": [{"parts": []}]},
    "empty part": request_of({}),
    "unsupported type": request_of(scene_part(mimeType="image/tiff")),
    "type that does not match": request_of(scene_part(mimeType="image/jpeg")),
    "broken base64": request_of(scene_part(data="*")),
    "no image in it": request_of(scene_part(data=base64.b64encode(b"hello").decode())),
    "four images": request_of(*[scene_part()] * 4),
    "unknown ratio": request_of(HELLO, imageConfig={"aspectRatio": "7:3"}),
    "image size on 2.5": request_of(HELLO, imageConfig={"imageSize": "2K"}),
    "seed beyond 32 bits": request_of(HELLO, seed=2**31),
    "json from an image model": request_of(HELLO, responseMimeType="application/json"),
}


@pytest.mark.parametrize("why", sorted(REFUSED))
def test_a_request_the_service_would_refuse_is_refused(emulator, why):
    code, body = post(emulator, REFUSED[why])
    assert code == 400
    assert body["error"]["status"] == "INVALID_ARGUMENT"
    assert emulator.report()["answers"] == 0


def test_unknown_models_missing_keys_and_other_methods_are_refused(emulator):
    with pytest.raises(errors.ClientError) as unknown:
        ask(emulator, model="gemini-1.0-image")
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    assert post(emulator, request_of(HELLO), headers={})[0] == 403
    vertex = f"/v1/projects/p/locations/l/publishers/google/models/{MODEL}:generateContent"
    assert post(emulator, request_of(HELLO), vertex, headers={})[0] == 401
    assert post(emulator, request_of(HELLO), f"/v1beta/models/{MODEL}:sing")[0] == 404


def test_a_text_model_answers_json_that_fits_the_schema(emulator):
    schema = {
        "type": "OBJECT",
        "properties": {
            "score": {"type": "INTEGER", "minimum": 1, "maximum": 10},
            "verdict": {"type": "STRING", "enum": ["keep", "drop"]},
            "defects": {"type": "ARRAY", "items": {"type": "STRING"}},
            "sure": {"type": "BOOLEAN"},
        },
    }
    asked = request_of(scene_part(), HELLO, responseMimeType="application/json", responseSchema=schema)
    path = f"/v1beta/models/{TEXT_MODEL}:generateContent"
    answer = json.loads(post(emulator, asked, path)[1]["candidates"][0]["content"]["parts"][0]["text"])
    assert 1 <= answer["score"] <= 10
    assert answer["verdict"] == "keep"
    assert answer["defects"] == []
    assert answer["sure"] is True
    emulator.control(faults=[{"kind": "json", "value": {"score": 2}}])
    answer = json.loads(post(emulator, asked, path)[1]["candidates"][0]["content"]["parts"][0]["text"])
    assert answer == {"score": 2}
