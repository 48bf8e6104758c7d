"""What stands where it was asked to passes, and what is off is said in words of a studio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.judge import judge
from function.judging.placed_as_asked import MAX_OFF, placed_as_asked
from function.matching.asked_place import AskedPlace
from tests.cases.answers import analysis_of, case
from tests.judging.samples import HEIGHT, PRODUCT, WIDTH, composite, crop_of, inspection, room

X, Y, WIDE, TALL = PRODUCT


def box(dx: float = 0.0, dy: float = 0.0, grown: float = 1.0) -> AskedPlace:
    """The product's own box in shares, moved by shares of its height and grown around its base."""
    wide, tall = grown * WIDE, grown * TALL
    left, top = X + WIDE / 2 - wide / 2 + dx * TALL, Y + TALL - tall + dy * TALL
    return AskedPlace((left / WIDTH, top / HEIGHT, wide / WIDTH, tall / HEIGHT))


def found(asked: AskedPlace | None):
    return placed_as_asked(replace(inspection(), asked=asked))


def test_nothing_asked_is_nothing_judged():
    check = found(None)
    assert check.passed and check.value is None and check.reason.startswith("Does not apply: ")


def test_a_product_in_its_box_passes():
    check = found(box())
    assert check.passed and check.value == pytest.approx(0, abs=0.01) and check.threshold == MAX_OFF


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (box(dy=-0.12), "12 % of its height too low"),
        (box(dy=0.12), "12 % of its height too high"),
        (box(dx=-0.15), "15 % of its size too far to the right"),
        (box(dx=0.15), "15 % of its size too far to the left"),
        (box(grown=0.8), "1.25 times the size"),
        (box(grown=1.25), "0.80 times the size"),
        (AskedPlace(height=0.25), "2.00 times the size"),
        (
            AskedPlace(ground=np.vstack([np.full((10, 48), 255, np.uint8), np.zeros((26, 48), np.uint8)])),
            "mask is white",
        ),
    ],
)
def test_what_is_off_fails_and_says_where_to(asked, said):
    check = found(asked)
    assert not check.passed and said in check.reason and check.value > MAX_OFF


def test_a_manifest_s_own_tolerance_decides_where_it_has_one():
    assert found(replace(box(dy=0.12), tolerance=0.2)).passed
    assert not found(replace(box(dy=0.04), tolerance=0.03)).passed


@pytest.mark.parametrize("recognised", [False, True])
def test_a_product_of_which_a_part_is_not_told_from_the_scene_is_seen_where_it_was_asked_for(recognised):
    """A corner of it is all that is taken for the product; of a lamp's flex nothing is."""
    piece = crop_of(composite(), matched=recognised, fitted=recognised)
    piece.product_mask[: piece.product_mask.shape[0] // 2] = piece.product_mask[
        :, : piece.product_mask.shape[1] // 2
    ] = 0
    unsure = inspection(matched=None, crop=piece)
    assert placed_as_asked(replace(unsure, asked=box())).passed
    assert not placed_as_asked(replace(unsure, asked=box(dx=0.6))).passed
    nothing_there = inspection(room(), matched=None, crop=piece)
    assert not placed_as_asked(replace(nothing_there, asked=box())).passed


def test_the_judge_is_told_what_was_asked_and_teaches_the_next_attempt():
    rows, columns = np.nonzero(case("can").product_mask > 127)
    height, width = case("can").product_mask.shape
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    own = AskedPlace((left / width, top / height, (right - left) / width, (bottom - top) / height))
    analysis = analysis_of("can", "mild")
    assert judge(analysis, "stand", own).verdict == "accepted"
    elsewhere = judge(analysis, "stand", replace(own, box=(0.05, *own.box[1:])))
    assert elsewhere.verdict == "review"
    assert elsewhere.lessons == [
        "The product was not where it was asked to be, or not of that size. Keep exactly to the spot and the size that "
        "are given above."
    ]
