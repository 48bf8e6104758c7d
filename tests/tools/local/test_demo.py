"""`demo` as a person runs it: real processes, started from another folder, gone at the end."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from PIL import Image

from tests.tools.local.running import processes_under, run


def test_the_demo_shows_a_result_a_sidecar_and_a_page_and_leaves_no_process(tmp_path):
    ran = run("demo", "--folder", tmp_path / "here", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    last = dict(line.split(": ", 1) for line in ran.stdout.splitlines()[-3:])
    assert list(last) == ["result", "sidecar", "review"]
    assert Image.open(last["result"]).size == (3840, 2160)
    sidecar = json.loads(Path(last["sidecar"]).read_text(encoding="utf-8"))
    assert sidecar["status"] == "accepted", sidecar["checks"]
    assert "<html" in Path(last["review"]).read_text(encoding="utf-8")[:500].lower()
    assert "nothing is spent" in ran.stdout and "a test certificate" in ran.stdout
    assert sidecar["result"]["provenance"]["state"] == "valid" and sidecar["result"]["provenance"]["test"]
    assert processes_under(tmp_path) == []


@pytest.mark.exhaustive
def test_the_demo_of_a_catalogue_shows_a_batch_job_from_its_pairs_to_their_results(tmp_path):
    ran = run("demo", "--catalogue", "--folder", tmp_path / "here", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 in jobs" in ran.stdout and "half of what they cost at once" in ran.stdout
    sidecars = [json.loads(path.read_text()) for path in (tmp_path / "here/results/demo/bottles").glob("*.json")]
    assert [one["attempts"][0]["price_tier"] for one in sidecars] == ["batch"] * 3
    assert processes_under(tmp_path) == []


@pytest.mark.parametrize("command", ["demo --folder", "local"])
def test_a_bad_environment_is_one_sentence_and_starts_nothing(tmp_path, command):
    ran = run(*command.split(), tmp_path / "here", cwd=tmp_path, GOOGLE_GENAI_USE_VERTEXAI="maybe")
    assert (ran.returncode, ran.stdout) == (2, "")
    (sentence,) = ran.stderr.splitlines()
    assert sentence.startswith("error: cannot start") and "GOOGLE_GENAI_USE_VERTEXAI='maybe'" in sentence
    assert not (tmp_path / "here").exists()


def test_a_model_that_cannot_be_reached_is_said_at_once(tmp_path):
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        ran = run(
            "demo", "--folder", tmp_path / "here", cwd=tmp_path, GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=address
        )
    assert ran.returncode == 2
    (sentence,) = ran.stderr.splitlines()
    assert sentence.startswith(f"error: the model cannot be reached at {address}") and "network and proxy" in sentence
    assert not (tmp_path / "here").exists()


def test_a_real_key_is_announced_with_its_price_before_it_is_spent(monkeypatch, capsys, gemini):
    from function.tools.local.announcement import announce

    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", gemini.url)
    monkeypatch.delenv("MAX_ATTEMPTS", raising=False)
    assert announce().real
    said = capsys.readouterr().out
    assert "spends money" in said and "3 pictures" in said and "$0.039" in said
