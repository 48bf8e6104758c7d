"""The Gemini emulator, driven by the real google-genai SDK over HTTP and by raw requests."""

from __future__ import annotations

import base64
import io
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import httpx2
import numpy as np
import pytest
from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types
from PIL import Image

from function.tools.emulator.faults import ANSWER_FAULTS, HTTP_FAULTS, UnknownFaultError
from function.tools.emulator.models import load_models
from function.tools.emulator.server import GeminiEmulator
from tests.cases.packshots import openings, packshots
from tests.support import PATIENCE_S
from tests.tiers import exhaustive

MODEL = "gemini-2.5-flash-image"
TEXT_MODEL = "gemini-2.5-flash"
PRODUCT_PINK = (220, 20, 140)


class Token(Credentials):
    """Credentials that need no network."""

    def refresh(self, request):
        self.token = "token"


def table_scene(size=(768, 439)) -> np.ndarray:
    """A grey-blue wall over a light table: uint8 RGB."""
    width, height = size
    scene = np.empty((height, width, 3), np.uint8)
    scene[: int(0.6 * height)] = (120, 140, 160)
    scene[int(0.6 * height) :] = (205, 198, 188)
    return scene


def pink_product() -> np.ndarray:
    """A pink box, 100x200, in a wide transparent margin: uint8 RGBA."""
    product = np.zeros((300, 300, 4), np.uint8)
    product[60:260, 110:210] = (*PRODUCT_PINK, 255)
    return product


def encoded(pixels: np.ndarray, kind="PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


SCENE, PRODUCT = encoded(table_scene()), encoded(pink_product())


def ask(
    emulator, *, ratio="16:9", seed=1, model=MODEL, images=(SCENE, PRODUCT), text="Put [2] into [1].", vertex=False
):
    """One call of the SDK; the client is kept while it runs."""
    options = types.HttpOptions(base_url=emulator.url, api_version="v1beta", timeout=int(1000 * PATIENCE_S))
    if vertex:
        options.api_version = "v1"
        client = genai.Client(
            vertexai=True, project="p", location="us-central1", credentials=Token(), http_options=options
        )
    else:
        client = genai.Client(api_key="key", http_options=options)
    parts = [types.Part.from_bytes(data=data, mime_type="image/png") for data in images]
    config = types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(aspect_ratio=ratio), seed=seed
    )
    return client.models.generate_content(model=model, contents=[text, *parts], config=config)


def picture(response) -> np.ndarray:
    """The answer's last image that is no thought."""
    parts = [part for part in response.candidates[0].content.parts if part.inline_data and not part.thought]
    return np.asarray(Image.open(io.BytesIO(parts[-1].inline_data.data)))


def pink(pixels: np.ndarray) -> np.ndarray:
    """Where the product is."""
    red, green, blue = (pixels[..., channel].astype(int) for channel in range(3))
    return (red - green > 60) & (blue - green > 25)


