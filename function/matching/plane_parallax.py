"""How a photograph lies in an image: a plane, or a plane with relief (a bottle, can or mug that is turned).

A point (X, Y) of the photograph with depth Z towards the viewer appears at

    x = (a X + b Y + c + Z qx) / w,   y = (d X + e Y + f + Z qy) / w,   w = 1 + g X + k Y + Z qw

A homography plus a parallax vector (plane + parallax; Hartley and Zisserman, Multiple View Geometry, 13.3). It is exact
for any pinhole view of the relief when the photograph was taken from afar. Rotating a can is qx, looking down on it qy.
Units: X, Y, Z in photograph heights from the photograph's centre, x and y in image pixels.

The depth is that of a surface of revolution with the photograph's silhouette. The pose is fitted to keypoints by
Levenberg-Marquardt with Cauchy weights, under a zero-mean Gaussian prior on perspective and parallax: few or poor
matches would otherwise bend it.
"""

from __future__ import annotations

import cv2
import numpy as np

# One coordinate of points: an array of any shape that broadcasts with the others, or one number.
Coordinate = np.ndarray | float

# Order: a b c d e f g k qx qy qw
PARAMETER_COUNT = 11
HOMOGRAPHY = np.array([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0], bool)
PLANE_PLUS_PARALLAX = np.ones(PARAMETER_COUNT, bool)
# Standard deviations of the prior: of the perspective terms (a product about a tenth of the camera's distance tall or
# deep), and of the parallax vector.
PERSPECTIVE_SIGMA = 0.12
PARALLAX_SIGMA = 0.5
# A silhouette is symmetric when its rows' middles stay within the first share of its width, and tapers when the second
# share of its rows is narrower than the widest by the third.
MAX_ASYMMETRY, MIN_TAPERED_ROWS, MIN_TAPER = 0.03, 0.15, 0.15


def surface_of_revolution_depth(alpha: np.ndarray) -> np.ndarray | None:
    """Depth (h, w) float32, in photograph heights, of the surface of revolution with the silhouette `alpha` (h, w)
    uint8; None without a clear axis.

    A row's body is its longest covered run, so a handle with a gap does not count. The axis is the mode of the rows'
    middles, the radius the distance to the nearer side. Outside the body the depth is 0: a handle lies in the plane of
    the axis.
    """
    height, width = alpha.shape
    column = np.arange(width, dtype=np.int32)
    # Length of the run that ends at each pixel.
    run = column - np.maximum.accumulate(np.where(alpha > 127, np.int32(-1), column), axis=1)
    right = run.argmax(axis=1).astype(np.float32) + 1
    left = right - run.max(axis=1)
    rows = np.flatnonzero(right - left >= 4)
    if len(rows) < 0.5 * height:
        return None
    left, right = left[rows], right[rows]
    middle = (left + right) / 2
    tolerance = max(1.0, 0.01 * width)
    votes = (np.abs(middle[:, None] - middle[None, :]) <= tolerance).sum(axis=1)
    if votes.max() < 0.15 * len(rows):
        return None
    axis = float(np.mean(middle[np.abs(middle - middle[votes.argmax()]) <= tolerance]))
    radius = np.interp(np.arange(height), rows, np.minimum(axis - left, right - axis)).astype(np.float32)
    radius = cv2.GaussianBlur(cv2.medianBlur(radius[:, None], 5), (0, 0), 1.5, borderType=cv2.BORDER_REPLICATE)
    offset = np.arange(width, dtype=np.float32)[None, :] + 0.5 - axis
    result: np.ndarray = np.sqrt(np.maximum(radius**2 - offset**2, 0)) / height
    return result


def is_lathed(alpha: np.ndarray) -> bool:
    """Whether the silhouette `alpha` (h, w) uint8 is symmetric and tapers, as a bottle's and not as a box's."""
    covered = alpha > 127
    rows = np.flatnonzero(covered.any(axis=1))
    left, right = covered[rows].argmax(axis=1), alpha.shape[1] - covered[rows, ::-1].argmax(axis=1)
    width, middle = right - left, (left + right) / 2
    symmetric = np.abs(middle - np.median(middle)) <= max(1.0, MAX_ASYMMETRY * width.max(initial=1))
    tapered = width < (1 - MIN_TAPER) * width.max(initial=1)
    return bool(symmetric.mean() > 0.95 and tapered.mean() > MIN_TAPERED_ROWS)


