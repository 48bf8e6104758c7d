"""Dense alignment of the photograph with the answer, and how well they agree, place by place.

Everything happens on the photograph's own grid: the answer is sampled where the view says each photograph
pixel lies, so a right view makes the two pictures lie on top of each other. Both are compared after taking
out local brightness and contrast, which leaves print and edges and removes light, shadow and colour drift.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import EVERY_SECOND, blur, weighted_median
from function.imaging.photometry import LocalMoments, local_correlation
from function.matching.relief_model import derivatives, photograph_grid, prior_precision, project

# Local brightness and contrast are taken over this radius (px): wider than a letter, narrower than a
# highlight.
CONTRAST_SIGMA = 8.0
# Contrast (grey levels) below which a place counts as blank: JPEG and model noise.
BLANK_CONTRAST = 4.0
# Both pictures are blurred by this radius (px) while the view is refined: the model's letters wobble by as
# much.
REFINE_BLUR = 1.2
REFINE_STEPS = 8
# While refining, a neighbourhood of this radius (px) that would have to move further than the median one, or
# than this many pixels, counts less: reflections and a lid seen from another side must not pull at the print.
NEIGHBOURHOOD_SIGMA = 6.0
MIN_TOLERANCE_PX = 0.3
# A step that moves nothing by more than this (px) ends the refinement.
SETTLED_PX = 0.08
# Differences of the refinement's score below this are noise.
FLAT_SCORE = 0.01
# Squared slope of the normalised picture that steadies the estimate where nothing is printed.
MIN_SLOPE = 2e-3
# A body that is neither flat nor round is followed by neighbourhoods of this radius (px), no further than this
# (px). Narrower ones follow the model's wobble and place print worse than the stiff view does.
FOLLOW_SIGMA = 24.0
FOLLOW_STEPS = 5
FOLLOW_LIMIT_PX = 4.0
# Radii (px) over which print must agree: a word, and its line.
AGREEMENT_SIGMAS = (4.0, 10.0)
# Added to the product of the two powers, so that blank places agree with nothing.
BLANK_POWER = 1e-4


@dataclass(frozen=True)
class Agreement:
    """`correlation` -1..1 over all that is visible; `local` (h, w) float32, the same in a neighbourhood;
    `visible` (h, w) float32 0..1; `contrast` (h, w) float32, the print's local contrast in grey levels."""

    correlation: float
    local: np.ndarray
    visible: np.ndarray
    contrast: np.ndarray


def grey(rgb: np.ndarray) -> np.ndarray:
    """(h, w) float32 luma of (h, w, 3) uint8."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def normalise(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`picture` (h, w) float32 without local brightness and contrast, and the contrast taken out."""
    centred = picture - blur(picture, CONTRAST_SIGMA)
    contrast = cv2.sqrt(blur(centred * centred, CONTRAST_SIGMA) + np.float32(BLANK_CONTRAST**2))
    return centred / contrast, contrast