def post(emulator, payload, path=f"/v1beta/models/{MODEL}:generateContent", headers=None):
    """(code, JSON) of a raw request."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"x-goog-api-key": "key", "Content-Type": "application/json"} if headers is None else headers
    request = urllib.request.Request(emulator.url + path, body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def running():
    with GeminiEmulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running):
    running.control(reset=True)
    return running


# The picture


@pytest.mark.parametrize(
    "ratio", ["1:1", "9:16", "21:9", *exhaustive("2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "16:9")]
)
def test_the_picture_has_the_native_size_of_the_ratio(emulator, ratio):
    width, height = load_models()[MODEL].native_sizes[ratio]
    assert picture(ask(emulator, ratio=ratio)).shape == (height, width, 3)


def test_the_product_stands_on_the_table_whole_and_in_its_own_shape(emulator):
    found = pink(picture(ask(emulator)))
    rows, columns = np.nonzero(found)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert tall / wide == pytest.approx(2.0, abs=0.08)
    assert found.sum() / (tall * wide) > 0.95
    assert rows.max() > 0.65 * found.shape[0], "its foot is on the table, which begins at 60 %"
    assert 0.15 < tall / found.shape[0] < 0.6


def test_there_is_a_contact_shadow_and_none_when_told(emulator):
    shades = {}
    for kind in (None, "no_shadow"):
        emulator.control(faults=[{"kind": kind}] if kind else [])
        pixels = picture(ask(emulator))
        rows, columns = np.nonzero(pink(pixels))
        below = pixels[rows.max() + 3 : rows.max() + 7, columns.min() + 10 : columns.max() - 10]
        shades[kind] = below.mean()
    assert shades[None] < 0.9 * shades["no_shadow"]


def test_the_scene_is_kept_but_for_a_small_drift(emulator):
    kept = picture(ask(emulator)).astype(float)
    scene = np.asarray(Image.fromarray(table_scene()).resize((1344, 768), Image.Resampling.BICUBIC)).astype(float)
    away = ~np.pad(pink(kept), 260, mode="edge")[260:-260, 260:-260]
    difference = np.abs(kept - scene).mean(2)[away]
    assert 0.2 < np.median(difference) < 8
    emulator.control(drift=0)
    exact = np.abs(picture(ask(emulator)).astype(float) - scene).mean(2)
    assert np.median(exact) < 0.2


def test_the_same_request_gives_the_same_picture_and_another_seed_another(emulator):
    first, again, other = (picture(ask(emulator, seed=seed)) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_padding_bars_carry_no_product(emulator):
    scene = np.full((439, 768, 3), 128, np.uint8)
    scene[120:320] = table_scene((768, 200))
    rows = np.nonzero(pink(picture(ask(emulator, images=(encoded(scene), PRODUCT)))))[0]
    assert rows.min() > 120 / 439 * 768 - 6
    assert rows.max() < 320 / 439 * 768 + 6


def test_the_placement_that_the_prompt_names_is_followed(emulator):
    for word, low, high in (("left", 0.15, 0.42), ("right", 0.58, 0.9)):
        found = pink(picture(ask(emulator, text=f"Put [2] into [1].\n\nPlacement: on the {word} of the table\n")))
        assert low < np.nonzero(found)[1].mean() / found.shape[1] < high


def test_a_product_on_an_even_backdrop_is_cut_out(emulator):
    flat = pink_product()
    flat[flat[..., 3] == 0] = 255
    pixels = picture(ask(emulator, images=(SCENE, encoded(np.ascontiguousarray(flat[..., :3])))))
    rows, columns = np.nonzero(pink(pixels))
    assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(2.0, abs=0.1)
    beside = pixels[rows.min() : rows.max(), columns.min() - 20 : columns.min() - 8]
    assert beside.min(axis=2).max() < 240, "no white backdrop beside it"


def test_the_scene_shows_through_the_opening_of_a_product_before_white(emulator):
    emulator.control(drift=0)
    bag = encoded(next(packshots("bag-white")).photograph)
    pixels = picture(ask(emulator, images=(SCENE, bag))).astype(float)
    scene = np.asarray(Image.fromarray(table_scene()).resize((1344, 768), Image.Resampling.BICUBIC)).astype(float)
    changed = np.abs(pixels - scene).max(axis=2) > 25
    assert openings(np.where(changed, 255, 0).astype(np.uint8)).sum() > 5000


def test_a_prompt_without_images_gives_an_empty_scene_of_what_it_names(emulator):
    wood = picture(ask(emulator, images=(), text="Scene: walnut table, white wall, warm light from the left"))
    slate = picture(ask(emulator, images=(), text="Scene: slate, white wall, light from the right"))
    assert wood.shape == slate.shape == (768, 1344, 3)
    table, dark = wood[600:].mean((0, 1)), slate[600:].mean((0, 1))
    assert table[0] > 1.4 * table[2], "walnut is brown"
    assert dark[0] < 1.15 * dark[2], "slate is not"
    assert wood[:300, :300].mean() > wood[:300, -300:].mean(), "light from the left"
    assert slate[:300, :300].mean() < slate[:300, -300:].mean(), "light from the right"


PICTURE_SIGNS = {
    "product_missing": lambda p: pink(p).sum() == 0,
    "product_duplicated": lambda p: (
        np.ptp(np.nonzero(pink(p).any(0))[0]) > 1.8 * np.ptp(np.nonzero(pink(p).any(1))[0]) / 2
    ),
    "wrong_colour": lambda p: pink(p).sum() == 0,
    "wrong_scale": lambda p: np.ptp(np.nonzero(pink(p).any(1))[0]) > 0.5 * p.shape[0],
    "clipped_product": lambda p: np.ptp(np.nonzero(pink(p).any(1))[0]) > 2.2 * np.ptp(np.nonzero(pink(p).any(0))[0]),
    "black_image": lambda p: p.max() == 0,
    "other_picture": lambda p: pink(p).sum() == 0 and np.abs(p[:200].mean((0, 1)) - (120, 140, 160)).max() > 12,
    "scene_replaced": lambda p: np.abs(p[:200].mean((0, 1)) - (120, 140, 160)).max() > 12 and pink(p).any(),
    "thing_added": lambda p: (green(p).sum() > 1000) and pink(p).any(),
    "turned_product": lambda p: np.ptp(np.nonzero(pink(p).any(1))[0]) > 2.15 * np.ptp(np.nonzero(pink(p).any(0))[0]),
    "background_replaced": lambda p: (
        np.abs(p[:200].mean((0, 1)) - (120, 140, 160)).max() > 12
        and np.abs(np.median(p[-40:], (0, 1)) - (205, 198, 188)).max() < 12
    ),
    "scene_relit": lambda p: p[:200, :, 0].mean() > 1.1 * p[:200, :, 2].mean() and pink(p).any(),
    "cropped_and_extended": lambda p: p.shape == (1024, 1024, 3) and pink(p).any(),
    "cutout_halo": lambda p: (p.min(axis=2) > 230).sum() > 500,
    "other_label": lambda p: (p[pink(_filled(p))].max(axis=1) < 60).sum() + (p.min(axis=2) > 215).sum() > 200,
}


def green(pixels: np.ndarray) -> np.ndarray:
    """Where the thing is that nobody asked for."""
    red, shade, blue = (pixels[..., channel].astype(int) for channel in range(3))
    return (shade - red > 40) & (shade - blue > 20)


def _filled(pixels: np.ndarray) -> np.ndarray:
    """`pixels` with the box around everything pink painted pink."""
    out = pixels.copy()
    rows, columns = np.nonzero(pink(pixels))
    out[rows.min() : rows.max(), columns.min() : columns.max()] = PRODUCT_PINK
    return out


TELLING_SIGNS = ["product_missing", "wrong_colour", "cutout_halo", "thing_added", "cropped_and_extended"]


@pytest.mark.parametrize("kind", [*TELLING_SIGNS, *exhaustive(*sorted(set(PICTURE_SIGNS) - set(TELLING_SIGNS)))])
def test_a_picture_fault_shows_in_the_picture(emulator, kind):
    sign = PICTURE_SIGNS[kind]
    assert not sign(picture(ask(emulator))), "the sign is not there without the fault"
    emulator.control(faults=[{"kind": kind}])
    assert sign(picture(ask(emulator)))
    assert emulator.report()["faults"]["fired"] == {kind: 1}


def test_a_floating_product_hangs_above_its_shadow(emulator):
    stands = np.nonzero(pink(picture(ask(emulator))))[0]
    emulator.control(faults=[{"kind": "floating_product"}])
    floats = np.nonzero(pink(picture(ask(emulator))))[0]
    assert stands.max() - floats.max() > 0.1 * np.ptp(stands)


def test_a_thing_of_the_scene_can_be_removed(emulator):
    scene = table_scene()
    scene[160:290, 100:160] = (30, 150, 70)
    scene[160:180, 100:112] = scene[160:180, 148:160] = (120, 140, 160)  # a bottle's shoulders
    asked = {"images": (encoded(scene), PRODUCT), "text": "Put [2] into [1].\n\nPlacement: on the right\n"}
    before = green(picture(ask(emulator, **asked))).sum()
    assert before > 15_000
    emulator.control(faults=[{"kind": "thing_removed"}])
    without = picture(ask(emulator, **asked))
    assert green(without).sum() < 0.2 * before
    assert pink(without).any()


def test_a_redrawn_product_has_its_outline_and_not_its_small_print(emulator):
    printed = pink_product()
    printed[70:250:6, 120:200, :3] = 250
    printed[70:250, 124:200:8, :3] = PRODUCT_PINK  # letters of six pixels
    asked = {"images": (SCENE, encoded(printed))}
    emulator.control(drift=0)
    drawn = picture(ask(emulator, **asked))
    emulator.control(faults=[{"kind": "redrawn_product"}])
    redrawn = picture(ask(emulator, **asked))
    rows, columns = (np.nonzero(pink(drawn).any(axis))[0] for axis in (1, 0))
    print_of = np.s_[rows.min() + 20 : rows.max() - 20, columns.min() + 20 : columns.max() - 20]
    alike = np.corrcoef(drawn[print_of].mean(2).ravel(), redrawn[print_of].mean(2).ravel())[0, 1]
    assert alike < 0.8
    assert np.ptp(np.nonzero(pink(redrawn).any(1))[0]) == pytest.approx(np.ptp(rows), abs=3)
    emulator.control(drift=1)


# The protocol


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
        code, answer = post(emulator, {"contents": [{"parts": [part, {"text": "brighter"}]}]})
        assert code == 200, answer


def scene_part(**changes):
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(SCENE).decode(), **changes}}


def request_of(*parts, **config):
    return {"contents": [{"role": "user", "parts": list(parts)}], "generationConfig": config}


HELLO = {"text": "hello"}
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
    code, answer = post(emulator, REFUSED[why])
    assert code == 400
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
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


# Faults


@pytest.mark.parametrize("kind", ["429", "503", *exhaustive(*sorted(set(HTTP_FAULTS) - {"429", "503"}))])
def test_an_http_fault_is_an_error_of_that_code_and_then_over(emulator, kind):
    emulator.control(faults=[{"kind": kind}])
    with pytest.raises(errors.APIError) as raised:
        ask(emulator)
    assert raised.value.code == ({"key_invalid": 400, "api_disabled": 403, "no_quota": 429}.get(kind) or int(kind))
    assert picture(ask(emulator)).size


def test_a_429_says_when_to_come_again(emulator):
    emulator.control(faults=[{"kind": "429"}])
    with pytest.raises(errors.ClientError) as raised:
        ask(emulator)
    details = raised.value.details["error"]["details"]
    assert [d["retryDelay"] for d in details if d["@type"].endswith("RetryInfo")] == ["1s"]


WIRE_ERRORS = {
    "reset": httpx2.TransportError,
    "reset_midway": httpx2.TransportError,
    "broken_stream": httpx2.TransportError,
    "stall": httpx2.TransportError,
    "stall_midway": httpx2.TransportError,
    "truncated_json": json.JSONDecodeError,
    "garbage_body": json.JSONDecodeError,
}


@pytest.mark.parametrize(
    "kind", ["reset", "truncated_json", *exhaustive(*sorted(set(WIRE_ERRORS) - {"reset", "truncated_json"}))]
)
def test_a_wire_fault_reaches_the_sdk(emulator, kind):
    emulator.control(faults=[{"kind": kind, "value": 0.2}])
    with pytest.raises(WIRE_ERRORS[kind]):
        ask(emulator)
    assert emulator.report()["faults"]["fired"] == {kind: 1}
    assert picture(ask(emulator)).size


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "IMAGE_SAFETY", "NO_IMAGE", "MAX_TOKENS", "NEVER_SEEN"])
@pytest.mark.filterwarnings("ignore:NEVER_SEEN")
def test_any_finish_reason_can_be_given(emulator, reason):
    emulator.control(faults=[{"kind": reason}])
    candidate = ask(emulator).candidates[0]
    assert candidate.finish_reason.value == reason
    assert candidate.content is None


def test_a_blocked_prompt_has_its_reason_and_no_candidates(emulator):
    emulator.control(faults=[{"kind": "block_reason", "value": "OTHER"}])
    response = ask(emulator)
    assert response.prompt_feedback.block_reason.value == "OTHER"
    assert not response.candidates


def shown(response):
    """[(what, thought)] of an answer's parts."""
    content = response.candidates[0].content if response.candidates else None
    parts = (content.parts or []) if content else []
    return [("text" if part.text else part.inline_data.mime_type, bool(part.thought)) for part in parts]


