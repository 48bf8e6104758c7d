"""A product in the air is told from one that stands, also where its shadow still touches its side."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.contact_shadow import LEAST_TOUCHED, MOST_GAP
from function.judging.ground_contact import gap, surface_below, touched
from function.judging.inspection import Inspection
from function.judging.judge import judge
from function.restoration.analysis import analyse
from tests.cases.answers import analysis_of, case, frame_of
from tests.cases.faults import spoiled
from tests.cases.imitation import MANNERS, imitate


def lifted(name: str, seed: int):
    picture = spoiled(case(name), "floating_product", seed, case("mug"))
    frame = frame_of(picture.scene)
    return analyse(picture.scene, picture.product, imitate(picture, frame, MANNERS["mild"], seed), frame)


@pytest.mark.parametrize(("name", "seed"), [("can", 1), ("can", 2), ("box", 2), ("mug", 2)])
def test_a_lifted_product_is_not_accepted(name, seed):
    judgement = judge(lifted(name, seed))
    assert not judgement.checks["contact_shadow"].passed
    assert judgement.verdict == "review"


@pytest.mark.parametrize("name", ["can", "box", "mug"])
def test_the_surface_below_a_standing_product_is_changed_and_below_a_lifted_one_it_is_not(name):
    standing, floating = analysis_of(name, "mild"), lifted(name, 2)
    values = []
    for analysis in (standing, floating):
        view = Inspection.of(analysis.scene, analysis.product).view
        surface = surface_below(analysis.scene, view)
        values.append((touched(surface, view.height), gap(surface, view.height)))
    assert values[0][0] > LEAST_TOUCHED and values[0][1] < MOST_GAP
    assert values[1][0] < LEAST_TOUCHED or values[1][1] > MOST_GAP


def test_a_bright_reflection_right_below_the_base_is_no_gap():
    rows = np.linspace(-0.5, 0.0, 60, dtype=np.float32)
    assert gap(np.tile(rows, (5, 1)), 200) < 0.01


def test_a_shadow_that_begins_further_down_is_a_gap():
    rows = np.repeat(np.float32([0, 0.4, 0.1]), 20)
    assert gap(np.tile(rows, (5, 1)), 200) == pytest.approx(0.4)