def reference_grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """X (1, w) and Y (h, 1) float32 of the pixel centres of a photograph of `shape` (h, w)."""
    height, width = shape
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / height
    return x[None, :], y[:, None]


def project(p: np.ndarray, x: Coordinate, y: Coordinate, z: Coordinate) -> tuple[np.ndarray, np.ndarray]:
    """Image coordinates (x, y) of points of the photograph, by the formula above; float32."""
    a, b, c, d, e, f, g, k, qx, qy, qw = (np.float32(value) for value in p)
    w = 1 + g * x + k * y + qw * z
    w = np.maximum(w, np.float32(0.2))
    return (a * x + b * y + c + qx * z) / w, (d * x + e * y + f + qy * z) / w


def jacobian(
    p: np.ndarray, x: Coordinate, y: Coordinate, z: Coordinate, along_x: Coordinate, along_y: Coordinate
) -> np.ndarray:
    """(11, n): derivatives by the parameters, for points (n,), of what changes by `along_x` and `along_y`, (n,) each or
    numbers, with the coordinates that `project` gives."""
    w = 1 / np.maximum(1 + p[6] * x + p[7] * y + p[10] * z, 0.2)
    across, down = along_x * w, along_y * w
    inward = -(p[0] * x + p[1] * y + p[2] + p[8] * z) * w * across
    inward -= (p[3] * x + p[4] * y + p[5] + p[9] * z) * w * down
    rows = np.empty((PARAMETER_COUNT, *w.shape), w.dtype)
    pairs = ((across, x), (across, y), (across, 1), (down, x), (down, y), (down, 1), (inward, x), (inward, y))
    for row, (slope, place) in zip(rows, (*pairs, (across, z), (down, z), (inward, z)), strict=True):
        np.multiply(slope, place, out=row)
    return rows


def prior_precision(p: np.ndarray) -> np.ndarray:
    """Precision (11,) of the zero-mean prior on the perspective and parallax terms, per unit of residual."""
    size = max(1e-3, float(np.hypot(p[0], p[3])))
    precision = np.zeros(PARAMETER_COUNT)
    precision[[6, 7, 10]] = PERSPECTIVE_SIGMA**-2
    precision[[8, 9]] = (PARALLAX_SIGMA * size) ** -2
    return precision


def fit_correspondences(
    p: np.ndarray,
    points: np.ndarray,
    depth: np.ndarray,
    targets: np.ndarray,
    free_parameters: np.ndarray,
    tolerance_px: float,
) -> np.ndarray:
    """`p` (11,) refined so that `points` (n, 2) with `depth` (n,) lie at `targets` (n, 2) px.

    Levenberg-Marquardt with Cauchy weights of scale `tolerance_px`; only `free_parameters` (11,) bool move.
    """
    p = p.astype(np.float64).copy()
    x, y, z = (column.astype(np.float64) for column in (points[:, 0], points[:, 1], depth))
    damping = 1e-3
    prior = prior_precision(p)

    def cost(q: np.ndarray) -> float:
        px, py = project(q, x, y, z)
        error = ((px - targets[:, 0]) ** 2 + (py - targets[:, 1]) ** 2) / tolerance_px**2
        return float(np.log1p(error).sum() + (prior * q**2)[free_parameters].sum())

    best = cost(p)
    for _ in range(30):
        px, py = project(p, x, y, z)
        ex, ey = px - targets[:, 0], py - targets[:, 1]
        weight = 1 / (1 + (ex**2 + ey**2) / tolerance_px**2) / tolerance_px**2
        jx, jy = (jacobian(p, x, y, z, *along)[free_parameters] for along in ((1, 0), (0, 1)))
        hessian = (jx * weight) @ jx.T + (jy * weight) @ jy.T + np.diag(prior[free_parameters])
        gradient = jx @ (ex * weight) + jy @ (ey * weight) + prior[free_parameters] * p[free_parameters]
        hessian[np.diag_indices_from(hessian)] *= 1 + damping
        hessian[np.diag_indices_from(hessian)] += 1e-9
        trial = p.copy()
        trial[free_parameters] -= np.linalg.solve(hessian, gradient)
        new = cost(trial)
        if new < best:
            done = best - new < 1e-4 * best
            p, best, damping = trial, new, max(1e-6, damping / 5)
            if done:
                break
        else:
            damping *= 8
            if damping > 1e4:
                break
    return p
