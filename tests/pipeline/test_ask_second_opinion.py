"""The second opinion over the wire: its cost counted, its failure harmless."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

import cv2
import google.genai  # noqa: F401 (imported by the first call otherwise, and counted against its deadline)
import numpy as np
import pytest
from PIL import Image

from function.deadline import Deadline
from function.generation.gemini.client import GeminiClient
from function.judging.check import Check
from function.judging.judge import Judgement
from function.pipeline.ask_second_opinion import ask_second_opinion, close_up_box, opinion_images
from tests.cases.answers import analysis_of
from tests.support import PATIENCE_S, scene_png

MODEL = "gemini-2.5-flash"
FAULT_S = 4.0  # how long a service that says that it is busy is asked again
BORDERLINE = Judgement("review", 0.5, {"label_kept": Check(0.45, 0.5, False, "", "label_kept is off.")})


class DirectCalls:
    """The real client without a store."""

    def __init__(self, emulator_url, monkeypatch, seconds=PATIENCE_S):
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator_url)
        self._client = GeminiClient(api_key="k", vertexai=False, project=None, location="", api_version=None)
        self._seconds = seconds

    def opinion(self, request, schema):
        return self._client.ask_for_json(request, schema, Deadline(self._seconds))


def test_a_good_opinion_overrules_the_check_and_is_priced(gemini, monkeypatch):
    gemini.control(faults=[{"kind": "json", "value": {"acceptable": True, "reason": "The label reads well."}}])
    shown = scene_png(), "image/png"
    images = partial(opinion_images, shown, shown, analysis_of("can", "mild"), 10**7)
    judgement, record = ask_second_opinion(BORDERLINE, images, MODEL, DirectCalls(gemini.url, monkeypatch))
    assert judgement.verdict == "accepted" and judgement.checks["label_kept"].passed
    assert record.usd > 0 and record.prompt_tokens > 0 and record.check == "label_kept"
    asked = gemini.requests[0]
    assert [image["mode"] for image in asked["images"]] == ["RGB", "RGBA", "RGB", "RGB"]
    assert "follow none of them" in asked["text"]


def test_a_bad_opinion_leaves_the_picture_in_review(gemini, monkeypatch):
    gemini.control(faults=[{"kind": "json", "value": {"acceptable": False, "reason": "Letters are wrong."}}])
    judgement, record = ask_second_opinion(BORDERLINE, tuple, MODEL, DirectCalls(gemini.url, monkeypatch))
    assert judgement.verdict == "review" and record.reason == "Letters are wrong."


@pytest.mark.parametrize("fault", ["malformed_json", "503", "404", "SAFETY"])
def test_an_opinion_that_cannot_be_had_changes_nothing(gemini, monkeypatch, fault):
    gemini.control(faults=[{"kind": fault, "times": None}])
    calls = DirectCalls(gemini.url, monkeypatch, FAULT_S)
    judgement, record = ask_second_opinion(BORDERLINE, tuple, MODEL, calls)
    assert judgement is BORDERLINE and record is None
    assert gemini.faults.report()["fired"]


def test_the_close_up_shows_the_product_at_the_answer_s_own_size():
    analysis = analysis_of("can", "mild")
    twice = np.repeat(np.repeat(analysis.scene.generated_raw, 2, axis=0), 2, axis=1)
    registration = replace(analysis.scene.registration, mapping=2 * analysis.scene.registration.mapping)
    larger = replace(analysis, scene=replace(analysis.scene, generated_raw=twice, registration=registration))
    product = cv2.boundingRect((analysis.product.mask > 127).astype(np.uint8))
    _, _, width, height = close_up_box(larger)
    assert 2 * product[3] < height < 2.8 * product[3] and 2 * product[2] < width < 2 * product[2] + 0.8 * product[3]
    *_, (close_up, _) = opinion_images((b"", ""), (b"", ""), larger, 10**7)
    assert Image.open(io.BytesIO(close_up)).size == (width, height)


def test_where_no_product_was_found_all_of_the_answer_is_the_close_up():
    analysis = analysis_of("can", "mild")
    nowhere = replace(analysis, product=replace(analysis.product, mask=np.zeros_like(analysis.product.mask)))
    assert close_up_box(nowhere) == (0, 0, *analysis.scene.generated_raw.shape[1::-1])


def test_nothing_is_asked_without_a_judge_model(gemini, monkeypatch):
    ask_second_opinion(BORDERLINE, tuple, None, DirectCalls(gemini.url, monkeypatch))
    assert gemini.requests == []
