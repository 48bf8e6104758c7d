"""Where the photograph may be in the generated image: its pose, and how well print correlates with print there.

Keypoints give an affine start (`features.py`). From it two surface models are fitted, a plane (homography) and a body
of revolution (plane plus parallax, `plane_parallax.py`): first to the matched keypoints, robustly, then photometrically
on the pixels, at a coarse pyramid level. Model selection takes the body of revolution, which has three more parameters,
only for a gain in correlation; a lathed silhouette is prior evidence for it. The selected pose is refined at a fine
level, and bent by a smooth displacement field where that explains much more, for pouches and shoes.

In: a `ReferenceTemplate`, the generated image (H, W, 3) uint8 and its keypoints. Out: up to two `MatchCandidate`, maps
of the photograph's pixels to places (x, y) in pixels. A body that is neither flat nor round follows the model's wobble
when it is bent freely: the wobble alone gives up to .08 of correlation. `python -m tests.bench.fidelity` measures it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from function.matching import features, plane_parallax
from function.matching.photometric_refine import NccMap, refine_nonrigid, sample
from function.matching.pyramid_level import MIN_SIDE_PX, PyramidLevel
from function.matching.reference_image import ReferenceImage
from function.matching.reference_template import ReferenceTemplate

# Size (px, the square root of width times height) of the photograph's grid while its model is selected, and while it
# is aligned finally. A product that spans more is aligned on a downscaled image.
COARSE_GRID_PX, FINE_GRID_PX = 128, 320
# Scale of the robust loss over keypoints (px), first and then.
FEATURE_TOLERANCES_PX = (4.0, 2.0)
# Model selection: the gain in correlation that a body of revolution has to bring. A silhouette that tapers evenly, as a
# bottle's, is evidence of its own: the gain asked for is negative.
PARALLAX_GAIN = {"straight": 0.02, "lathed": -0.03}
# A displacement field must bring this gain in correlation: the model's wobble alone gives up to .08, and following it
# would put print where it does not belong.
NONRIGID_GAIN = 0.10
# A pose that correlates less is not bent: chance agreement would be bent into a match.
MIN_NONRIGID_CORRELATION = 0.4
# A second candidate counts from this share of the first one's correlation on.
MIN_SECOND_SHARE = 0.6
# Margin around the expected box of the product in which it is aligned, as a share of its size.
MARGIN = 0.15
# Every so many points of the first candidate's map make its hull.
HULL_STRIDE = 7


@dataclass(frozen=True)
class MatchCandidate:
    """One pose of the photograph in the generated image.

    kind          "plane" or "round"
    inliers       keypoints that agree with it
    reference     the photograph at the size of the maps
    surface_maps  x, y (h, w) float32 px of each of its pixels on the front, then on the back of a round body
    correlation   -1..1 of the print, under the displacement field where that is better
    ncc           correlation at the maps' own places
    """

    kind: str
    inliers: int
    reference: ReferenceImage
    surface_maps: list[tuple[np.ndarray, np.ndarray]]
    correlation: float
    ncc: NccMap


def find_candidates(
    template: ReferenceTemplate,
    generated: np.ndarray,
    keypoints: features.Features,
    min_correlation: float,
    min_inliers: float,
) -> list[MatchCandidate]:
    """Up to two candidates, the better one first.

    The first must correlate more than `min_correlation`, and have more than `min_inliers` agreeing keypoints.
    """
    reference = template.features
    first, second = features.match_ratio_test(reference, keypoints)
    candidates: list[MatchCandidate] = []
    while len(candidates) < 2:
        estimate = features.estimate_affine(reference, keypoints, (first, second), template.height)
        if estimate is None:
            break
        affine, inliers = estimate
        if not candidates and inliers.sum() <= min_inliers:
            break
        points, targets = reference.points[first[inliers]], keypoints.points[second[inliers]]
        candidate = fit_pose(template, affine, points, targets, generated)
        if candidates:
            min_correlation = MIN_SECOND_SHARE * candidates[0].correlation
        if candidate is None or candidate.correlation <= min_correlation:
            break
        candidates.append(candidate)
        # What the first candidate covers cannot be the second.
        covered = [axis.ravel()[::HULL_STRIDE] for axis in candidate.surface_maps[0]]
        hull = cv2.convexHull(np.stack(covered, axis=1).astype(np.float32))
        outside = np.array(
            [cv2.pointPolygonTest(hull, tuple(map(float, point)), False) < 0 for point in keypoints.points[second]],
            bool,
        )
        first, second = first[outside], second[outside]
    return candidates


def fit_pose(
    template: ReferenceTemplate, affine: np.ndarray, points: np.ndarray, targets: np.ndarray, generated: np.ndarray
) -> MatchCandidate | None:
    """The better of both models, fitted from an `affine` (2, 3) of the template's keypoint image.

    `points` (n, 2) of that image were matched with `targets` (n, 2) of the generated one. None where too little of the
    product lies in it.
    """
    rows = template.height
    columns = template.reference.alpha.shape[1] * rows / template.reference.alpha.shape[0]
    size = float(np.sqrt(np.linalg.det(affine[:, :2]))) * max(rows, columns)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]) @ affine[:, :2].T + affine[:, 2]
    low = np.maximum(np.floor(corners.min(axis=0) - MARGIN * size), 0).astype(int)
    high = np.ceil(corners.max(axis=0) + MARGIN * size).astype(int)
    crop = np.ascontiguousarray(generated[low[1] : high[1], low[0] : high[0]])
    if min(crop.shape[:2]) < MIN_SIDE_PX:
        return None
    start = np.zeros(plane_parallax.PARAMETER_COUNT)
    start[:6] = (affine @ np.array([[rows, 0, columns / 2], [0, rows, rows / 2], [0, 0, 1]])).ravel()
    start[[2, 5]] -= low
    mean_size = size * float(np.sqrt(min(rows, columns) / max(rows, columns)))
    coarse, fine = (
        PyramidLevel.of(template.reference, crop, size, min(1.0, grid_px / mean_size))
        for grid_px in (COARSE_GRID_PX, FINE_GRID_PX)
    )
    if coarse is None or fine is None:
        return None
    kind, pose = _select_model(coarse, start, points, targets - low, (columns, rows))
    x, y, correlation, ncc, back = _refine(fine, kind, pose)
    surface_maps = [
        (x / fine.scale + np.float32(low[0]), y / fine.scale + np.float32(low[1])) for x, y in [(x, y), *back]
    ]
    return MatchCandidate(kind, len(points), fine.reference, surface_maps, correlation, ncc)


def pose_models(alpha: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The models of a product with the silhouette `alpha` (h, w) uint8, as (kind, free parameters, depth (h, w))."""
    yield "plane", plane_parallax.HOMOGRAPHY, np.zeros(alpha.shape, np.float32)
    depth = plane_parallax.surface_of_revolution_depth(alpha)
    if depth is not None:
        yield "round", plane_parallax.PLANE_PLUS_PARALLAX, depth


