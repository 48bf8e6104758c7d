"""Dense alignment: a pose that is a little off is refined onto the print, and correlation says how well it lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.photometric_refine import (
    gradients,
    grey,
    local_shift,
    ncc_map,
    refine_pose,
    sample,
    visibility,
)
from function.matching.plane_parallax import HOMOGRAPHY, project, reference_grid
from tests.matching.samples import flat_pose, label, room, stand

ALPHA = np.full((480, 360), 255, np.uint8)
FLAT = np.zeros((480, 360), np.float32)


def small(front: np.ndarray, height: int = 260) -> np.ndarray:
    """The front about as large as it is seen, so that a pixel of it is one of the answer."""
    return cv2.resize(front, (round(front.shape[1] * height / front.shape[0]), height), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("off", [(2, 0), (-1, 2), (3, -2)])
def test_a_pose_that_is_off_is_refined_to_a_fraction_of_a_pixel(off):
    pose = flat_pose()
    answer, _ = stand(room(), label(), pose)
    front = small(label())
    start = pose.copy()
    start[[2, 5]] += off
    alpha, depth = np.full(front.shape[:2], 255, np.uint8), np.zeros(front.shape[:2], np.float32)
    found = refine_pose(start, grey(front[..., :3]), alpha, depth, grey(answer), HOMOGRAPHY)
    grid = reference_grid(front.shape[:2])
    away = np.hypot(*(a - b for a, b in zip(project(found, *grid, depth), project(pose, *grid, depth), strict=True)))
    assert np.percentile(away, 95) < 0.6


def test_agreement_is_full_on_the_print_itself_and_none_on_another():
    picture = grey(small(label())[..., :3])
    visible = np.ones_like(picture)
    own, other = (ncc_map(picture, grey(small(label(seed))[..., :3]), visible) for seed in (3, 77))
    assert own.correlation == pytest.approx(1, abs=1e-3)
    assert np.median(own.local) > 0.99
    assert other.correlation < 0.5
    darker = ncc_map(picture, 0.6 * picture + 20, visible)
    assert darker.correlation > 0.97


def test_a_shift_is_read_from_the_slopes():
    picture = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (200, 220)).astype(np.float32), (0, 0), 3)
    picture /= picture.std()
    x, y = np.meshgrid(np.arange(220, dtype=np.float32) + 0.5, np.arange(200, dtype=np.float32) + 0.5)
    moved = sample(picture, x + 0.4, y - 0.3)
    gx, gy = gradients(moved)
    dx, dy = local_shift(gx, gy, moved - picture, np.ones_like(picture), 12.0)
    inner = np.s_[30:-30, 30:-30]
    assert np.median(dx[inner]) == pytest.approx(0.4, abs=0.08)
    assert np.median(dy[inner]) == pytest.approx(-0.3, abs=0.08)


def test_what_lies_outside_of_the_picture_or_is_turned_away_is_not_seen():
    x, y = np.broadcast_arrays(*(axis * 300 + 150 for axis in reference_grid((100, 100))))
    x, y = x.astype(np.float32), y.astype(np.float32)
    alpha = np.full((100, 100), 255, np.uint8)
    whole = visibility(x, y, alpha, (400, 400))
    assert (whole[5:-5, 5:-5] > 0.99).all() and not whole[0].any()
    cut = visibility(x, y, alpha, (400, 150))
    assert not cut[:, 55:].any() and (cut[5:-5, 5:45] > 0.99).all()
    turned = x.copy()
    turned[:, 60:] = x[:, 60:61] - (x[:, 60:] - x[:, 60:61])
    assert not visibility(turned, y, alpha, (400, 400))[:, 65:].any()
