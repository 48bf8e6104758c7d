"""The registry is complete, and a check's name says where it is."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from function import judging
from function.judging.check import CheckSpec
from function.judging.registry import BY_NAME, CHECKS
from tests.cases.faults import SEEN_BY


def test_every_module_with_a_check_is_listed_once():
    modules = [
        importlib.import_module(f"function.judging.{found.name}") for found in pkgutil.iter_modules(judging.__path__)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, CheckSpec)]
    assert sorted(spec.name for spec in found) == sorted(spec.name for spec in CHECKS)


def test_keys_are_unique():
    assert len(BY_NAME) == len(CHECKS)


@pytest.mark.parametrize("spec", CHECKS, ids=[spec.name for spec in CHECKS])
def test_a_check_s_module_function_and_key_bear_one_name(spec):
    module = importlib.import_module(f"function.judging.{spec.name}")
    assert module.SPEC is spec
    assert spec.measure is getattr(module, spec.name)


@pytest.mark.parametrize("spec", CHECKS, ids=[spec.name for spec in CHECKS])
def test_the_model_can_be_told_what_went_wrong_and_of_no_other_pictures_than_those_sent(spec):
    assert spec.lesson.endswith(".") and "\n" not in spec.lesson
    assert not {"[0]", "[3]"} & set(spec.lesson.replace(".", " ").replace(",", " ").split())
    assert [other.lesson for other in CHECKS].count(spec.lesson) == 1


def test_faults_are_seen_by_checks_that_exist():
    assert set(SEEN_BY.values()) <= set(BY_NAME)
