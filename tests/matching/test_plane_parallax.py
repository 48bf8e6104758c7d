"""Plane and body of revolution: the model's formula, its derivatives, and its fit to matches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from function.matching.plane_parallax import (
    HOMOGRAPHY,
    PARAMETER_COUNT,
    PLANE_PLUS_PARALLAX,
    fit_correspondences,
    is_lathed,
    jacobian,
    prior_precision,
    project,
    surface_of_revolution_depth,
)

RNG = np.random.default_rng(0)
VIEW = np.array([240, -10, 300, 12, 255, 200, 0.08, -0.05, 50, 20, 0.1])
X, Y, Z = RNG.uniform(-0.5, 0.5, 40), RNG.uniform(-0.5, 0.5, 40), RNG.uniform(0, 0.3, 40)


@pytest.mark.parametrize("turned", [False, True])
def test_an_outline_that_tapers_evenly_speaks_for_a_turned_body(turned):
    alpha = np.full((200, 100), 255, np.uint8)
    if turned:
        alpha[:60, :30] = alpha[:60, 70:] = 0
    assert is_lathed(alpha) == turned
    alpha[70:130, :40] = 0  # a bite on one side: no body of revolution
    assert not is_lathed(alpha)


def test_a_can_is_as_deep_as_half_its_width():
    alpha = np.zeros((200, 120), np.uint8)
    alpha[:, 20:100] = 255
    depth = surface_of_revolution_depth(alpha)
    assert depth.max() == pytest.approx(40 / 200, abs=0.005)
    assert np.abs(depth - depth[:, ::-1]).max() < 1e-6
    assert not depth[:, :18].any() and not depth[:, 102:].any()


def test_without_an_axis_there_is_no_body_of_revolution():
    slanted = np.zeros((200, 300), np.uint8)
    for row in range(200):
        slanted[row, row : row + 60] = 255
    assert surface_of_revolution_depth(slanted) is None
    assert surface_of_revolution_depth(np.zeros((200, 300), np.uint8)) is None


@pytest.mark.parametrize("along", [(1, 0), (0, 1), (0.3, -2.0)])
def test_derivatives_are_those_of_the_projection(along):
    exact = jacobian(VIEW, X, Y, Z, *along)
    assert exact.shape == (PARAMETER_COUNT, len(X))
    for k in range(PARAMETER_COUNT):
        step = np.zeros(PARAMETER_COUNT)
        step[k] = 0.02 if k < 6 or k in (8, 9) else 2e-3
        (ahead_x, ahead_y), (behind_x, behind_y) = project(VIEW + step, X, Y, Z), project(VIEW - step, X, Y, Z)
        slope = (along[0] * (ahead_x - behind_x) + along[1] * (ahead_y - behind_y)) / (2 * step[k])
        assert exact[k] == pytest.approx(slope, rel=2e-2, abs=3e-2 * max(1, np.abs(slope).max()))


@pytest.mark.parametrize(("free", "depth"), [(HOMOGRAPHY, np.zeros(40)), (PLANE_PLUS_PARALLAX, Z)])
def test_the_fit_finds_the_view_that_made_the_matches_in_spite_of_wrong_ones(free, depth):
    truth = np.where(free, VIEW, 0)
    targets = np.stack(project(truth, X, Y, depth), axis=1)
    targets[:6] += RNG.uniform(20, 60, (6, 2))
    start = truth + np.where(free, [5, 5, 4, 5, 5, 4, 0, 0, 0, 0, 0], 0)
    start[6:] = 0
    found = fit_correspondences(start, np.stack([X, Y], axis=1), depth, targets, free, 2.0)
    away = np.hypot(*(np.array(project(found, X, Y, depth)) - project(truth, X, Y, depth)))
    assert np.median(away) < 0.3
    assert (found[~free] == 0).all()


def test_the_fit_is_that_of_a_library():
    """Cauchy weights and the prior as further residuals; scipy minimises sum(log(1 + r^2)) / 2 in another way."""
    targets = np.stack(project(VIEW, X, Y, Z), axis=1) + RNG.normal(0, 0.5, (40, 2))
    start = VIEW + np.array([4, 4, 3, 4, 4, 3, 0, 0, 0, 0, 0])
    prior = prior_precision(start)

    def cost(p: np.ndarray) -> float:
        px, py = project(p, X, Y, Z)
        return float(np.log1p(((px - targets[:, 0]) ** 2 + (py - targets[:, 1]) ** 2) / 4).sum() + (prior * p**2).sum())

    def residuals(p: np.ndarray) -> np.ndarray:
        px, py = project(p, X, Y, Z)
        error = np.log1p(((px - targets[:, 0]) ** 2 + (py - targets[:, 1]) ** 2) / 4)
        return np.concatenate([np.sqrt(error), np.sqrt(prior) * p])

    ours = fit_correspondences(start, np.stack([X, Y], axis=1), Z, targets, PLANE_PLUS_PARALLAX, 2.0)
    theirs = least_squares(residuals, start, x_scale=np.maximum(np.abs(VIEW), 0.05), diff_step=1e-4).x
    assert cost(ours) < 1.02 * cost(theirs)
