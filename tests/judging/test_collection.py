"""The bench that measures the judge: its faults grow with their strength, its rows go on, its tables count right."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from function.tools.cli.shares import wilson
from tests.bench import collection
from tests.bench.collection_report import report
from tests.bench.render.settling import settled
from tests.cases.answers import case
from tests.cases.cases import SHIPPED
from tests.cases.strengths import KINDS, STRENGTHS, spoiled_by

WIDTH = 320


def row(kind: str, strength: str, verdict: str, **checks: bool) -> dict:
    found = {name: {"value": 1.0, "threshold": 2.0, "passed": passed} for name, passed in checks.items()}
    of = {"case": "jar-outdoor", "product": "jar", "set_name": "outdoor", "manner": "real", "photograph": "cut out"}
    about = {"kind": kind, "strength": strength, "good": not strength, "verdict": verdict, "judge_s": 0.05}
    return {**of, **about, "checks": found}


@pytest.mark.parametrize("kind", KINDS)
def test_a_gross_fault_is_farther_from_the_truth_than_a_small_one(kind):
    can, mug = case("can", WIDTH), case("mug", WIDTH)
    small, middle, gross = (spoiled_by(can, kind, strength, 3, mug).truth.astype(int) for strength in STRENGTHS)
    far = [float(np.abs(picture - can.truth).mean()) for picture in (small, middle, gross)]
    assert 0 < far[0] < far[2]
    assert far[1] > 0


def test_a_spoiled_picture_is_the_same_for_the_same_seed():
    can, mug = case("can", WIDTH), case("mug", WIDTH)
    one, other = (spoiled_by(can, "label_garbled", "middle", 5, mug).truth for _ in range(2))
    assert np.array_equal(one, other)


def test_the_interval_is_wilsons():
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


def test_the_tables_count_what_was_caught_and_name_what_was_not(capsys):
    report(
        [
            row("", "", "accepted", no_halo=True),
            row("", "", "review", no_halo=False),
            row("halo", "gross", "review", no_halo=False),
            row("halo", "gross", "accepted", no_halo=True),
            row("halo", "small", "accepted", no_halo=True),
        ]
    )
    text = capsys.readouterr().out
    assert "good accepted 1/2 [9..91 %]" in text
    assert "bad not accepted 1/3 [6..79 %]; from middle strength on 1/2 [9..91 %]" in text
    assert "| halo | 0/1 [0..79 %] | - | 1/2 [9..91 %] | no_halo 1 |" in text
    assert "jar-outdoor plain real cut out: no_halo 1.0 against 2.0" in text
    assert text.rstrip().endswith("jar-outdoor halo gross real cut out")


def test_a_run_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "can").symlink_to(SHIPPED / "can")
    rows = tmp_path / "rows.jsonl"
    asked = [
        "collection",
        "--rows",
        str(rows),
        "--cases",
        str(tmp_path / "cases"),
        "--kinds",
        "missing",
        "--every",
        "3",
    ]
    monkeypatch.setattr(sys, "argv", asked)
    collection.main()
    (first,) = collection.read_rows(rows)
    assert (first["case"], first["product"], first["kind"], first["good"]) == ("can", "can", "missing", False)
    assert set(first["checks"]) >= {"product_present", "contact_shadow"}
    assert first["measures"]["scene found again"] > 0.8
    rows.write_text(json.dumps({**first, "score": -1.0}) + "\n", encoding="utf-8")
    collection.main()
    assert [again["score"] for again in collection.read_rows(rows)] == [-1.0]
    assert "| missing |" in capsys.readouterr().out


def test_noise_is_taken_out_of_the_truth_and_the_shadow_stays():
    rng = np.random.default_rng(0)
    scene = np.full((120, 160, 3), 120, np.uint8)
    truth = scene + rng.integers(-1, 2, scene.shape).astype(np.uint8)
    mask = np.zeros((120, 160), np.uint8)
    mask[30:80, 60:90] = 255
    truth[mask > 0] = 40
    truth[80:90, 60:120] = 90
    settled_truth, change = settled(scene, truth, mask, (0, 0, 160, 120))
    assert (settled_truth[mask > 0] == 40).all()
    assert settled_truth[85, 100].max() < 100
    assert change[85, 100] == 255
    assert np.array_equal(settled_truth[:20], scene[:20])
    assert not change[:20].any()


def test_what_was_not_rendered_is_the_scene():
    scene = np.full((120, 160, 3), 120, np.uint8)
    truth, mask = np.zeros_like(scene), np.zeros((120, 160), np.uint8)
    truth[20:100, 50:100] = 120
    truth[40:60, 60:80] = 30
    mask[40:60, 60:80] = 255
    settled_truth, change = settled(scene, truth, mask, (50, 20, 100, 100))
    assert (settled_truth[mask == 0] == 120).all()
    assert not change[:, 95:].any()
    assert not change[:30].any()
