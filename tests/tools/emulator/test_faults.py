"""The faults that the emulator can be asked for: in its pictures, its responses and its connections."""

from __future__ import annotations

import base64
import io
import json

import httpx2
import numpy as np
import pytest
from google.genai import errors
from PIL import Image

from function.tools.emulator.faults import ANSWER_FAULTS, HTTP_FAULTS, UnknownFaultError
from tests.tiers import exhaustive
from tests.tools.emulator.calls import (
    MODEL,
    PRODUCT,
    PRODUCT_PINK,
    SCENE,
    ask,
    encoded,
    green,
    picture,
    pink,
    pink_product,
    post,
    table_scene,
)

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
