"""Inverts the map of a match: for each pixel of the image its place in the photograph, and the product's coverage.

The pose gives the forward map, from the photograph's grid to the image. It is inverted by Newton's method on the
sampled map with its finite-difference Jacobian, from an affine least-squares start; where that folds (a body of
revolution beyond its silhouette) it does not converge, and says so. Coverage is rasterised from the forward map's
cells, supersampled: front and back of a round body together give its silhouette where the photograph has no pixel.

In: x, y (h, w) float32 px. Out: u, v (bh, bw) float32 px and a mask; coverage (bh, bw) uint8.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.photometric_refine import sample

NEWTON_STEPS = 8
# A pixel has converged when its place in the photograph maps back to it within this distance (px).
CONVERGED_PX = 0.25
# Largest step (px of the photograph), and the least determinant of the Jacobian as a share of the median one.
MAX_STEP_PX, MIN_AREA_RATIO = 20, 0.1
# The affine start is fitted to about so many rows and columns of the map.
START_GRID = 24
# Coverage is drawn from cells of this many pixels of the photograph, at this many times the image's resolution.
CELL_PX = 4
SUPERSAMPLE = 3


def invert_map(
    x: np.ndarray, y: np.ndarray, box: tuple[int, int, int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place (u, v) in the photograph, each (bh, bw) float32 px, of every pixel of `box` (x, y, w, h) of the image, and
    where it converged, (bh, bw) bool. `x`, `y` (h, w) float32 px: where each pixel of the photograph lies in the image.
    """
    left, top, width, height = box
    rows, columns = x.shape
    u_grid, v_grid = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    some = np.s_[:: max(1, rows // START_GRID), :: max(1, columns // START_GRID)]
    known = np.c_[x[some].ravel(), y[some].ravel(), np.ones(x[some].size)]
    start = np.linalg.lstsq(known, np.c_[u_grid[some].ravel(), v_grid[some].ravel()], rcond=None)[0].astype(np.float32)
    want_x, want_y = np.meshgrid(np.arange(width) + np.float32(left + 0.5), np.arange(height) + np.float32(top + 0.5))
    want_x, want_y = want_x.astype(np.float32), want_y.astype(np.float32)
    u, v = (want_x * start[0, axis] + want_y * start[1, axis] + start[2, axis] for axis in (0, 1))
    field = np.dstack([x, y]).astype(np.float32)
    jacobians = np.dstack(
        [np.gradient(x, axis=1), np.gradient(x, axis=0), np.gradient(y, axis=1), np.gradient(y, axis=0)]
    )
    jacobians = jacobians.astype(np.float32)
    xu, xv, yu, yv = (jacobians[..., part] for part in range(4))
    typical = float(np.median(np.abs(xu * yv - xv * yu)))
    converged_before = -1
    for step in range(NEWTON_STEPS + 1):
        reached = sample(field, u, v)
        miss_x, miss_y = want_x - reached[..., 0], want_y - reached[..., 1]
        converged = cv2.magnitude(miss_x, miss_y) < CONVERGED_PX
        count = int(np.count_nonzero(converged))
        # Convergence is quadratic: pixels that had converged a step ago are exact, and there are no new ones.
        if step == NEWTON_STEPS or count == converged_before:
            break
        converged_before = count
        jacobian = sample(jacobians, u, v)
        xu, xv, yu, yv = (jacobian[..., part] for part in range(4))
        determinant = xu * yv - xv * yu
        determinant = np.where(np.abs(determinant) < MIN_AREA_RATIO * typical, MIN_AREA_RATIO * typical, determinant)
        step_u = np.clip((yv * miss_x - xv * miss_y) / determinant, -MAX_STEP_PX, MAX_STEP_PX)
        step_v = np.clip((xu * miss_y - yu * miss_x) / determinant, -MAX_STEP_PX, MAX_STEP_PX)
        u, v = np.clip(u + step_u, 0.5, columns - 0.5), np.clip(v + step_v, 0.5, rows - 0.5)
    return u, v, converged


def rasterise_coverage(
    surface_maps: list[tuple[np.ndarray, np.ndarray]], alpha: np.ndarray, box: tuple[int, int, int, int]
) -> np.ndarray:
    """Coverage (bh, bw) uint8 in `box` of what `alpha` (h, w) uint8 covers on any of the `surface_maps`, each x and y
    (h, w) float32 px."""
    left, top, width, height = box
    canvas = np.zeros((height * SUPERSAMPLE, width * SUPERSAMPLE), np.uint8)
    # Corners of cells lie on pixel corners: pad so that the last ones reach the edge.
    rows, columns = alpha.shape
    v = np.minimum(np.arange(0, rows + CELL_PX, CELL_PX), rows)
    u = np.minimum(np.arange(0, columns + CELL_PX, CELL_PX), columns)
    grid_u, grid_v = np.meshgrid(u.astype(np.float32), v.astype(np.float32))
    centre_u, centre_v = (grid_u[:-1, :-1] + grid_u[1:, 1:]) / 2, (grid_v[:-1, :-1] + grid_v[1:, 1:]) / 2
    covered = sample(cv2.blur(alpha, (3, 3)), centre_u, centre_v) > 127
    for x, y in surface_maps:
        corner = np.stack([sample(x, grid_u, grid_v) - left, sample(y, grid_u, grid_v) - top], axis=-1)
        corner = np.clip(corner * SUPERSAMPLE * 16, -(2**20), 2**20).astype(np.int32)
        cells = np.stack([corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]], axis=2)[covered]
        for cell in cells:
            cv2.fillConvexPoly(canvas, cell, 255, shift=4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
