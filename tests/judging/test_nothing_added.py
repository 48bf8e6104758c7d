"""What was altered apart from the product and is kept is for a person to look at, and so is a painted outline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from function.judging.nothing_added import MAX_KEPT, MAX_OUTLINE, nothing_added
from function.matching.asked_place import AskedPlace
from function.restoration.alterations import Alteration
from tests.judging.samples import HEIGHT, WIDTH, composite, inspection, scene

SMALL, LARGE = Alteration((0.05, 0.05, 0.1, 0.1), 0.01), Alteration((0.7, 0.75, 0.2, 0.2), 0.04)


def judged(**changes):
    return nothing_added(inspection(of_scene=scene(composite(), **changes)))


def test_a_picture_with_the_product_alone_passes():
    check = judged()
    assert check.passed and check.value == 0 and check.threshold == MAX_KEPT


def test_what_is_kept_fails_with_its_share_and_the_place_of_the_largest():
    check = judged(kept_alterations=(SMALL, LARGE))
    assert not check.passed and check.value == pytest.approx(0.05)
    assert "(lower right)" in check.reason


@pytest.mark.parametrize(
    ("left", "top", "said"), [(0.0, 0.0, "upper left"), (0.8, 0.4, "middle right"), (0.4, 0.8, "lower centre")]
)
def test_its_place_is_that_of_its_middle(left, top, said):
    assert f"({said})" in judged(kept_alterations=(Alteration((left, top, 0.2, 0.2), 0.04),)).reason


def test_what_is_undone_does_not_count():
    assert judged(undone_alterations=(SMALL, LARGE)).passed


def test_a_painted_outline_of_the_place_fails_before_all_else():
    asked = AskedPlace((0.3, 0.15, 0.4, 0.75), mark=(255, 0, 255))
    answer = composite()
    answer[asked.outline((WIDTH, HEIGHT), 3) > 0] = asked.mark
    painted = inspection(of_scene=scene(answer, kept_alterations=(LARGE,)))
    check = nothing_added(replace(painted, asked=asked))
    assert not check.passed and check.threshold == MAX_OUTLINE and check.value > 0.9
    assert nothing_added(painted).threshold == MAX_KEPT
