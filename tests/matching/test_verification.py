"""Trust lies on print that agrees, spreads to print that agrees in part, and never on what contradicts it."""

from __future__ import annotations

import numpy as np

from function.matching.photometric_refine import NccMap
from function.matching.verification import verification_mask

SHAPE = (120, 100)


def ncc(local: np.ndarray, visible: np.ndarray | None = None) -> NccMap:
    visible = np.ones(SHAPE, np.float32) if visible is None else visible
    return NccMap(float(local.mean()), local.astype(np.float32), visible, np.full(SHAPE, 10, np.float32))


def test_all_that_agrees_is_verified_but_for_the_fade_at_the_rim():
    mask = verification_mask(ncc(np.full(SHAPE, 0.9)))
    assert (mask[6:-6, 6:-6] > 0.99).all()
    assert mask.max() <= 1 and mask.min() >= 0


def test_what_agrees_by_chance_only_is_not_verified():
    assert not verification_mask(ncc(np.full(SHAPE, 0.5))).any()


def test_what_is_not_seen_is_not_verified():
    assert not verification_mask(ncc(np.full(SHAPE, 0.9), np.zeros(SHAPE, np.float32))).any()


def test_verification_spreads_over_smeared_print_beside_verified_one_and_not_over_what_contradicts():
    local = np.full(SHAPE, 0.9)
    local[:, 50:75] = 0.6
    local[:, 75:] = -0.2
    mask = verification_mask(ncc(local))
    assert (mask[20:100, 55:68] > 0.9).all()
    assert not mask[:, 80:].any()


def test_a_speck_that_agrees_is_an_accident():
    local = np.full(SHAPE, 0.2)
    local[50:56, 50:56] = 0.95
    assert not verification_mask(ncc(local)).any()
