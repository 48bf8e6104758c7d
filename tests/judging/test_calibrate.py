"""The calibration's bench: what it fits, what it leaves out, what it writes and what it refuses."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from function.judging.registry import BY_NAME, CHECKS
from function.judging.risk import CALIBRATION, Calibration
from tests.bench import calibrate
from tests.bench.calibration_fit import area_under_curve, checks_of, fit, held_out_risks
from tests.bench.calibration_report import lines, report_of
from tests.bench.limits_seen import OtherLimitsError, limits_seen
from tests.cases.strengths import KINDS

# Further on the failing side with every step, from .06 that passes to .3 that fails; its limit is .15.
FRINGE = BY_NAME["no_halo"].limits[0]


def row(good: bool, fringe: float, product: str = "can", set_name: str = "wood", **more: object) -> dict:
    """A judged picture whose checks all pass but for the fringe."""
    checks = {
        spec.name: {
            "value": spec.limits[0].value,
            "threshold": spec.limits[0].value,
            "passed": True,
            "reason": "",
        }
        for spec in CHECKS
    }
    passed = fringe <= FRINGE.value
    checks["no_halo"] = {"value": fringe, "threshold": FRINGE.value, "passed": passed, "reason": ""}
    about = {"kind": "" if good else "halo", "strength": "" if good else "gross", "case": f"{product}-{set_name}"}
    verdict = "accepted" if passed else "review"
    told = {"good": good, "verdict": verdict, "checks": checks, "measures": {}, "product": product}
    return about | told | {"set_name": set_name} | more


def collection() -> list[dict]:
    """Good ones with little fringe, bad ones with much, of three products in two sets; one of each is the other way."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(120):
        good = number % 2 == 0
        near = rng.uniform(0.0, 0.16) if good else rng.uniform(0.11, 0.3)
        rows.append(
            row(good, round(float(near), 3), ("can", "box", "jar")[number % 3], ("wood", "stone")[number % 5 % 2])
        )
    return rows


def test_the_fit_blames_the_check_that_tells_good_from_bad_and_no_other():
    weights = fit(collection()).weights
    assert weights["no_halo"].distance > 1
    assert all(one.distance + one.failed < 0.01 for name, one in weights.items() if name != "no_halo")


def test_a_check_that_fails_on_good_pictures_only_gets_no_weight_below_zero():
    rows = [row(good, 0.3 if good else 0.01) for good in (True, False) * 10]
    assert fit(rows).weights["no_halo"].failed == 0
    assert fit(rows).weights["no_halo"].distance == 0


@pytest.mark.parametrize("by", ["product", "set_name"])
def test_what_is_left_out_is_not_learnt_from(by):
    """Bad pictures of one group only carry a fringe: judged without that group, the fringe says nothing."""
    rows = [
        row(good, 0.3 if not good and group == "b" else 0.05, **{by: group})
        for group in ("a", "b") for good in (True, False) * 6
    ]  # fmt: skip
    risks = held_out_risks(rows, rows, by)
    of_b = [risk for risk, one in zip(risks, rows, strict=True) if one[by] == "b"]
    assert max(of_b) - min(of_b) < 0.01
    known = [float(np.ptp(held_out_risks(rows, [one for one in rows if one["good"] is good], by))) for good in (True,)]
    assert known[0] > 0.01  # weights fitted with b's bad ones do tell


def test_good_and_bad_weigh_alike_however_many_there_are():
    few, many = fit(collection()), fit(collection() + [one for one in collection() if not one["good"]] * 3)
    assert few.intercept == pytest.approx(many.intercept, abs=0.01)


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order():
    risks, bad = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True])
    assert area_under_curve(risks, bad) == pytest.approx(3.5 / 4)


