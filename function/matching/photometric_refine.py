"""Dense photometric alignment of the photograph with the generated image, and their local correlation.

All happens on the photograph's grid: the generated image is sampled where the pose puts each pixel. Both are normalised
by local mean and contrast, which leaves print and edges and removes light, shadow and colour drift. The pose is refined
by Gauss-Newton as in ECC (Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient
maximization", PAMI 30, 2008, doi:10.1109/TPAMI.2008.113), with the plane-plus-parallax model and local normalisation,
and iteratively reweighted: neighbourhoods whose own flow (Lucas and Kanade, IJCAI 1981) departs from the median's are
outliers, such as reflections and a lid seen from another side. A smooth displacement field follows bodies that no model
fits; narrower neighbourhoods follow the model's wobble and place print worse than the rigid pose does.

In: luma (h, w), (H, W) float32, pose (11,). Out: pose (11,), or maps (h, w) px; `NccMap`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import EVERY_SECOND, blur, weighted_median
from function.imaging.photometry import LocalMoments, local_correlation
from function.matching.plane_parallax import jacobian, prior_precision, project, reference_grid

# Window of the local normalisation (standard deviation, px): wider than a letter, narrower than a highlight.
CONTRAST_SIGMA = 8.0
# Contrast (grey levels) that counts as blank: JPEG and model noise.
MIN_CONTRAST = 4.0
# Both images are smoothed by this (px) while the pose is refined: the model's letters wobble by as much. At most so
# many Gauss-Newton steps.
REFINE_BLUR = 1.2
REFINE_STEPS = 8
# Outliers: a neighbourhood of this size (px) whose own flow exceeds the median one, or this many pixels, is
# down-weighted.
NEIGHBOURHOOD_SIGMA = 6.0
MIN_TOLERANCE_PX = 0.3
# Pixels of less weight are left out of a step.
MIN_WEIGHT = 0.02
# A step that moves no pixel by more than this (px) ends the refinement.
CONVERGED_PX = 0.08
# Differences of the score below this are noise.
FLAT_SCORE = 0.01
# Squared gradient of the normalised image that regularises the flow where nothing is printed.
MIN_GRADIENT_POWER = 2e-3
# Displacement field: window (px), steps, and largest displacement (px). Narrower windows follow the model's wobble and
# place print worse than the rigid pose does.
NONRIGID_SIGMA = 24.0
NONRIGID_STEPS = 5
NONRIGID_LIMIT_PX = 4.0
# A surface element is visible from this share of the typical area on, fully after the ramp.
MIN_FACING, FACING_RAMP = 0.25, 0.2
# Windows (px) of the local correlation, of which the lower counts: a word, and its line.
NCC_SIGMAS = (4.0, 10.0)
# Added to the product of the variances: blank windows correlate with nothing.
REGULARISER = 1e-4


@dataclass(frozen=True)
class NccMap:
    """Correlation of both normalised images on the photograph's grid (h, w).

    correlation  -1..1 over all that is visible
    local        (h, w) float32, the same in a window
    visible      (h, w) float32 0..1
    contrast     (h, w) float32, local contrast of the photograph in grey levels
    """

    correlation: float
    local: np.ndarray
    visible: np.ndarray
    contrast: np.ndarray


def grey(rgb: np.ndarray) -> np.ndarray:
    """(h, w) float32 luma of (h, w, 3) uint8."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def normalise(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`image` (h, w) float32 less its local mean, over its local contrast; and that contrast."""
    centred = image - blur(image, CONTRAST_SIGMA)
    contrast = cv2.sqrt(blur(centred * centred, CONTRAST_SIGMA) + np.float32(MIN_CONTRAST**2))
    return centred / contrast, contrast


