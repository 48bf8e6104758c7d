"""`--paid`: two pictures, the price before them, and what the difference is."""

import os
import pty
import subprocess
import sys

import pytest
from PIL import Image

from tests.support import PATIENCE_S
from tests.tools.doctor.conftest import ROOT

DEFAULT, SECOND = "gemini-2.5-flash-image", "gemini-nano-banana-2.1"
FLATTENED = {"text": "on its own background"}  # of the prompt that goes with a product that is no cut-out


def test_both_pictures_are_made_and_compared(doctor, gemini, tmp_path):
    visit = doctor("--paid", "--yes", "--folder", tmp_path / "pictures", "--json")
    assert visit.status == 0, visit.out + visit.err
    found = {one["check"]: one for one in visit.findings()}
    assert found["price"]["measures"]["usd"] == pytest.approx(2 * 0.0389, abs=2e-4)
    assert found["price"]["measures"]["most_usd"] > found["price"]["measures"]["usd"]
    for kind in ("transparent", "flattened"):
        measures = found[f"{kind} product"]["measures"]
        assert (measures["width"], measures["height"], measures["mime_type"]) == (1344, 768, "image/png")
        assert measures["output_image_tokens"] == 1290 and measures["latency_ms"] > 0
        assert measures["usd"] == pytest.approx(0.039, abs=5e-4)
        assert Image.open(tmp_path / "pictures" / f"{kind}.png").size == (1344, 768)
    assert found["comparison"]["status"] == "ok"
    transparent, flattened = gemini.requests
    assert [one["images"][1]["mode"] for one in gemini.requests] == ["RGBA", "RGB"]
    assert "transparent background" in transparent["text"] and "its own background" in flattened["text"]


@pytest.mark.exhaustive
def test_thought_is_counted_and_priced(doctor, tmp_path):
    visit = doctor("--paid", "--yes", "--folder", tmp_path, "--json", GEMINI_MODEL=SECOND)
    found = {one["check"]: one for one in visit.findings()}
    assert found["transparent product"]["measures"]["thought_tokens"] == 120
    assert SECOND in found["price"]["found"]


def test_nothing_is_spent_where_nobody_can_be_asked(doctor, gemini):
    visit = doctor("--paid")
    assert visit.status == 2
    assert visit.lines("price", "ok") and "--yes" in visit.err
    assert gemini.requests == []


@pytest.mark.parametrize(("typed", "pictures"), [("n", 0), ("y", 2)])
def test_a_person_is_told_the_price_and_asked(own_cloud, gemini, tmp_path, typed, pictures):
    own, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "function", "doctor", "--paid"], cwd=tmp_path, stdin=terminal, stdout=subprocess.PIPE,
        text=True, env={**os.environ, **own_cloud.environment(), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        os.write(own, f"{typed}\n".encode())
        out, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        os.close(own)
        os.close(terminal)
    assert process.returncode == 0, out
    assert out.index("cost about $0.078") < out.index("make them?")
    assert len(gemini.requests) == pictures


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("match", "advice"),
    [(FLATTENED, "use cut-outs"), ({"text": "on a transparent background"}, "drop transparency")],
)
def test_a_product_that_only_one_ground_brings_is_a_warning(doctor, gemini, tmp_path, match, advice):
    gemini.control(faults=[{"kind": "product_missing", "match": match}])
    visit = doctor("--paid", "--yes", "--folder", tmp_path)
    assert gemini.report()["faults"]["fired"] == {"product_missing": 1}
    assert visit.status == 0, visit.out
    assert advice in visit.lines("comparison", "warning")[0]


@pytest.mark.exhaustive
def test_an_answer_without_a_picture_is_told_with_its_reason(doctor, gemini, tmp_path):
    gemini.control(faults=[{"kind": "IMAGE_SAFETY", "match": FLATTENED}])
    visit = doctor("--paid", "--yes", "--folder", tmp_path)
    assert "IMAGE_SAFETY" in visit.lines("flattened product", "warning")[0]
    assert not list(tmp_path.glob("flattened*"))


@pytest.mark.exhaustive
def test_a_model_that_only_pictures_show_to_be_closed_passes_on_to_the_next_at_its_price(doctor, gemini, tmp_path):
    gemini.control(faults=[{"kind": "404", "times": None, "match": {"model": DEFAULT, "call": "generateContent"}}])
    visit = doctor("--paid", "--yes", "--folder", tmp_path)
    assert visit.status == 0, visit.out
    assert [DEFAULT in line for line in visit.lines("price")] == [True, False]
    assert DEFAULT in visit.lines("pictures", "warning")[0]
    assert SECOND in visit.lines("transparent product", "ok")[0]


def test_a_quota_of_zero_that_only_pictures_show_is_a_problem(doctor, gemini, tmp_path):
    gemini.control(faults=[{"kind": "no_quota", "times": None, "match": {"call": "generateContent"}}])
    visit = doctor("--paid", "--yes", "--folder", tmp_path)
    assert visit.status == 1
    assert "enable billing" in visit.lines("pictures", "problem")[0]


def test_no_model_that_answers_means_no_picture(doctor, gemini):
    gemini.control(faults=[{"kind": "404", "times": None}])
    visit = doctor("--paid", "--yes")
    assert visit.status == 1
    assert visit.lines("price") == [] and gemini.requests == []
