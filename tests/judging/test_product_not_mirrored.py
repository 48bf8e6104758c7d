"""Mirrored lettering is noticed, by its marks when it was not found as it is."""

from __future__ import annotations

import numpy as np

from function.judging.print_agreement import MIN_AGREEMENT
from function.judging.product_not_mirrored import MIN_STRAIGHT, found_marks, product_not_mirrored
from tests.judging.samples import composite, inspection, label, match, photograph, view

MIRRORED = composite(np.ascontiguousarray(label()[:, ::-1]))
BLANK = composite(np.full_like(label(), 128))


def test_lettering_that_lies_on_lettering_needs_no_marks():
    check = product_not_mirrored(inspection(MIRRORED, matched=match()))
    assert check.passed and check.threshold == MIN_AGREEMENT


def test_marks_tell_left_from_right():
    straight, mirrored = found_marks(photograph(), view(composite()))
    assert straight > 2 * mirrored
    straight, mirrored = found_marks(photograph(), view(MIRRORED))
    assert mirrored > 2 * straight


def test_a_mirrored_product_fails():
    check = product_not_mirrored(inspection(MIRRORED, matched=match(mirrored=True)))
    assert not check.passed and check.threshold == MIN_STRAIGHT


def test_too_few_marks_pass_unless_the_match_is_mirrored():
    assert product_not_mirrored(inspection(BLANK, matched=None)).passed
    assert not product_not_mirrored(inspection(BLANK, matched=match(mirrored=True))).passed


def test_a_photograph_of_nothing_has_no_marks():
    assert found_marks(np.zeros((50, 50, 4), np.uint8), view(composite())) == (0, 0)