def visibility(x: np.ndarray, y: np.ndarray, alpha: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) float32 0..1: how well each pixel of the photograph is seen in an image of `shape`. 0 outside the cut-out
    and the image, and where the surface is turned away or foreshortened to less than a third of the typical area."""
    # Central differences. The outermost pixels, which have none, are not solid.
    (dxu, dxv), (dyu, dyv) = (
        [cv2.Sobel(place, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1))] for place in (x, y)
    )
    area = dxu * dyv - dxv * dyu
    inside = (x > 0) & (y > 0) & (x < shape[1]) & (y < shape[0])
    some = area[EVERY_SECOND][alpha[EVERY_SECOND] > 127]
    typical = float(np.median(some)) if some.size else 1.0
    facing = np.clip((area / max(typical, 1e-6) - MIN_FACING) / FACING_RAMP, 0, 1)
    solid = cv2.erode(alpha, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return (facing * inside * (solid / 255)).astype(np.float32)


def sample(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`image` at positions `x`, `y` (h, w) float32, linear; the first pixel's centre is (0.5, 0.5)."""
    return cv2.remap(
        image,
        x.astype(np.float32, copy=False) - np.float32(0.5),
        y.astype(np.float32, copy=False) - np.float32(0.5),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def refine_pose(
    pose: np.ndarray,
    reference: np.ndarray,
    alpha: np.ndarray,
    depth: np.ndarray,
    generated: np.ndarray,
    free_parameters: np.ndarray,
) -> np.ndarray:
    """`pose` (11,) refined so that `generated` (H, W) float32 correlates with `reference` (h, w) float32, whose cut-out
    is `alpha` and whose relief is `depth` (h, w). Only `free_parameters` (11,) bool move."""
    grid_x, grid_y = np.broadcast_arrays(*reference_grid(reference.shape))
    pose = pose.astype(np.float64).copy()
    target, _ = normalise(cv2.GaussianBlur(reference, (0, 0), REFINE_BLUR))
    smooth = cv2.GaussianBlur(generated, (0, 0), REFINE_BLUR)
    gradient_x, gradient_y = gradients(smooth)
    best, kept = -2.0, pose
    x, y = project(pose, grid_x, grid_y, depth)
    for _ in range(REFINE_STEPS):
        normalised, contrast = normalise(sample(smooth, x, y))
        visible = visibility(x, y, alpha, generated.shape)
        local = local_ncc(normalised, target)
        score = float((visible * local).sum() / max(1e-6, visible.sum()))
        if score > best:
            best, kept = score, pose
        gx, gy = sample(gradient_x, x, y) / contrast, sample(gradient_y, x, y) / contrast
        error = normalised - target
        moved = np.hypot(*local_shift(gx, gy, error, visible, NEIGHBOURHOOD_SIGMA))
        tolerance = max(MIN_TOLERANCE_PX, weighted_median(moved[EVERY_SECOND], (visible * local)[EVERY_SECOND]))
        weight = visible * local / (1 + (moved / tolerance) ** 2)
        use = weight > MIN_WEIGHT
        gx, gy = gx[use], gy[use]
        rows = jacobian(pose.astype(np.float32), grid_x[use], grid_y[use], depth[use], gx, gy)[free_parameters]
        weighted = rows * weight[use]
        hessian = (weighted @ rows.T).astype(np.float64)
        gradient = (weighted @ error[use]).astype(np.float64)
        prior = prior_precision(pose)[free_parameters]
        hessian += np.diag(prior + 1e-9)
        gradient += prior * pose[free_parameters]
        pose = pose.copy()
        pose[free_parameters] -= np.linalg.solve(hessian, gradient)
        (old_x, old_y), (x, y) = (x, y), project(pose, grid_x, grid_y, depth)
        if np.hypot((x - old_x)[use], (y - old_y)[use]).max(initial=0) < CONVERGED_PX:
            break
    # The last pose counts unless an earlier one was clearly better: near the optimum the score is flat.
    return pose if score > best - FLAT_SCORE else kept


def gradients(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of `image` (H, W) float32 along x and y, per pixel."""
    return cv2.Scharr(image, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(image, cv2.CV_32F, 0, 1, scale=1 / 32)


def local_ncc(normalised: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(h, w) float32 0.05..1: local correlation as a weight. What contradicts (a reflection, an invented ornament)
    counts less."""
    product = blur(normalised * target, CONTRAST_SIGMA)
    power = blur(normalised * normalised + target * target, CONTRAST_SIGMA) / 2 + np.float32(0.05)
    return np.clip(product / power, 0.05, 1)


def local_shift(
    gx: np.ndarray, gy: np.ndarray, error: np.ndarray, weight: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Flow (x and y, each (h, w) float32 px) of each neighbourhood that explains `error` there, by Lucas and Kanade's
    estimate from the gradients `gx`, `gy`; 0 where nothing is printed."""

    def gather(image: np.ndarray) -> np.ndarray:
        return blur(image * weight, sigma)

    xx, xy, yy = gather(gx * gx) + MIN_GRADIENT_POWER, gather(gx * gy), gather(gy * gy) + MIN_GRADIENT_POWER
    ex, ey = gather(gx * error), gather(gy * error)
    area = xx * yy - xy * xy
    return (yy * ex - xy * ey) / area, (xx * ey - xy * ex) / area


def weighted_correlation(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> float:
    """Correlation -1..1 of two normalised images under `weight`; 0 when either is blank."""
    power = float((weight * first**2).sum()) * float((weight * second**2).sum())
    return float((weight * first * second).sum() / np.sqrt(power)) if power > 1e-9 else 0.0


def refine_nonrigid(
    x: np.ndarray, y: np.ndarray, reference: np.ndarray, alpha: np.ndarray, generated: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The maps `x`, `y` (h, w) float32 px, bent by a smooth displacement field to where `generated` (H, W) float32
    shows each part of `reference` (h, w) float32: a pouch or a shoe is neither flat nor round."""
    target, _ = normalise(cv2.GaussianBlur(reference, (0, 0), REFINE_BLUR))
    smooth = cv2.GaussianBlur(generated, (0, 0), REFINE_BLUR)
    gradient_x, gradient_y = gradients(smooth)
    start_x, start_y = x, y
    visible = visibility(x, y, alpha, generated.shape)
    for _ in range(NONRIGID_STEPS):
        normalised, contrast = normalise(sample(smooth, x, y))
        gx, gy = sample(gradient_x, x, y) / contrast, sample(gradient_y, x, y) / contrast
        weight = visible * local_ncc(normalised, target)
        dx, dy = local_shift(gx, gy, normalised - target, weight, NONRIGID_SIGMA)
        x = start_x + np.clip(x - dx - start_x, -NONRIGID_LIMIT_PX, NONRIGID_LIMIT_PX)
        y = start_y + np.clip(y - dy - start_y, -NONRIGID_LIMIT_PX, NONRIGID_LIMIT_PX)
    return x, y


def ncc_map(reference: np.ndarray, sampled: np.ndarray, visible: np.ndarray) -> NccMap:
    """Correlation of `sampled` (h, w), the generated image on the photograph's grid, with `reference` (h, w)."""
    target, contrast = normalise(cv2.GaussianBlur(reference, (0, 0), 1.0))
    normalised, _ = normalise(cv2.GaussianBlur(sampled, (0, 0), 1.0))
    local = np.ones_like(target)
    for sigma in NCC_SIGMAS:
        near = lambda image, sigma=sigma: blur(image * visible, sigma)  # noqa: E731
        moments = (LocalMoments.of_centred(image, near) for image in (normalised, target))
        local = np.minimum(local, local_correlation(*moments, added=REGULARISER))
    return NccMap(weighted_correlation(normalised, target, visible), local, visible, contrast)
