"""The registry is complete, and a check's name says where it is."""

from __future__ import annotations

import importlib
import pkgutil
from typing import get_args

import numpy as np
import pytest

from function import judging
from function.generation.pose import Pose
from function.judging.check import CheckSpec
from function.judging.registry import BY_NAME, CHECKS
from tests.cases.faults import SEEN_BY
from tests.judging.samples import HEIGHT, WIDTH, composite, inspection, match, scene


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


@pytest.mark.parametrize("pose", [pose for pose in get_args(Pose) if pose != "stand"])
def test_only_what_is_meant_to_stand_has_to_touch_a_surface_and_be_upright(pose):
    bare = np.zeros((HEIGHT, WIDTH), np.float32)
    lying = match(mapping=np.ascontiguousarray(match().mapping[..., ::-1]))
    pasted = inspection(matched=lying, of_scene=scene(composite(shade=bare), bare))
    apply = {spec.name for spec in CHECKS if not spec.check(pasted, pose).reason.startswith("Does not apply: ")}
    assert set(BY_NAME) - apply == {"contact_shadow", "product_upright", "placed_as_asked"}  # nothing was asked
    assert all(BY_NAME[name].check(pasted, pose).passed for name in set(BY_NAME) - apply)
    assert not BY_NAME["product_upright"].check(pasted, "stand").passed


def test_faults_are_seen_by_checks_that_exist():
    assert set(SEEN_BY.values()) <= set(BY_NAME)
