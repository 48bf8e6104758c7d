"""Every number that decides stands in its check's table, with its unit and the side that passes."""

from __future__ import annotations

import ast
import importlib
import inspect

import pytest

from function.judging.judge import judge
from function.judging.limit import least, most
from function.judging.registry import BY_NAME, CHECKS
from tests.bench.measures import LIMITS, MEASURES
from tests.cases.answers import analysis_of

COMPARING = {"at_least", "at_most", "Check"}


def test_a_margin_is_counted_in_multiples_of_the_limit_towards_the_side_that_passes():
    assert least("area", 0.5, "share").margin(0.75) == pytest.approx(0.5)
    assert most("area", 0.5, "share").margin(0.75) == pytest.approx(-0.5)
    assert most("alterations", 0.0, "share").margin(0.02) == pytest.approx(-0.02)
    assert least("area", 0.5, "share").margin(0.5) == 0


@pytest.mark.parametrize("spec", CHECKS, ids=[spec.name for spec in CHECKS])
def test_every_number_that_a_check_compares_with_is_in_its_table(spec):
    module = importlib.import_module(f"function.judging.{spec.name}")
    calls = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COMPARING
    ]
    named = {
        name.id
        for call in calls
        for argument in call.args
        for name in ast.walk(argument)
        if isinstance(name, ast.Name) and name.id.startswith(("LEAST_", "MOST_"))
    }
    held = {limit.value for limit in spec.limits}
    assert {name for name in named if getattr(module, name) not in held} == set()
    assert spec.limits


@pytest.mark.parametrize("spec", CHECKS, ids=[spec.name for spec in CHECKS])
def test_a_measure_is_held_against_one_number(spec):
    assert len({limit.measure for limit in spec.limits}) == len(spec.limits)


def test_the_bench_measures_what_is_limited():
    assert set(MEASURES) <= set(LIMITS)


@pytest.mark.parametrize("name", ["box", "can", "mug"])
def test_what_a_good_picture_was_held_against_is_in_the_table_and_passes_there(name):
    for key, check in judge(analysis_of(name, "real")).checks.items():
        if check.value is None:
            continue
        alike = [limit for limit in BY_NAME[key].limits if limit.unit == check.unit and limit.margin(check.value) >= 0]
        # What stands aside of the middle may lean a little more: that limit is the least there is.
        assert [limit for limit in alike if limit.value == check.threshold or key == "product_upright"], key
