"""The affine fit between scene and answer: from the nominal layouts or from features, then refined."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import NO_ARRAY
from function.imaging.frame import Size
from function.registration.block_correlation import BLOCK_PX, BlockCorrelation, ImagePyramid, warp_answer
from function.registration.framings import Box, box_matrix, corners, rescaled

# Sides of the pictures that the affine fit is made at. The coarse one swallows drifts of several percent, the
# fine one settles to about a tenth of an answer pixel.
COARSE_SIDE_PX = 160
FINE_SIDE_PX = 480
# Share of the scene's textured area that must be found again. A product and its shadow cover at most about
# half a scene; an unrelated picture finds under a tenth.
REGISTERED_SHARE = 0.4
# From this share on the nominal layouts are good enough and no features are looked for.
CONVINCING_SHARE = 0.6
# A scene with less textured area than this cannot be registered by pattern; its colours decide instead.
PLAIN_SCENE_SHARE = 0.02
PLAIN_SCENE_DIFFERENCE = 24.0
# In a smooth scene, or one of stripes, the refinement is ill-conditioned (aperture problem). It counts as diverged when
# it loses so much of what was found, or moves a corner by this share of the diagonal without finding so much more.
DIVERGED_LOSS, DIVERGED_SHARE = 0.1, 0.04
# Zooms beyond this are no drift but another picture.
MAX_ZOOM = 1.7


def best_affine(scene: np.ndarray, answer: ImagePyramid, boxes: list[Box]) -> tuple[np.ndarray | None, float, bool]:
    """The affine fit for analysis pixels, the share found, whether the scene is plain."""
    size = scene.shape[1], scene.shape[0]
    if min(*size, *answer.picture.shape) < BLOCK_PX:
        return None, 0.0, False
    scale = min(1.0, FINE_SIDE_PX / max(size))
    small_size = max(8, round(size[0] * scale)), max(8, round(size[1] * scale))
    small = cv2.resize(scene, small_size, interpolation=cv2.INTER_AREA)
    pattern = BlockCorrelation(small)
    if pattern.textured.mean() < PLAIN_SCENE_SHARE:
        return _plain_fit(small, answer, boxes[0], size), 0.0, True

    share, fit = _best_framing(small, answer, pattern, boxes)
    if share < CONVINCING_SHARE:
        from_features = _feature_fit(small, answer.picture)
        if from_features is not None:
            found = pattern.found_share(answer, from_features)
            if found > share:
                share, fit = found, from_features
    if fit is not None:
        finer = _refine(small, answer, fit, FINE_SIDE_PX)
        finer_share = pattern.found_share(answer, finer)
        if finer_share >= share and not _diverged(fit, share, finer, finer_share, small_size, boxes):
            share, fit = finer_share, finer
    if fit is None or share < REGISTERED_SHARE or not _plausible(fit, small_size, boxes):
        return None, share, False
    return rescaled(fit, small_size, size), share, False


def _best_framing(
    small: np.ndarray, answer: ImagePyramid, pattern: BlockCorrelation, boxes: list[Box]
) -> tuple[float, np.ndarray | None]:
    """The share found, and the coarse fit: the best of the nominal layouts, or the first that convinces."""
    size = small.shape[1], small.shape[0]
    candidates = [(pattern.found_share(answer, box_matrix(b, size)), b) for b in boxes]
    candidates.sort(key=lambda pair: pair[0], reverse=True)
    best: tuple[float, np.ndarray | None] = (0.0, None)
    for nominal_share, box in candidates:
        nominal = box_matrix(box, size)
        fit = _refine(small, answer, nominal, COARSE_SIDE_PX)
        share = pattern.found_share(answer, fit)
        if _diverged(nominal, nominal_share, fit, share, size, boxes):
            share, fit = nominal_share, nominal
        if share > best[0]:
            best = share, fit
        if best[0] >= CONVINCING_SHARE:
            break
    return best


def _plain_fit(small: np.ndarray, answer: ImagePyramid, box: Box, size: Size) -> np.ndarray | None:
    """A scene without texture (a studio sweep): the expected layout, if the tones agree with it at all."""
    small_size = small.shape[1], small.shape[0]
    seen = warp_answer(answer, box_matrix(box, small_size), small_size)
    difference = float(np.median(cv2.absdiff(small, seen)))
    return box_matrix(box, size) if difference < PLAIN_SCENE_DIFFERENCE else None


def _refine(scene: np.ndarray, answer: ImagePyramid, matrix: np.ndarray, side_px: int) -> np.ndarray:
    """`matrix` refined by maximising the enhanced correlation coefficient; unchanged where that diverges.

    Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient", 2008.
    """
    size = scene.shape[1], scene.shape[0]
    scale = min(1.0, side_px / max(size))
    small_size = max(8, round(size[0] * scale)), max(8, round(size[1] * scale))
    template = cv2.resize(scene, small_size, interpolation=cv2.INTER_AREA)
    start = rescaled(matrix, size, small_size)
    seen = warp_answer(answer, start, small_size)
    residual: np.ndarray = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    try:
        _, residual = cv2.findTransformECC(template, seen, residual, cv2.MOTION_AFFINE, criteria, NO_ARRAY, 5)
    except cv2.error:  # raised where it does not converge, flat pictures among them
        return matrix
    if not np.isfinite(residual).all():
        return matrix
    refined = start @ np.vstack([residual, [0, 0, 1]])
    return rescaled(refined, small_size, size)


def _diverged(
    start: np.ndarray, start_share: float, fit: np.ndarray, share: float, size: Size, boxes: list[Box]
) -> bool:
    """Whether the refinement `fit` of `start` diverged; the shares say how much of the scene each finds."""
    if share < start_share - DIVERGED_LOSS:
        return True
    diagonal = float(np.hypot(*(start[:, :2] @ np.array(size, float))))
    moved = float(np.hypot(*(corners(fit, size) - corners(start, size)).T).max())
    if moved <= DIVERGED_SHARE * diagonal or start_share < REGISTERED_SHARE:
        return False
    return share < start_share + DIVERGED_LOSS or not _plausible(fit, size, boxes)


def _feature_fit(scene: np.ndarray, answer: np.ndarray) -> np.ndarray | None:
    """An affine fit from matched features: finds crops, zooms and layouts that are not listed."""
    sift = cv2.SIFT.create(1500)
    scale = min(1.0, 1.5 * FINE_SIDE_PX / max(answer.shape))
    reduced = cv2.resize(answer, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scale_x, scale_y = reduced.shape[1] / answer.shape[1], reduced.shape[0] / answer.shape[0]
    scene_points, scene_features = sift.detectAndCompute(scene, None)
    answer_points, answer_features = sift.detectAndCompute(reduced, None)
    if scene_features is None or answer_features is None or min(len(scene_points), len(answer_points)) < 12:
        return None
    pairs = cv2.BFMatcher().knnMatch(scene_features, answer_features, k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.8 * p[1].distance]  # Lowe's ratio
    if len(good) < 12:
        return None
    source = np.array([scene_points[m.queryIdx].pt for m in good])
    target = (np.array([answer_points[m.trainIdx].pt for m in good]) + 0.5) / [scale_x, scale_y] - 0.5
    matrix, inliers = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=3 / scale_x)
    if matrix is None or inliers.sum() < 12:
        return None
    return matrix


def _plausible(fit: np.ndarray, size: Size, boxes: list[Box]) -> bool:
    """No mirror, no strong turn or shear, and a zoom inside the limit for some layout."""
    for box in boxes:
        nominal = box_matrix(box, size)
        a = fit[:, :2] @ np.linalg.inv(nominal[:, :2])
        if all(1 / MAX_ZOOM < a[k, k] < MAX_ZOOM for k in (0, 1)) and max(abs(a[0, 1]), abs(a[1, 0])) < 0.2:
            return True
    return False
