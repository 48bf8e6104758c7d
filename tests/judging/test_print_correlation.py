"""Print that is the photograph's is told from other words, from garbled ones, and from a blank product."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.print_correlation import MIN_PATTERN_CORRELATION, mismatched_share, pattern_correlation
from tests.judging.samples import composite, crop_of, label, other_label

BLANK = np.full_like(label(), (60, 90, 170))


def test_the_photograph_s_own_print_agrees_under_any_light():
    for front in (label(), (0.6 * label()).astype(np.uint8)):
        assert pattern_correlation(crop_of(composite(front))) > 0.95
        assert mismatched_share(crop_of(composite(front))) < 0.02


def test_other_words_are_replaced_print():
    assert pattern_correlation(crop_of(composite(other_label()))) < MIN_PATTERN_CORRELATION
    assert mismatched_share(crop_of(composite(other_label()))) > 0.4


def test_half_of_the_print_replaced_is_about_half():
    front = label()
    front[90:] = other_label()[90:]
    whole = mismatched_share(crop_of(composite(other_label())))
    assert mismatched_share(crop_of(composite(front))) == pytest.approx(whole / 2, abs=0.15)


def test_print_that_is_gone_is_replaced_and_agrees_with_nothing():
    assert mismatched_share(crop_of(composite(BLANK))) > 0.8
    assert abs(pattern_correlation(crop_of(composite(BLANK)))) < 0.1