def _select_model(
    level: PyramidLevel, start: np.ndarray, points: np.ndarray, targets: np.ndarray, size: tuple[float, float]
) -> tuple[str, np.ndarray]:
    """Kind and pose (11,) of the model that explains the image at `level` best. `points` (n, 2) of a keypoint image of
    `size` (width, height) lie at `targets` (n, 2)."""
    columns, rows = size
    centred = (points - [columns / 2, rows / 2]) / rows
    gain = PARALLAX_GAIN["lathed" if plane_parallax.is_lathed(level.reference.alpha) else "straight"]
    best: tuple[float, str, np.ndarray] | None = None
    for kind, free_parameters, depth in pose_models(level.reference.alpha):
        at = points * np.float32(depth.shape[0] / rows)
        depths = sample(depth, at[:, :1], at[:, 1:]).ravel()
        pose = start
        for tolerance in FEATURE_TOLERANCES_PX:
            pose = plane_parallax.fit_correspondences(pose, centred, depths, targets, free_parameters, tolerance)
        pose = level.refine(pose, free_parameters, depth)
        ncc = level.compare(*level.surface_map(pose, depth))
        if best is None or ncc.correlation > best[0] + gain:
            best = ncc.correlation, kind, pose
    assert best is not None  # there always is a plane
    return best[1], best[2]


def _refine(
    level: PyramidLevel, kind: str, pose: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float, NccMap, list[tuple[np.ndarray, np.ndarray]]]:
    """x and y (h, w) of the front, the correlation, its map, and x and y of the back if there is one, at `level`."""
    free_parameters, depth = next(
        (free_parameters, depth) for name, free_parameters, depth in pose_models(level.reference.alpha) if name == kind
    )
    pose = level.refine(pose, free_parameters, depth)
    x, y = level.surface_map(pose, depth)
    ncc = level.compare(x, y)
    correlation = ncc.correlation
    if ncc.correlation > MIN_NONRIGID_CORRELATION:
        bent = refine_nonrigid(x, y, level.luma, level.reference.alpha, level.generated)
        bent_ncc = level.compare(*bent)
        correlation = max(ncc.correlation, bent_ncc.correlation)
        if bent_ncc.correlation > ncc.correlation + NONRIGID_GAIN:
            (x, y), ncc = bent, bent_ncc
    return x, y, correlation, ncc, [level.surface_map(pose, -depth)] if kind == "round" else []
