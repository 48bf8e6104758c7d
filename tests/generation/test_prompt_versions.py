"""`python -m tests.bench.prompts`: two versions of the words over recorded answers, from real calls over HTTP."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from function.generation.prompt_templates import FOLDER, PROMPT_VERSION
from tests.bench import prompts
from tests.support import KEY, product_png, scene_png


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys, gemini):
    """Two pairs, a draft of the words, and what the bench says of them → (status, output, errors)."""
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    (pairs / "s.png").write_bytes(scene_png())
    (pairs / "p.png").write_bytes(product_png())
    for number in (1, 2):
        fields = {"product": "p.png", "scene": "s.png", "seed": 900 + number, "attempts": 1}
        (pairs / f"{number}.json").write_text(json.dumps(fields))
    draft = json.loads((FOLDER / f"{PROMPT_VERSION}.json").read_text("utf-8"))
    draft["composite"][-1] = draft["composite"][-1].replace("Preserve the scene strictly", "Keep the scene as it is")
    (tmp_path / "draft.json").write_text(json.dumps(draft))
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", gemini.url)

    def run(*options: str) -> tuple[int, str, str]:
        versions = [PROMPT_VERSION, str(tmp_path / "draft.json")]
        places = ["--pairs", str(pairs), "--answers", str(tmp_path / "answers")]
        monkeypatch.setattr(sys, "argv", ["bench", *versions, *places, *options])
        return prompts.main(), *capsys.readouterr()

    return run


@pytest.mark.exhaustive
def test_answers_are_recorded_once_and_a_version_whose_pictures_are_worse_is_seen(bench, tmp_path, gemini):
    status, said, _ = bench()
    assert status == 1 and "2 pairs have no recorded answer" in said and gemini.requests == []
    status, said, _ = bench("--record")
    assert status == 0 and "4 answers were asked for" in said, said
    told = [seen["text"] for seen in gemini.requests]
    assert sum("Keep the scene as it is" in text for text in told) == 2
    status, said, _ = bench()
    assert status == 0 and len(gemini.requests) == 4
    assert f"accepted by {PROMPT_VERSION} alone: 0; by draft alone: 0; p = 1.000" in said
    accepted = f"{PROMPT_VERSION}: 2 of 2 pairs accepted"
    assert accepted in said, said

    draft = prompts.read_templates(tmp_path / "draft.json")
    answers = prompts.RecordedAnswers(tmp_path / "answers", None)
    known: list = []
    ask = answers.ask
    answers.ask = lambda request, *rest: known.append(request) or ask(request, *rest)
    settings = prompts.limits_here()
    prompts.compare([draft], sorted((tmp_path / "pairs").glob("*.json")), answers, settings)
    for request in known:  # the draft's pictures are of the scene alone from here on
        picture = tmp_path / "answers" / f"{prompts.request_digest(request)}.picture"
        shutil.copy(tmp_path / "pairs/s.png", picture)
    status, said, _ = bench()
    assert status == 0 and accepted in said and "draft: 0 of 2 pairs accepted" in said
    assert f"accepted by {PROMPT_VERSION} alone: 2; by draft alone: 0; p = 0.500" in said


@pytest.mark.parametrize(("first", "second", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (3, 3, 1.0)])
def test_the_sign_test(first, second, p):
    assert prompts.sign_test(first, second) == pytest.approx(p)


def test_what_is_no_version_is_one_sentence(bench, tmp_path):
    (tmp_path / "draft.json").write_text("{}")
    status, said, error = bench()
    assert status == 2 and said == "" and error.startswith("error: ")
