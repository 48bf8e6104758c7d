"""Find the product photograph in the answer: where it lies, how well it is verified, how often, which way
round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.matching import features
from function.matching.candidate import Sighting, Sought, find_sightings
from function.matching.confidence import find_trust
from function.matching.inverse_map import invert, outline
from function.matching.photometric_refine import sample
from function.matching.print_detection import MIN_SHARE, print_share_of

# A view that correlates less than this over its whole cut-out is no sighting of the product. True ones of real answers
# reached .49 and more; the grain of a chair and the gloss of a kettle up to .4, with views that were none.
MIN_CORRELATION = 0.42
# The mirror image must have this many times the photograph's agreeing features to be the better view.
MIRROR_MAJORITY = 1.3
# With so many times as many it is, even where lines of lettering laid on one another correlate a little better.
MIRROR_CERTAINTY, MIRROR_SHARE = 2.5, 0.8
# A product with print that is not found is sought once more in the answer enlarged so many times: of a label 40 pixels
# wide that gives three times as many agreeing features.
ENLARGED = 2


@dataclass(frozen=True)
class ProductMatch:
    """How the photograph lies in the answer. Positions in answer pixels, arrays of `box` are (bh, bw)."""

    kind: str  # "plane" or "round" (a body of revolution)
    correlation: float  # 0..1, print of photograph and answer over all of the photograph that is in view
    mirrored: bool  # the photograph only matches mirrored
    instances: int  # how often the product was found
    box: tuple[int, int, int, int]  # (x, y, width, height) of the product in the answer, clipped to it
    coverage: np.ndarray  # (H, W) uint8, the photograph's outline in the answer
    mapping: np.ndarray  # (bh, bw, 2) float32, relative position 0..1 in the photograph of each pixel of box
    weight: np.ndarray  # (bh, bw) uint8, 255 where the photograph is verified


def match_product(sought: Sought | None, answer: np.ndarray, prior: np.ndarray | None = None) -> ProductMatch | None:
    """Find the photograph `sought` in `answer` ((H, W, 3) uint8).

    `prior` (H, W) uint8: where the answer differs from the scene; only there is the product sought. None when
    the product is not found. Never raises on picture content.
    """
    region = search_region(answer.shape[:2], prior)
    if region is None or sought is None:
        return None
    sightings, mirrored = _sought_at(sought, answer, region, 1)
    if not sightings and print_share_of(sought.photograph) >= MIN_SHARE:
        sightings, mirrored = _sought_at(sought, answer, region, ENLARGED)
    return describe(sightings, mirrored, answer.shape[:2]) if sightings else None


def _sought_at(
    sought: Sought, answer: np.ndarray, region: tuple[slice, slice], enlarged: int
) -> tuple[list[Sighting], bool]:
    """Sightings of the photograph in the `region` of `answer`, `enlarged` for its features, and whether mirrored."""
    grey = cv2.cvtColor(np.ascontiguousarray(answer[region]), cv2.COLOR_RGB2GRAY)
    if enlarged > 1:
        grey = cv2.resize(grey, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC)
    seen = features.detect(grey, max_features=enlarged * features.MAX_FEATURES)
    corner = np.array([region[1].start, region[0].start], np.float32)
    seen = replace(seen, points=seen.points / enlarged + corner, sizes=seen.sizes / enlarged)
    sightings = find_sightings(sought, answer, seen, MIN_CORRELATION, 0)
    # Broad shapes on a label are often symmetric, so a mirrored label too agrees with the photograph in part:
    # the side that more print agrees with is right.
    found = sightings[0] if sightings else None
    least = MIRROR_SHARE * found.correlation if found else MIN_CORRELATION
    majority = MIRROR_MAJORITY * found.inliers if found else 0
    others = find_sightings(sought.mirrored(), answer, seen, least, majority)
    mirrored = bool(others) and (
        found is None
        or others[0].correlation > found.correlation
        or others[0].inliers > MIRROR_CERTAINTY * found.inliers
    )
    return (others if mirrored else sightings), mirrored


def search_region(shape: tuple[int, int], prior: np.ndarray | None) -> tuple[slice, slice] | None:
    """Rows and columns of the answer in which to look; None when `prior` is empty."""
    if prior is None:
        return slice(0, shape[0]), slice(0, shape[1])
    rows, columns = np.flatnonzero(prior.max(axis=1) > 24), np.flatnonzero(prior.max(axis=0) > 24)
    if not len(rows):
        return None
    pad = round(0.02 * max(shape))
    return slice(max(0, rows[0] - pad), rows[-1] + pad), slice(max(0, columns[0] - pad), columns[-1] + pad)


def describe(sightings: list[Sighting], mirrored: bool, shape: tuple[int, int]) -> ProductMatch | None:
    """The first of `sightings` on the answer's own grid of `shape` (H, W)."""
    best = sightings[0]
    alpha = best.photograph.alpha
    x, y = best.sheets[0]
    covered = alpha > 127
    low = np.floor([min(s[axis][covered].min() for s in best.sheets) for axis in (0, 1)]) - 3
    high = np.ceil([max(s[axis][covered].max() for s in best.sheets) for axis in (0, 1)]) + 3
    low, high = np.maximum(low, 0).astype(int), np.minimum(high, [shape[1], shape[0]]).astype(int)
    if (high - low < 4).any():
        return None
    box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    u, v, placed = invert(x, y, box)
    trust = find_trust(best.agreement)
    weight = sample(trust.astype(np.float32), u, v) * placed
    coverage = np.zeros(shape, np.uint8)
    coverage[low[1] : high[1], low[0] : high[0]] = outline(best.sheets, alpha, box)
    relative_u = u * best.photograph.step[0] + best.photograph.origin[0]
    relative_v = v * best.photograph.step[1] + best.photograph.origin[1]
    if mirrored:
        relative_u = 1 - relative_u
    return ProductMatch(
        kind=best.kind,
        correlation=max(0.0, best.correlation),
        mirrored=mirrored,
        instances=len(sightings),
        box=box,
        coverage=coverage,
        mapping=np.dstack([relative_u, relative_v]).astype(np.float32),
        weight=np.clip(weight * 255 + 0.5, 0, 255).astype(np.uint8),
    )
