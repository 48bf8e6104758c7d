"""Mirrored lettering is noticed, by its marks when it was not found as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from function.judging.print_correlation import MIN_PRINT_CORRELATION
from function.judging.product_not_mirrored import MIN_UNMIRRORED, matched_keypoints, product_not_mirrored
from tests.judging.samples import composite, crop_of, inspection, label, match, photograph

MIRRORED = composite(np.ascontiguousarray(label()[:, ::-1]))
BLANK = composite(np.full_like(label(), 128))


def test_lettering_that_lies_on_lettering_needs_no_marks():
    check = product_not_mirrored(inspection(MIRRORED, matched=match()))
    assert check.passed and check.threshold == MIN_PRINT_CORRELATION


def test_marks_tell_left_from_right():
    unmirrored, mirrored = matched_keypoints(photograph(), crop_of(composite()))
    assert unmirrored > 2 * mirrored
    unmirrored, mirrored = matched_keypoints(photograph(), crop_of(MIRRORED))
    assert mirrored > 2 * unmirrored


def test_a_mirrored_product_fails():
    check = product_not_mirrored(inspection(MIRRORED, matched=match(mirrored=True)))
    assert not check.passed and check.threshold == MIN_UNMIRRORED


def test_too_few_marks_pass_unless_the_match_is_mirrored():
    assert product_not_mirrored(inspection(BLANK, matched=None)).passed
    assert not product_not_mirrored(inspection(BLANK, matched=match(mirrored=True))).passed


def test_print_that_is_not_told_from_texture_is_mirrored_all_the_same(monkeypatch):
    """What was matched in the mirror image by enough keypoints differs from left to right."""
    monkeypatch.setattr("function.judging.product_not_mirrored.has_print", lambda _: False)
    pale = (200 + 0.12 * (label().astype(float) - 128)).astype(np.uint8)
    answer = composite(np.ascontiguousarray(pale[:, ::-1]))
    whole = inspection(answer, matched=match(mirrored=True))
    check = product_not_mirrored(replace(whole, product=replace(whole.product, photograph=photograph(pale))))
    assert not check.passed and check.value is not None
    unmatched = inspection(answer, matched=None)
    check = product_not_mirrored(replace(unmatched, product=replace(unmatched.product, photograph=photograph(pale))))
    assert check.passed


def test_a_photograph_of_nothing_has_no_marks():
    assert matched_keypoints(np.zeros((50, 50, 4), np.uint8), crop_of(composite())) == (0, 0)