PARTS = {
    "text_only": [("text", False)],
    "no_candidates": [],
    "empty_candidate": [],
    "empty_parts": [],
    "thought_first": [("text", True), ("image/png", True), ("image/png", False)],
    "thought_only": [("text", True), ("image/png", True)],
    "two_images": [("text", False), ("image/png", False), ("image/png", False)],
    "data_uri_in_text": [("text", False)],
    "jpeg_answer": [("text", False), ("image/jpeg", False)],
    "webp_answer": [("text", False), ("image/webp", False)],
}


@pytest.mark.parametrize(
    "kind", ["text_only", "two_images", *exhaustive(*sorted(set(PARTS) - {"text_only", "two_images"}))]
)
def test_an_answer_can_be_of_another_make(emulator, kind):
    emulator.control(faults=[{"kind": kind}])
    assert shown(ask(emulator)) == PARTS[kind]


def test_an_image_can_be_spoilt(emulator):
    def last(kind, **more):
        emulator.control(faults=[{"kind": kind, **more}])
        return ask(emulator).candidates[0].content.parts[-1].inline_data

    assert last("jpeg_labelled_png").data.startswith(b"\xff\xd8")
    assert last("empty_image").data in (b"", None)
    for kind in ("truncated_image", "garbage_image"):
        with pytest.raises(OSError):
            Image.open(io.BytesIO(last(kind).data)).load()
    assert Image.open(io.BytesIO(last("other_size", value=[600, 900]).data)).size == (600, 900)
    assert Image.open(io.BytesIO(last("larger_answer").data)).size == (2688, 1536)
    emulator.control(faults=[{"kind": "no_usage"}])
    assert ask(emulator).usage_metadata is None


