"""The risk grows with every check that comes nearer to its limit, and its weights fit the checks that exist."""

from __future__ import annotations

import json

import pytest

from function.judging.check import Check
from function.judging.registry import BY_NAME, CHECKS
from function.judging.risk import CALIBRATION, Calibration, Weights, evidence, risk_of, shipped_calibration
from tests.judging.samples import inspection

ONE_CHECK = Calibration(version="v", prior=0.5, intercept=0.0, weights={"no_halo": Weights(distance=2.0, failed=1.0)})


def found(value: float | None, threshold: float | None, passed: bool) -> Check:
    return Check(value, threshold, passed, "share", "")


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (found(0.1, 0.2, True), (-0.5, 0.0)),
        (found(0.3, 0.2, False), (0.5, 1.0)),
        (found(9.0, 0.2, False), (1.0, 1.0)),
        (found(0.9, 0.6, True), (-0.5, 0.0)),
        (found(0.2, 0.2, True), (0.0, 0.0)),
        (found(0.0, 0.0, True), (-1.0, 0.0)),
        (found(0.001, 0.0, False), (1.0, 1.0)),
        (found(None, None, True), (0.0, 0.0)),
        (found(None, None, False), (1.0, 1.0)),
        (found(None, 0.2, False), (1.0, 1.0)),
    ],
)
def test_the_distance_is_counted_in_limits_towards_the_side_that_fails(check, expected):
    assert evidence(check) == pytest.approx(expected)


def test_the_nearer_to_its_limit_and_beyond_it_the_higher_the_risk():
    checks = [found(value, 0.2, value <= 0.2) for value in (0.0, 0.1, 0.2, 0.21, 0.3, 0.4, 5.0)]
    risks = [risk_of({"no_halo": check}, ONE_CHECK).value for check in checks]
    assert risks == sorted(risks)
    assert len(set(risks)) == len(risks) - 1
    assert risks[2] == 0.5  # at its limit, without any other check


def test_a_check_that_the_calibration_does_not_know_says_nothing():
    assert risk_of({"new": found(1.0, 0.2, False)}, ONE_CHECK) == risk_of({}, ONE_CHECK)


def test_the_shipped_weights_are_of_the_checks_that_exist_and_of_their_limits():
    """Where this fails a check was changed: judge the collection again, then `tests.bench.calibrate --write`."""
    written = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    assert set(shipped_calibration().weights) == set(BY_NAME)
    assert [(one["check"], one["limit"]) for one in written["limits"]] == [
        (spec.name, {"measure": each.measure, "value": each.value, "unit": each.unit, "passes": each.passes})
        for spec in CHECKS
        for each in spec.limits
    ]


def test_a_good_picture_has_a_lower_risk_than_one_whose_every_check_failed():
    good = {spec.name: spec.check(inspection(), "stand") for spec in CHECKS}
    bad = {name: Check(None, None, False, "", "") for name in good}
    assert risk_of(good).value < 0.5 < risk_of(bad).value