def visible_share(x: np.ndarray, y: np.ndarray, alpha: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How well each photograph pixel is seen in the answer (h, w) float32: 0 outside the cut-out, outside the
    picture, turned away or squashed to less than a third of what the middle shows."""
    # Central differences; the outermost pixels, where they are none, are not solid.
    (dxu, dxv), (dyu, dyv) = (
        [cv2.Sobel(place, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1))] for place in (x, y)
    )
    area = dxu * dyv - dxv * dyu
    inside = (x > 0) & (y > 0) & (x < shape[1]) & (y < shape[0])
    some = area[EVERY_SECOND][alpha[EVERY_SECOND] > 127]
    typical = float(np.median(some)) if some.size else 1.0
    seen = np.clip((area / max(typical, 1e-6) - 0.25) / 0.2, 0, 1)
    solid = cv2.erode(alpha, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return (seen * inside * (solid / 255)).astype(np.float32)


def sample(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`picture` at positions `x`, `y` (h, w) float32, linear; the first pixel's centre is (0.5, 0.5)."""
    return cv2.remap(
        picture,
        x.astype(np.float32) - np.float32(0.5),
        y.astype(np.float32) - np.float32(0.5),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def refine_view(
    p: np.ndarray,
    photograph: np.ndarray,
    alpha: np.ndarray,
    depth: np.ndarray,
    answer: np.ndarray,
    free: np.ndarray,
) -> np.ndarray:
    """Refine the view `p` (11,) so that `answer` (H, W) float32 agrees with `photograph` (h, w) float32.

    Gauss-Newton on the locally normalised difference, as in ECC (Evangelidis and Psarakis, 2008) but with the
    relief model and local instead of global normalisation.
    """
    grid_x, grid_y = np.broadcast_arrays(*photograph_grid(photograph.shape))
    p = p.astype(np.float64).copy()
    target, _ = normalise(cv2.GaussianBlur(photograph, (0, 0), REFINE_BLUR))
    smooth = cv2.GaussianBlur(answer, (0, 0), REFINE_BLUR)
    slope_x, slope_y = slopes(smooth)
    best, kept = -2.0, p
    for _ in range(REFINE_STEPS):
        x, y = project(p, grid_x, grid_y, depth)
        seen, contrast = normalise(sample(smooth, x, y))
        visible = visible_share(x, y, alpha, answer.shape)
        local = local_agreement(seen, target)
        score = float((visible * local).sum() / max(1e-6, visible.sum()))
        if score > best:
            best, kept = score, p
        gx, gy = sample(slope_x, x, y) / contrast, sample(slope_y, x, y) / contrast
        error = seen - target
        moved = np.hypot(*local_shift(gx, gy, error, visible, NEIGHBOURHOOD_SIGMA))
        tolerance = max(MIN_TOLERANCE_PX, weighted_median(moved[EVERY_SECOND], (visible * local)[EVERY_SECOND]))
        weight = visible * local / (1 + (moved / tolerance) ** 2)
        use = weight > 0.02
        gx, gy = gx[use], gy[use]
        jacobian = derivatives(p.astype(np.float32), grid_x[use], grid_y[use], depth[use], gx, gy)[free]
        weighted = jacobian * weight[use]
        hessian = (weighted @ jacobian.T).astype(np.float64)
        gradient = (weighted @ error[use]).astype(np.float64)
        prior = prior_precision(p)[free]
        hessian += np.diag(prior + 1e-9)
        gradient += prior * p[free]
        p = p.copy()
        p[free] -= np.linalg.solve(hessian, gradient)
        step_px = np.hypot(
            *(now - before for now, before in zip(project(p, grid_x, grid_y, depth), (x, y), strict=True))
        )
        if step_px[use].max(initial=0) < SETTLED_PX:
            break
    # The last step is kept unless the way there was clearly better: near the optimum the score is flat.
    return p if score > best - FLAT_SCORE else kept


def slopes(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Change of `picture` (H, W) float32 per pixel along x and y, float32."""
    return cv2.Scharr(picture, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(picture, cv2.CV_32F, 0, 1, scale=1 / 32)


def local_agreement(seen: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(h, w) float32 0.05..1: places that contradict (a reflection, an invented ornament) pull less."""
    product = blur(seen * target, CONTRAST_SIGMA)
    power = blur(seen * seen + target * target, CONTRAST_SIGMA) / 2 + np.float32(0.05)
    return np.clip(product / power, 0.05, 1)


def local_shift(
    gx: np.ndarray, gy: np.ndarray, error: np.ndarray, weight: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """How far off (x and y, each (h, w) float32 px) the answer lies in each neighbourhood, to explain `error` there.

    Lucas and Kanade's estimate from the slopes `gx`, `gy` along the answer's axes; 0 where nothing is
    printed.
    """

    def gather(picture: np.ndarray) -> np.ndarray:
        return blur(picture * weight, sigma)

    xx, xy, yy = gather(gx * gx) + MIN_SLOPE, gather(gx * gy), gather(gy * gy) + MIN_SLOPE
    ex, ey = gather(gx * error), gather(gy * error)
    area = xx * yy - xy * xy
    return (yy * ex - xy * ey) / area, (xx * ey - xy * ex) / area


def weighted_correlation(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> float:
    """Correlation -1..1 of two locally normalised pictures under `weight`; 0 when either is blank."""
    power = float((weight * first**2).sum()) * float((weight * second**2).sum())
    return float((weight * first * second).sum() / np.sqrt(power)) if power > 1e-9 else 0.0


def follow_print(
    x: np.ndarray, y: np.ndarray, photograph: np.ndarray, alpha: np.ndarray, answer: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The places `x`, `y` (h, w) float32 px, bent smoothly to where `answer` (H, W) float32 shows each part of
    `photograph` (h, w) float32: a pouch or a shoe is neither flat nor round.
    """
    target, _ = normalise(cv2.GaussianBlur(photograph, (0, 0), REFINE_BLUR))
    smooth = cv2.GaussianBlur(answer, (0, 0), REFINE_BLUR)
    slope_x, slope_y = slopes(smooth)
    start_x, start_y = x, y
    visible = visible_share(x, y, alpha, answer.shape)
    for _ in range(FOLLOW_STEPS):
        seen, contrast = normalise(sample(smooth, x, y))
        gx, gy = sample(slope_x, x, y) / contrast, sample(slope_y, x, y) / contrast
        weight = visible * local_agreement(seen, target)
        dx, dy = local_shift(gx, gy, seen - target, weight, FOLLOW_SIGMA)
        x = start_x + np.clip(x - dx - start_x, -FOLLOW_LIMIT_PX, FOLLOW_LIMIT_PX)
        y = start_y + np.clip(y - dy - start_y, -FOLLOW_LIMIT_PX, FOLLOW_LIMIT_PX)
    return x, y


def agreement(photograph: np.ndarray, sampled: np.ndarray, visible: np.ndarray) -> Agreement:
    """How well `sampled` (h, w), the answer on the photograph's grid, shows what `photograph` shows."""
    target, contrast = normalise(cv2.GaussianBlur(photograph, (0, 0), 1.0))
    seen, _ = normalise(cv2.GaussianBlur(sampled, (0, 0), 1.0))
    local = np.ones_like(target)
    for sigma in AGREEMENT_SIGMAS:
        near = lambda picture, sigma=sigma: blur(picture * visible, sigma)  # noqa: E731
        moments = (LocalMoments.of_centred(picture, near) for picture in (seen, target))
        local = np.minimum(local, local_correlation(*moments, added=BLANK_POWER))
    return Agreement(weighted_correlation(seen, target, visible), local, visible, contrast)
