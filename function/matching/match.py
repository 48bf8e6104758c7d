"""Finds the product's photograph in the generated image: where, how well verified, how often, and which way round.

Keypoints propose poses, photometric alignment refines and scores them (`candidate.py`); the mirror image of the
photograph competes with it. A product with print that is not found is searched again: wherever the image changed, and
in the enlarged image, which of a label of 40 pixels' width gives three times as many agreeing keypoints. What they do
not find is looked for at the silhouette (`match_at_box.py`).

In: a `ReferenceTemplate`, the generated image (H, W, 3) uint8, a prior mask (H, W) uint8. Out: a `ProductMatch` on the
image's grid, or None. It never raises on image content. True matches of real images reached .49 of correlation and
more; the grain of a chair and the gloss of a kettle up to .4, under poses that were none. `python -m
tests.bench.fidelity`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.matching import features
from function.matching.candidate import MatchCandidate, find_candidates
from function.matching.inverse_map import invert_map, rasterise_coverage
from function.matching.photometric_refine import sample
from function.matching.reference_template import ReferenceTemplate
from function.matching.verification import verification_mask

# Least correlation over the whole cut-out. True matches of real images reached .49 and more; the grain of a chair and
# the gloss of a kettle up to .4.
MIN_CORRELATION = 0.42
# The mirror image must have this many times the photograph's inliers to be the better match.
MIN_MIRROR_INLIER_RATIO = 1.3
# From the first ratio of inliers on it wins with the second ratio of the correlation: lines of lettering laid on one
# another correlate too.
SURE_MIRROR_INLIER_RATIO, MIN_MIRROR_CORRELATION_RATIO = 2.5, 0.8
# A product with print that is not found is searched again in the image enlarged by this factor.
UPSCALE = 2
# The search region is where the prior (0..255) exceeds this, with a margin as a share of the image's longer side.
MIN_PRIOR, PRIOR_MARGIN = 24, 0.02


@dataclass(frozen=True)
class ProductMatch:
    """How the photograph lies in the generated image (H, W), all in its pixels.

    kind         "plane", "round" (a body of revolution), or "laid" where it was composited
    correlation  0..1 of the print, over all of the photograph that is visible
    mirrored     the photograph only matches mirrored
    instances    how often the product was found
    box          (x, y, width, height) of the product, clipped to the image
    coverage     (H, W) uint8, the photograph's silhouette in the image
    mapping      (bh, bw, 2) float32, for each pixel of `box` its place in the photograph in shares 0..1
    weight       (bh, bw) uint8, 255 where the photograph is verified
    detail       whether the photograph's detail belongs there: texture that agrees is the model's own
    """

    kind: str
    correlation: float
    mirrored: bool
    instances: int
    box: tuple[int, int, int, int]
    coverage: np.ndarray
    mapping: np.ndarray
    weight: np.ndarray
    detail: bool = True


def match_product(
    template: ReferenceTemplate | None,
    generated: np.ndarray,
    prior: np.ndarray | None = None,
    changed: np.ndarray | None = None,
) -> ProductMatch | None:
    """Find the product of `template` in `generated` (H, W, 3) uint8; None when it is not found.

    `prior` (H, W) uint8: what is surely no light on the scene; only there the product is searched, and where it bears
    print and is not found, wherever the image `changed` (H, W) uint8. Never raises on image content.
    """
    region = search_region(generated.shape[:2], prior)
    if region is None or template is None:
        return None
    candidates, mirrored = _find_at_scale(template, generated, region, 1)
    if not candidates and template.bears_print:
        # A pale product before a pale ground may be light but for a corner of it.
        wider = None if changed is None else search_region(generated.shape[:2], changed)
        if wider is not None and wider != region:
            candidates, mirrored = _find_at_scale(template, generated, wider, 1)
        if not candidates:
            candidates, mirrored = _find_at_scale(template, generated, region, UPSCALE)
    return build_match(candidates, mirrored, generated.shape[:2]) if candidates else None


def _find_at_scale(
    template: ReferenceTemplate, generated: np.ndarray, region: tuple[slice, slice], upscale: int
) -> tuple[list[MatchCandidate], bool]:
    """Candidates in the `region` of `generated`, whose keypoints are detected at `upscale`, and whether mirrored."""
    grey = cv2.cvtColor(np.ascontiguousarray(generated[region]), cv2.COLOR_RGB2GRAY)
    if upscale > 1:
        grey = cv2.resize(grey, None, fx=upscale, fy=upscale, interpolation=cv2.INTER_CUBIC)
    keypoints = features.detect(grey, max_features=upscale * features.MAX_FEATURES)
    corner = np.array([region[1].start, region[0].start], np.float32)
    keypoints = replace(keypoints, points=keypoints.points / upscale + corner, sizes=keypoints.sizes / upscale)
    candidates = find_candidates(template, generated, keypoints, MIN_CORRELATION, 0)
    # Broad shapes on a label are often symmetric: a mirrored label matches in part too.
    found = candidates[0] if candidates else None
    min_correlation = MIN_MIRROR_CORRELATION_RATIO * found.correlation if found else MIN_CORRELATION
    min_inliers = MIN_MIRROR_INLIER_RATIO * found.inliers if found else 0
    others = find_candidates(template.mirrored(), generated, keypoints, min_correlation, min_inliers)
    mirrored = bool(others) and (
        found is None
        or others[0].correlation > found.correlation
        or others[0].inliers > SURE_MIRROR_INLIER_RATIO * found.inliers
    )
    return (others if mirrored else candidates), mirrored


def search_region(shape: tuple[int, int], prior: np.ndarray | None) -> tuple[slice, slice] | None:
    """Rows and columns in which to search; None when `prior` is empty."""
    if prior is None:
        return slice(0, shape[0]), slice(0, shape[1])
    rows, columns = np.flatnonzero(prior.max(axis=1) > MIN_PRIOR), np.flatnonzero(prior.max(axis=0) > MIN_PRIOR)
    if not len(rows):
        return None
    pad = round(PRIOR_MARGIN * max(shape))
    return slice(max(0, rows[0] - pad), rows[-1] + pad), slice(max(0, columns[0] - pad), columns[-1] + pad)


def build_match(candidates: list[MatchCandidate], mirrored: bool, shape: tuple[int, int]) -> ProductMatch | None:
    """The first of `candidates` on the image's own grid of `shape` (H, W)."""
    best = candidates[0]
    alpha = best.reference.alpha
    x, y = best.surface_maps[0]
    covered = alpha > 127
    low = np.floor([min(s[axis][covered].min() for s in best.surface_maps) for axis in (0, 1)]) - 3
    high = np.ceil([max(s[axis][covered].max() for s in best.surface_maps) for axis in (0, 1)]) + 3
    low, high = np.maximum(low, 0).astype(int), np.minimum(high, [shape[1], shape[0]]).astype(int)
    if (high - low < 4).any():
        return None
    box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    u, v, converged = invert_map(x, y, box)
    verified = verification_mask(best.ncc)
    weight = sample(verified.astype(np.float32), u, v) * converged
    coverage = np.zeros(shape, np.uint8)
    coverage[low[1] : high[1], low[0] : high[0]] = rasterise_coverage(best.surface_maps, alpha, box)
    relative_u = u * best.reference.step[0] + best.reference.origin[0]
    relative_v = v * best.reference.step[1] + best.reference.origin[1]
    if mirrored:
        relative_u = 1 - relative_u
    return ProductMatch(
        kind=best.kind,
        correlation=max(0.0, best.correlation),
        mirrored=mirrored,
        instances=len(candidates),
        box=box,
        coverage=coverage,
        mapping=np.dstack([relative_u, relative_v]).astype(np.float32),
        weight=np.clip(weight * 255 + 0.5, 0, 255).astype(np.uint8),
    )