def test_the_report_counts_what_the_verdict_caught_and_what_the_risk_would_change():
    rows = [*collection(), row(False, 0.01, strength="small")]
    for one in rows:  # the colour tells too, and so a narrow miss of the fringe is forgiven
        one["checks"]["product_colour"]["value"] *= 0.1 if one["good"] else 1.0
    report = report_of(rows)
    good = [one["verdict"] == "accepted" for one in rows if one["good"]]
    assert report["good_accepted"] == (sum(good), len(good))
    assert report["caught_by_kind"]["halo"][0] == (0, 1)
    for found in report["held_out"].values():
        assert found["area_under_curve"] > 0.8
        assert sum(one["good"] + one["bad"] for one in found["reliability"]) == len(rows) - 1
        today, *others = ((one["good_accepted"][0], one["bad_caught"][0]) for one in found["rules"])
        assert today == (report["good_accepted"][0], report["bad_caught"][0])
        assert others[2][0] > today[0]  # narrow misses forgiven below .4
        assert others[3][1] > today[1]  # review from .5 on
        assert [good for good, _ in others[6:]] == sorted(good for good, _ in others[6:])  # accepted below, and below
    told = "\n".join(lines(report))
    assert "| halo | 0/1 [0..79 %] |" in told
    assert all(f"| {kind.replace('_', ' ')} |" in told for kind in KINDS)


def test_a_limit_s_neighbours_are_the_worst_good_and_the_best_bad_picture():
    rows = [row(True, 0.04), row(True, 0.14), row(True, 0.2), row(False, 0.01), row(False, 0.17), row(False, 0.3)]
    rows[-1]["checks"]["contact_shadow"]["passed"] = False
    (seen,) = [one for one in limits_seen(rows) if one.limit == FRINGE]
    assert (seen.worst_good, seen.best_bad) == (0.14, 0.17)
    assert (seen.good_failed, seen.good_alone, seen.bad_failed, seen.bad_alone) == (1, 1, 2, 1)


def test_rows_of_other_limits_are_refused():
    old = row(True, 0.05)
    old["checks"]["no_halo"]["threshold"] = 0.123
    with pytest.raises(OtherLimitsError, match="no_halo was held against"):
        limits_seen([old])
    del old["checks"]["no_halo"]
    with pytest.raises(OtherLimitsError, match="no check no_halo"):
        limits_seen([old])


def test_one_command_writes_weights_report_and_the_readme_s_table(tmp_path, monkeypatch, capsys):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in collection()), encoding="utf-8")
    (tmp_path / "README.md").write_text("before\n" + "old\n".join(calibrate.MARKS) + "after\n", encoding="utf-8")
    monkeypatch.setattr(calibrate, "README", tmp_path / "README.md")
    monkeypatch.setattr(calibrate, "CALIBRATION", tmp_path / "calibration.json")
    monkeypatch.setattr(sys, "argv", ["calibrate", "--rows", str(tmp_path / "rows.jsonl"), "--write"])
    assert calibrate.main() == 0
    written = (tmp_path / "calibration.json").read_bytes()
    assert Calibration.model_validate_json(written).weights == fit(collection()).weights
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("before\n" + calibrate.MARKS[0])
    assert readme.endswith(calibrate.MARKS[1] + "after\n")
    assert "old" not in readme
    assert "| halo |" in readme
    assert calibrate.main() == 0
    assert (tmp_path / "calibration.json").read_bytes() == written
    assert "| no_halo | fringe | at most | 0.15 |" in capsys.readouterr().out


def test_without_bad_pictures_nothing_is_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "rows.jsonl").write_text(json.dumps(row(True, 0.05)) + "\n", encoding="utf-8")
    monkeypatch.setattr(calibrate, "CALIBRATION", tmp_path / "calibration.json")
    monkeypatch.setattr(sys, "argv", ["calibrate", "--rows", str(tmp_path / "rows.jsonl"), "--write"])
    assert calibrate.main() == 2
    assert "good and bad" in capsys.readouterr().err
    assert not (tmp_path / "calibration.json").exists()


def test_the_readme_s_table_is_that_of_the_shipped_calibration():
    readme = calibrate.README.read_text(encoding="utf-8")
    report = json.loads(CALIBRATION.read_text(encoding="utf-8"))["report"]
    assert calibrate.with_table(readme, report) == readme


def test_a_row_s_checks_are_as_the_judge_has_them():
    assert checks_of(row(True, 0.2))["no_halo"].passed is False
