"""Drawn products before drawn backdrops are cut out as they were drawn: openings, thin parts, shadows, pale colours."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from function.matching.cutout.cut_out import cut_out
from tests.bench.photographs import score_alpha
from tests.cases.packshots import BACKDROPS, Packshot, packshots

# Mean absolute alpha error, 0..1; before a sweep and coloured paper there is a shadow too.
MAX_ERROR = dict.fromkeys(BACKDROPS, 0.01) | {"sweep": 0.02, "paper": 0.02}


def shot(name: str) -> Packshot:
    return next(packshots(name))


@pytest.mark.parametrize("backdrop", BACKDROPS)
@pytest.mark.parametrize("product", ["mug", "pale_lamp", "chair", "necklace", "tea"])
def test_a_packshot_is_cut_out_along_its_outline_and_through_its_openings(product, backdrop):
    drawn = shot(f"{product}-{backdrop}")
    cut = cut_out(drawn.photograph)
    error, unknown, _, opened, lost, taken = score_alpha(cut.alpha, drawn.truth[..., 3], cut.unknown)
    assert error <= MAX_ERROR[backdrop]
    assert unknown <= 0.03
    assert opened is None or opened >= 0.98
    assert lost <= 0.01 and taken <= 0.01
    assert cut.is_sure


@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_a_stem_of_four_pixels_is_kept(backdrop):
    drawn = shot(f"lamp-{backdrop}")
    cut = cut_out(drawn.photograph)
    kept = score_alpha(cut.alpha, drawn.truth[..., 3], cut.unknown)[2]
    assert kept >= 0.98


@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_glass_is_told_from_what_is_opaque(backdrop):
    drawn = shot(f"glass-{backdrop}")
    cut = cut_out(drawn.photograph)
    seen_through = (drawn.truth[..., 3] > 60) & (drawn.truth[..., 3] < 100)
    assert cut.unknown[seen_through].mean() > 0.95
    assert (cut.alpha[seen_through] > 127).mean() < 0.02
    assert not cut.is_sure
    for name in ("mug", "pale_lamp", "tea"):
        assert not cut_out(shot(f"{name}-{backdrop}").photograph).unknown.any()


@pytest.mark.parametrize("product", ["bag", "mug", "lamp", "chair", "necklace"])
def test_a_drop_shadow_baked_into_alpha_is_no_product(product):
    drawn = shot(f"{product}-baked")
    cut = cut_out(drawn.photograph)
    error, _, thin, _, lost, taken = score_alpha(cut.alpha, drawn.truth[..., 3], cut.unknown)
    assert error <= 0.002 and lost <= 0.001 and taken <= 0.001
    assert thin is None or thin >= 0.98
    assert cut.shadow is not None and cut.shadow.max() > 60
    # Along the outline the product's own colour is back.
    rim = (drawn.truth[..., 3] > 128) & (drawn.truth[..., 3] < 240)
    off = np.abs(cut.rgba[..., :3].astype(int) - drawn.truth[..., :3])[rim]
    assert np.median(off) <= 8


def test_a_drop_shadow_is_taken_off_glass():
    drawn = shot("glass-baked")
    cut = cut_out(drawn.photograph)
    assert cut.shadow is not None and cut.shadow.max() > 60
    assert score_alpha(cut.alpha, drawn.truth[..., 3], cut.unknown)[0] <= 0.02


def test_a_cut_out_keeps_its_own_alpha():
    drawn = shot("glass-cutout")
    cut = cut_out(drawn.photograph)
    assert np.array_equal(cut.rgba, drawn.truth)
    assert cut.shadow is None and cut.is_sure


def test_the_outline_takes_nothing_of_the_backdrop_with_it():
    drawn = shot("bag-white")
    cut = cut_out(drawn.photograph)
    rim = (drawn.truth[..., 3] > 100) & (drawn.truth[..., 3] < 220)
    taken, seen = (
        np.median(np.abs(p[..., :3].astype(int) - drawn.truth[..., :3])[rim]) for p in (cut.rgba, drawn.photograph)
    )
    assert taken < 20
    assert seen > 40


def test_white_that_may_be_paper_or_an_opening_is_unknown():
    """Print hangs in the middle of it, as in no opening."""
    photograph = np.full((600, 600, 3), 255, np.uint8)
    photograph[100:500, 150:450] = 60, 90, 60
    photograph[200:400, 200:400] = 255
    cv2.putText(photograph, "FJELL", (215, 320), cv2.FONT_HERSHEY_DUPLEX, 1.6, (30, 30, 30), 4)
    cut = cut_out(photograph)
    assert cut.unknown[220, 300] and cut.alpha[220, 300] == 0
    assert not cut.unknown[150, 300] and cut.alpha[150, 300] == 255
    assert not cut.is_sure


def test_a_photograph_before_a_room_is_not_cut_out():
    rows, columns = np.mgrid[0:420, 0:420]
    room = np.where((rows // 30 + columns // 40) % 2 == 0, 190, 110).astype(np.uint8)
    cut = cut_out(np.dstack([room] * 3))
    assert (cut.alpha == 255).all() and not cut.is_sure


def test_a_cut_out_takes_time_in_proportion_to_its_pixels():
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    photograph = shot("chair-sweep").photograph
    try:
        small, large = (least_time(cv2.resize(photograph, (side, side))) for side in (900, 1800))
    finally:
        cv2.setNumThreads(threads)
    assert large < 8 * small, "four times the pixels"


def least_time(photograph: np.ndarray) -> float:
    """CPU seconds of one cut-out, the least of three."""
    times = []
    for _ in range(3):
        started = time.process_time()
        cut_out(photograph)
        times.append(time.process_time() - started)
    return min(times)