def test_answers_that_the_sdk_stumbles_over(emulator):
    def answer(kind):
        emulator.control(faults=[{"kind": kind}])
        code, response = post(emulator, {"contents": [{"role": "user", "parts": [{"text": "a table"}]}]})
        assert code == 200
        return response["candidates"]

    assert answer("odd_form") == "none"
    assert answer("numeric_reason")[0]["finishReason"] == 1
    with pytest.raises(ValueError):
        base64.b64decode(answer("broken_base64")[0]["content"]["parts"][-1]["inlineData"]["data"], validate=True)


def test_every_answer_fault_is_covered_here():
    elsewhere = {"block_reason", "jpeg_labelled_png", "empty_image", "truncated_image", "garbage_image"}
    elsewhere |= {"broken_base64", "odd_form", "numeric_reason"}
    assert set(PARTS) | elsewhere | {"other_size", "larger_answer", "no_usage"} == ANSWER_FAULTS


def test_a_fault_is_used_up_and_meets_only_what_it_matches(emulator):
    emulator.control(faults=[{"kind": "503", "times": 2, "match": {"seed": 5}}])
    assert picture(ask(emulator, seed=4)).size
    for _ in range(2):
        with pytest.raises(errors.ServerError):
            ask(emulator, seed=5)
    assert picture(ask(emulator, seed=5)).size
    emulator.control(faults=[{"kind": "404", "times": None, "match": {"model": MODEL}}])
    for _ in range(3):
        with pytest.raises(errors.ClientError):
            ask(emulator)
    assert picture(ask(emulator, model="gemini-3.1-flash-lite-image")).size
    assert emulator.report()["faults"]["fired"] == {"503": 2, "404": 3}


