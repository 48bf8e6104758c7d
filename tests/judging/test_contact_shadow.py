"""A product in the air is told from one that stands, also where its shadow still touches its side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.contact_shadow import LEAST_SHADOW, LEAST_TOUCHED, MOST_GAP, contact_shadow
from function.judging.ground_contact import gap, surface_below, touched
from function.judging.inspection import Inspection
from function.judging.judge import judge
from function.restoration.analysis import analyse
from tests.cases.answers import analysis_of, case, frame_of
from tests.cases.faults import spoiled
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.judging.samples import HEIGHT, PRODUCT, WIDTH, composite, inspection, match, room, scene, view
from tests.tiers import exhaustive


def lifted(name: str, seed: int):
    picture = spoiled(case(name), "floating_product", seed, case("mug"))
    frame = frame_of(picture.scene)
    return analyse(picture.scene, picture.product, imitate(picture, frame, MANNERS["mild"], seed), frame)


@pytest.mark.parametrize(("name", "seed"), [("can", 2), *exhaustive(("can", 1), ("box", 2), ("mug", 2))])
def test_a_lifted_product_is_not_accepted(name, seed):
    judgement = judge(lifted(name, seed))
    assert not judgement.checks["contact_shadow"].passed
    assert judgement.verdict == "review"


@pytest.mark.parametrize("name", ["can", *exhaustive("box", "mug")])
def test_the_surface_below_a_standing_product_is_changed_and_below_a_lifted_one_it_is_not(name):
    standing, floating = analysis_of(name, "mild"), lifted(name, 2)
    values = []
    for analysis in (standing, floating):
        view = Inspection.of(analysis.scene, analysis.product).view
        surface = surface_below(analysis.scene, view)
        values.append((touched(surface, view.height), gap(surface, view.height)))
    assert values[0][0] > LEAST_TOUCHED and values[0][1] < MOST_GAP
    assert values[1][0] < LEAST_TOUCHED or values[1][1] > MOST_GAP


def test_a_standing_product_with_its_shadow_passes():
    assert contact_shadow(inspection()).passed


def test_without_a_shadow_it_looks_pasted_on():
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    check = contact_shadow(inspection(answer, of_scene=scene(answer, bright)))
    assert not check.passed and check.threshold == LEAST_SHADOW


def test_a_base_outside_of_the_picture_cannot_be_judged_and_fails():
    nothing = np.zeros_like(view(composite()).cover)
    check = contact_shadow(inspection(seen=view(composite(), cover=nothing, put_in=nothing)))
    assert not check.passed and check.value is None


def held(**changes):
    """A product without any shadow before a narrow upright thing: a hand, a hip."""
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    image = room()
    image[PRODUCT[1] + 90 :, PRODUCT[0] : PRODUCT[0] + PRODUCT[2]] = (60, 70, 120)
    answer[PRODUCT[1] + PRODUCT[3] :] = image[PRODUCT[1] + PRODUCT[3] :]
    of_scene = scene(answer, bright, image=image)
    return contact_shadow(inspection(answer, of_scene=of_scene, **changes))


def test_what_is_held_or_worn_needs_no_contact_shadow():
    check = held()
    assert check.passed and check.value is None and "held or worn" in check.reason


def test_where_a_product_that_is_not_shown_as_on_its_photograph_stands_is_not_known():
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    seen = view(answer, found=False, fitted=False)
    check = contact_shadow(inspection(answer, of_scene=scene(answer, bright), matched=None, seen=seen))
    assert check.passed and check.value is None


def test_a_product_that_lies_has_no_base():
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    lying = match(mapping=np.ascontiguousarray(match().mapping[..., ::-1]))
    check = contact_shadow(inspection(answer, of_scene=scene(answer, bright), matched=lying))
    assert check.passed and check.value is None


def test_on_a_surface_that_was_drawn_anew_no_shadow_can_be_measured():
    bare = np.zeros((HEIGHT, WIDTH), np.float32)
    pasted = scene(composite(shade=bare), bare)
    assert not contact_shadow(inspection(of_scene=pasted)).passed
    check = contact_shadow(inspection(of_scene=replace(pasted, drawn_anew=True)))
    assert check.passed and check.value is None
