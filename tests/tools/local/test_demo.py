"""`demo` and `local` as a person runs them: real processes, started from another folder, gone at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.support import PATIENCE_S, product_png, scene_array

ROOT = Path(__file__).parents[3]
CREDENTIALS = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GEMINI_BASE_URL")


def environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in CREDENTIALS}
    return {**own, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def processes_under(folder: Path) -> list[str]:
    """Command lines of living processes that write their log below `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            logs_here = str(folder) in str((entry / "fd" / "1").readlink())
            alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            continue
        if logs_here and alive:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def wait_for(path: Path, seconds: float = PATIENCE_S) -> None:
    give_up = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < give_up, f"{path} did not appear"
        time.sleep(0.2)


def test_the_demo_shows_a_result_a_sidecar_and_a_page_and_leaves_no_process(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "function", "demo", "--folder", str(tmp_path / "here")],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    last = dict(line.split(": ", 1) for line in ran.stdout.splitlines()[-3:])
    assert list(last) == ["result", "sidecar", "review"]
    assert Image.open(last["result"]).size == (3840, 2160)
    sidecar = json.loads(Path(last["sidecar"]).read_text(encoding="utf-8"))
    assert sidecar["status"] == "accepted", sidecar["checks"]
    assert "<html" in Path(last["review"]).read_text(encoding="utf-8")[:500].lower()
    assert "nothing is spent" in ran.stdout
    assert processes_under(tmp_path) == []


@pytest.mark.exhaustive
def test_the_demo_of_a_catalogue_shows_a_batch_job_from_its_pairs_to_their_results(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "function", "demo", "--catalogue", "--folder", str(tmp_path / "here")],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 in jobs" in ran.stdout and "half of what they cost at once" in ran.stdout
    sidecars = [json.loads(path.read_text()) for path in (tmp_path / "here/results/demo/bottles").glob("*.json")]
    assert [one["attempts"][0]["price_tier"] for one in sidecars] == ["batch"] * 3
    assert processes_under(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_local_takes_what_is_dropped_and_stops_cleanly(tmp_path, number):
    folder = tmp_path / "here"
    with (tmp_path / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "function", "local", str(folder)],
            cwd=tmp_path, env=environment(), stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_for(folder / "inbox")
            inbox = folder / "inbox" / "shop"
            inbox.mkdir()
            (inbox / "pair.json").write_text('{"scene": "s.webp", "product": "p.png", "max_px": 512, "attempts": 1}')
            (inbox / "p.png").write_bytes(product_png())
            Image.fromarray(scene_array()).save(inbox / "s.webp", quality=90)
            (inbox / "bad.json").write_text('{"scene": 1}')
            wait_for(folder / "results" / "shop" / "pair.json")
            wait_for(folder / "results" / "shop" / "pair.webp")
            wait_for(folder / "results" / "shop" / "bad.json")
        finally:
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == 0
    text = (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert json.loads((folder / "results" / "shop" / "bad.json").read_text())["error"]["code"] == "manifest_invalid"
    assert (folder / "results" / "shop" / "pair.webp").exists()
    assert "shop/pair.json  uploaded" in text and "Traceback" not in text
    assert processes_under(tmp_path) == []


@pytest.mark.parametrize("command", ["demo --folder", "local"])
def test_a_bad_environment_is_one_sentence_and_starts_nothing(tmp_path, command):
    ran = subprocess.run(
        [sys.executable, "-m", "function", *command.split(), str(tmp_path / "here")],
        cwd=tmp_path, env={**environment(), "GOOGLE_GENAI_USE_VERTEXAI": "maybe"},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    (sentence,) = ran.stderr.splitlines()
    assert sentence.startswith("error: cannot start") and "GOOGLE_GENAI_USE_VERTEXAI='maybe'" in sentence
    assert not (tmp_path / "here").exists()


def test_a_real_key_is_announced_with_its_price_before_it_is_spent(monkeypatch, capsys):
    from function.tools.local.demo import _announce

    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.delenv("MAX_ATTEMPTS", raising=False)
    assert _announce().real
    said = capsys.readouterr().out
    assert "spends money" in said and "3 pictures" in said and "$0.039" in said
