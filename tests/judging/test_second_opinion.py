"""The second opinion: asked on grey pictures only, its cost counted, its failure harmless."""

from __future__ import annotations

import pytest

from function.judging.check import Check
from function.judging.judge import Judgement
from function.judging.second_opinion import grey_check, hear

GOOD = Check(1.0, 0.5, True, "", "fine")


def judgement(verdict="review", **failed):
    checks = {"scene_kept": GOOD} | {name: Check(*pair, False, "", f"{name} is off.") for name, pair in failed.items()}
    return Judgement(verdict, 0.5, checks)


@pytest.mark.parametrize(
    ("given", "grey"),
    [
        (judgement(label_kept=(0.45, 0.5)), "label_kept"),
        (judgement(label_kept=(0.2, 0.5)), None),
        (judgement(label_kept=(None, 0.5)), None),
        (judgement(label_kept=(0.45, 0.5), no_halo=(0.45, 0.5)), None),
        (judgement("accepted"), None),
        (judgement("unusable", label_kept=(0.45, 0.5)), None),
    ],
)
def test_only_one_check_that_failed_by_a_little_is_grey(given, grey):
    assert grey_check(given) == grey


class Asked:
    """A client and store in one: notes what it is asked, answers as the emulator's model would, or breaks."""

    def __init__(self, emulator_url, monkeypatch):
        from function.generation.gemini.client import GeminiClient

        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator_url)
        self._client = GeminiClient(api_key="k", vertexai=False, project=None, location="", api_version=None)

    def opinion(self, request, schema):
        from function.deadline import Deadline

        return self._client.ask_for_json(request, schema, Deadline(4))


def test_a_good_opinion_overrules_the_check_and_is_priced(gemini, monkeypatch):
    from tests.support import product_png, scene_png

    gemini.control(faults=[{"kind": "json", "value": {"acceptable": True, "reason": "The label reads well."}}])
    images = ((scene_png(), "image/png"), (product_png(), "image/png"), (scene_png(), "image/png"))
    heard = hear(judgement(label_kept=(0.45, 0.5)), images, "gemini-2.5-flash", Asked(gemini.url, monkeypatch))
    assert heard.judgement.verdict == "accepted"
    assert heard.judgement.checks["label_kept"].passed
    assert "Overruled by gemini-2.5-flash: The label reads well." in heard.judgement.checks["label_kept"].reason
    assert heard.record.usd > 0 and heard.record.prompt_tokens > 0
    assert len(gemini.requests[0]["images"]) == 3


def test_a_bad_opinion_leaves_the_picture_in_review(gemini, monkeypatch):
    gemini.control(faults=[{"kind": "json", "value": {"acceptable": False, "reason": "Letters are wrong."}}])
    heard = hear(judgement(label_kept=(0.45, 0.5)), (), "gemini-2.5-flash", Asked(gemini.url, monkeypatch))
    assert heard.judgement.verdict == "review" and heard.record.reason == "Letters are wrong."


@pytest.mark.parametrize("fault", ["malformed_json", "503", "404", "SAFETY"])
def test_an_opinion_that_cannot_be_had_changes_nothing(gemini, monkeypatch, fault):
    gemini.control(faults=[{"kind": fault, "times": None}])
    given = judgement(label_kept=(0.45, 0.5))
    heard = hear(given, (), "gemini-2.5-flash", Asked(gemini.url, monkeypatch))
    assert heard.judgement is given and heard.record is None
    assert gemini.faults.report()["fired"]


def test_nothing_is_asked_without_a_judge_model(gemini, monkeypatch):
    hear(judgement(label_kept=(0.45, 0.5)), (), None, Asked(gemini.url, monkeypatch))
    assert gemini.requests == []