def test_a_fault_of_no_known_kind_is_refused(emulator):
    with pytest.raises(UnknownFaultError):
        emulator.control(faults=[{"kind": "smoke"}])
    assert post(emulator, {"faults": [{"kind": "503", "match": {"colour": 1}}]}, "/__control")[0] == 400
    assert post(emulator, {"speed": 3}, "/__control")[0] == 400


def test_answers_are_counted_by_what_was_asked(emulator):
    for seed in (1, 1, 2):
        ask(emulator, seed=seed)
    emulator.control(faults=[{"kind": "reset_midway"}])
    with pytest.raises(httpx2.TransportError):
        ask(emulator, seed=2)
    with urllib.request.urlopen(emulator.url + "/__control") as response:
        report = json.load(response)
    assert report["requests"] == report["answers"] == 4, "an answer lost on the way was given all the same"
    assert {entry["seed"]: entry["count"] for entry in report["answered"]} == {1: 2, 2: 2}
    assert len({entry["digest"] for entry in report["answered"]}) == 1
    emulator.control(reset=True)
    assert emulator.report()["requests"] == 0


def test_it_runs_as_a_program_and_ends_on_sigterm():
    process = subprocess.Popen(
        [sys.executable, "-m", "function.tools.emulator.server", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(url + "/__control", timeout=PATIENCE_S) as response:
            assert json.load(response)["requests"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
