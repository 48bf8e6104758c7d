"""The label fails when its print was replaced or garbled; without print, or too small, it is not judged."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.judging.label_kept import MAX_MISMATCHED, label_kept
from function.judging.print_correlation import MIN_PATTERN_CORRELATION, MIN_PRINT_CORRELATION, mismatched_share
from function.judging.product_crop import MIN_LEGIBLE_PX
from tests.judging.samples import composite, crop_of, cropped, inspection, label, match, other_label, photograph

OTHER = composite(other_label())


def test_the_photograph_s_print_passes_whether_found_or_only_fitted():
    assert label_kept(inspection()).passed
    fitted = label_kept(inspection(matched=None))
    assert fitted.passed and fitted.threshold == MIN_PATTERN_CORRELATION


def test_other_words_fail():
    check = label_kept(inspection(OTHER))
    assert not check.passed and check.threshold == MAX_MISMATCHED


def test_gloss_that_lies_elsewhere_is_no_other_print():
    """A lid and a shoulder mirror the room that they stand in."""
    given, shown = label(), label()
    given[:70], shown[:70] = (60, 90, 170), (60, 90, 170)
    cv2.ellipse(given, (30, 30), (16, 24), 0, 0, 360, (240, 240, 240), -1)
    cv2.ellipse(shown, (70, 40), (10, 20), 0, 0, 360, (240, 240, 240), -1)
    answer = composite(shown)
    expected = cropped(composite(given))
    whole = inspection(answer, crop=crop_of(answer, expected=expected))
    whole = replace(whole, product=replace(whole.product, photograph=photograph(given)))
    assert mismatched_share(whole.crop) > MAX_MISMATCHED
    assert label_kept(whole).passed
    other = composite(np.vstack([shown[:70], other_label()[70:]]))
    whole = replace(whole, product_crop=crop_of(other, expected=expected))
    assert label_kept(whole).threshold == MAX_MISMATCHED


def test_an_edge_that_lies_elsewhere_is_no_other_print_beside_pale_letters():
    """The lid of a pale box, seen from above, has more contrast than all of its print."""

    def front(lid: int, words: str) -> np.ndarray:
        tones = np.full_like(label(), 205)
        tones[:lid] = 150
        for row in range(90, tones.shape[0] - 10, 24):
            cv2.putText(tones, words, (14, row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (180, 180, 180), 1, cv2.LINE_AA)
        return tones

    given, answer = front(30, "AKEFHTXZ"), composite(front(42, "AKEFHTXZ"))
    whole = inspection(answer, crop=crop_of(answer, expected=cropped(composite(given))))
    whole = replace(whole, product=replace(whole.product, photograph=photograph(given)))
    assert mismatched_share(whole.crop) > MAX_MISMATCHED
    assert label_kept(whole).passed


def test_print_that_agrees_too_little_fails():
    check = label_kept(inspection(matched=match(correlation=MIN_PRINT_CORRELATION - 0.01)))
    assert not check.passed and check.threshold == MIN_PRINT_CORRELATION


def test_print_that_was_not_found_is_said_to_be_not_compared_on_a_large_product_and_not_on_a_small_one():
    check = label_kept(inspection(OTHER, matched=None))
    assert not check.passed and check.value is None and "not compared" in check.reason
    small = crop_of(OTHER, matched=False, height=float(MIN_LEGIBLE_PX - 1))
    mask = np.zeros((360, 480), np.uint8)
    check = label_kept(inspection(OTHER, matched=None, crop=small, product_mask=mask))
    assert check.passed and check.value is None


def test_a_small_product_that_is_not_even_shown_as_on_its_photograph_is_not_compared():
    small = crop_of(OTHER, matched=False, fitted=False, height=float(MIN_LEGIBLE_PX - 1))
    check = label_kept(inspection(OTHER, matched=None, crop=small, product_mask=np.zeros((360, 480), np.uint8)))
    assert not check.passed and check.value is None


@pytest.mark.parametrize("found", [None, match(), match(correlation=0.3)], ids=["not found", "found", "hardly found"])
def test_a_product_without_print_passes_unmeasured(found):
    blank = photograph(np.full_like(label(), (60, 90, 170)))
    whole = inspection(OTHER, matched=found)
    check = label_kept(replace(whole, product=replace(whole.product, photograph=blank)))
    assert check.passed and check.value is None
