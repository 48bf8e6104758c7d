"""The second opinion over the wire: its cost counted, its failure harmless."""

from __future__ import annotations

import google.genai  # noqa: F401 (imported by the first call otherwise, and counted against its deadline)
import pytest

from function.deadline import Deadline
from function.generation.gemini.client import GeminiClient
from function.judging.check import Check
from function.judging.judge import Judgement
from function.pipeline.ask_second_opinion import ask_second_opinion
from tests.support import PATIENCE_S, product_png, scene_png

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
    images = ((scene_png(), "image/png"), (product_png(), "image/png"), (scene_png(), "image/png"))
    judgement, record = ask_second_opinion(BORDERLINE, images, MODEL, DirectCalls(gemini.url, monkeypatch))
    assert judgement.verdict == "accepted" and judgement.checks["label_kept"].passed
    assert record.usd > 0 and record.prompt_tokens > 0 and record.check == "label_kept"
    assert len(gemini.requests[0]["images"]) == 3


def test_a_bad_opinion_leaves_the_picture_in_review(gemini, monkeypatch):
    gemini.control(faults=[{"kind": "json", "value": {"acceptable": False, "reason": "Letters are wrong."}}])
    judgement, record = ask_second_opinion(BORDERLINE, (), MODEL, DirectCalls(gemini.url, monkeypatch))
    assert judgement.verdict == "review" and record.reason == "Letters are wrong."


@pytest.mark.parametrize("fault", ["malformed_json", "503", "404", "SAFETY"])
def test_an_opinion_that_cannot_be_had_changes_nothing(gemini, monkeypatch, fault):
    gemini.control(faults=[{"kind": fault, "times": None}])
    calls = DirectCalls(gemini.url, monkeypatch, FAULT_S)
    judgement, record = ask_second_opinion(BORDERLINE, (), MODEL, calls)
    assert judgement is BORDERLINE and record is None
    assert gemini.faults.report()["fired"]


def test_nothing_is_asked_without_a_judge_model(gemini, monkeypatch):
    ask_second_opinion(BORDERLINE, (), None, DirectCalls(gemini.url, monkeypatch))
    assert gemini.requests == []
