"""A bright fringe around the product is noticed; its own bright print, and a plain edge, are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.judging.no_halo import MAX_FRINGE, fringe_share, no_halo
from tests.judging.samples import PRODUCT, composite, crop_of, inspection, label, outline, room


def with_rim(share: float) -> np.ndarray:
    """The good picture with a bright line around the lower `share` of the product."""
    answer = composite()
    rim = (cv2.dilate(outline(), np.ones((7, 7), np.uint8)) > 0) & (outline() == 0)
    rim[: PRODUCT[1] + round((1 - share) * PRODUCT[3])] = False
    answer[rim] = 250
    return answer


def test_a_blended_edge_passes():
    assert no_halo(inspection()).passed


def test_a_fringe_all_around_fails():
    assert fringe_share(crop_of(with_rim(1.0))) > 0.8
    assert not no_halo(inspection(with_rim(1.0))).passed


def test_the_share_grows_with_the_fringe():
    shares = [fringe_share(crop_of(answer)) for answer in (composite(), with_rim(0.3), with_rim(0.6), with_rim(1.0))]
    assert shares == sorted(shares) and shares[0] < MAX_FRINGE < shares[-1]


def test_a_rim_that_the_photograph_has_itself_is_no_fringe():
    front = label()
    front[:, :4], front[:, -4:] = 250, 250
    answer = composite(front)
    expected = crop_of(answer).expected.copy()
    left, top = PRODUCT[0] - crop_of(answer).box[0], PRODUCT[1] - crop_of(answer).box[1]
    expected[top : top + PRODUCT[3], left : left + PRODUCT[2]] = front
    assert fringe_share(crop_of(answer, expected=expected)) < fringe_share(crop_of(answer))


@pytest.mark.parametrize("cover", [0.0, 1.0])
def test_without_an_edge_inside_the_crop_nothing_is_measured(cover):
    check = no_halo(inspection(crop=crop_of(room(), product_mask=np.full_like(crop_of(room()).product_mask, cover))))
    assert check.passed and check.value is None
