"""From the photograph's grid to the picture's: where each picture pixel lies in the photograph, and its
outline.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.photometric_refine import sample

NEWTON_STEPS = 8
# A picture pixel is placed when its photograph pixel comes back to it within this distance (px).
PLACED_PX = 0.25
# The outline is drawn from cells of this many photograph pixels, at this many times the picture's resolution.
CELL = 4
SUPERSAMPLE = 3


def invert(x: np.ndarray, y: np.ndarray, box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photograph position (u, v), each (bh, bw) float32 px, of every pixel of `box` (x, y, w, h) of the
    picture.

    `x`, `y` (h, w) float32 px: where each photograph pixel lies in the picture. Newton's method on that map;
    the third result (bh, bw) bool says where it converged.
    """
    left, top, width, height = box
    rows, columns = x.shape
    u_grid, v_grid = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    some = np.s_[:: max(1, rows // 24), :: max(1, columns // 24)]
    known = np.c_[x[some].ravel(), y[some].ravel(), np.ones(x[some].size)]
    start = np.linalg.lstsq(known, np.c_[u_grid[some].ravel(), v_grid[some].ravel()], rcond=None)[0].astype(np.float32)
    want_x, want_y = np.meshgrid(np.arange(width) + np.float32(left + 0.5), np.arange(height) + np.float32(top + 0.5))
    want_x, want_y = want_x.astype(np.float32), want_y.astype(np.float32)
    u, v = (want_x * start[0, axis] + want_y * start[1, axis] + start[2, axis] for axis in (0, 1))
    field = np.dstack([x, y]).astype(np.float32)
    slopes = np.dstack([np.gradient(x, axis=1), np.gradient(x, axis=0), np.gradient(y, axis=1), np.gradient(y, axis=0)])
    slopes = slopes.astype(np.float32)
    typical = float(np.median(np.abs(slopes[..., 0] * slopes[..., 3] - slopes[..., 1] * slopes[..., 2])))
    placed_before = -1
    for step in range(NEWTON_STEPS + 1):
        here = sample(field, u, v)
        miss_x, miss_y = want_x - here[..., 0], want_y - here[..., 1]
        placed = cv2.magnitude(miss_x, miss_y) < PLACED_PX
        count = int(np.count_nonzero(placed))
        # Steps are quadratic: those placed a step ago are exact by now, and no further ones have come.
        if step == NEWTON_STEPS or count == placed_before:
            break
        placed_before = count
        slope = sample(slopes, u, v)
        area = slope[..., 0] * slope[..., 3] - slope[..., 1] * slope[..., 2]
        area = np.where(np.abs(area) < 0.1 * typical, 0.1 * typical, area)
        u = np.clip(u + np.clip((slope[..., 3] * miss_x - slope[..., 1] * miss_y) / area, -20, 20), 0.5, columns - 0.5)
        v = np.clip(v + np.clip((slope[..., 0] * miss_y - slope[..., 2] * miss_x) / area, -20, 20), 0.5, rows - 0.5)
    return u, v, placed


def outline(
    sheets: list[tuple[np.ndarray, np.ndarray]], alpha: np.ndarray, box: tuple[int, int, int, int]
) -> np.ndarray:
    """Coverage (bh, bw) uint8 in `box` of everything that `alpha` (h, w) uint8 covers on any of the `sheets`.

    A sheet is (x, y), each (h, w) float32 px: a round body has a front and a back, and a turned one shows its
    silhouette where the photograph has no pixel.
    """
    left, top, width, height = box
    canvas = np.zeros((height * SUPERSAMPLE, width * SUPERSAMPLE), np.uint8)
    # Corners of cells lie on pixel corners: pad so that the last ones reach the edge.
    rows, columns = alpha.shape
    v = np.minimum(np.arange(0, rows + CELL, CELL), rows)
    u = np.minimum(np.arange(0, columns + CELL, CELL), columns)
    grid_u, grid_v = np.meshgrid(u.astype(np.float32), v.astype(np.float32))
    centre_u, centre_v = (grid_u[:-1, :-1] + grid_u[1:, 1:]) / 2, (grid_v[:-1, :-1] + grid_v[1:, 1:]) / 2
    covered = sample(cv2.blur(alpha, (3, 3)), centre_u, centre_v) > 127
    for x, y in sheets:
        corner = np.stack([sample(x, grid_u, grid_v) - left, sample(y, grid_u, grid_v) - top], axis=-1)
        corner = np.clip(corner * SUPERSAMPLE * 16, -(2**20), 2**20).astype(np.int32)
        cells = np.stack([corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]], axis=2)[covered]
        for cell in cells:
            cv2.fillConvexPoly(canvas, cell, 255, shift=4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
