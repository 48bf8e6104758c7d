"""Find the product photograph in the answer: where it lies, how well it is verified, how often, which way
round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.fidelity import features, projection
from function.fidelity.alignment import (
    Agreement,
    agreement,
    grey,
    refine_view,
    residual_flow,
    sample,
    visible_share,
)
from function.fidelity.inversion import invert, outline
from function.fidelity.photograph import Photograph, prepare_photograph
from function.fidelity.trust import find_trust

# Longest side (px) of the photograph when features are sought: several times what the product spans in an
# answer.
FEATURE_PX = 640
# Longest side (px) of the photograph's grid during alignment; a larger product is aligned on a coarser grid.
GRID_MAX_PX = 640
# A round body must explain the answer better than a flat one by this much correlation to be believed.
RELIEF_GAIN = 0.01
# A view that correlates less than this over its whole cut-out is no sighting of the product.
MIN_CORRELATION = 0.25
# Above this the photograph surely matches as it is, and its mirror image is not tried.
SURE_CORRELATION = 0.7
# Correlation by which the mirror image must beat the photograph before the product counts as mirrored.
MIRROR_GAIN = 0.1
# A second sighting counts with this share of the first one's correlation.
SECOND_SHARE = 0.6
# Margin (share of its size) around the expected place of the product that alignment looks at.
MARGIN = 0.15


@dataclass(frozen=True)
class ProductMatch:
    """How the photograph lies in the answer. Positions in answer pixels, arrays of `box` are (bh, bw)."""

    kind: str  # "plane", "round" (a body of revolution), each with features; "dense" without
    inliers: int  # feature pairs that agree with the view
    correlation: float  # 0..1, print of photograph and answer over all of the photograph that is in view
    verified_correlation: float  # the same where the geometry is verified
    verified_share: float  # 0..1, share of the photograph's print that is verified
    mirrored: bool  # the photograph only matches mirrored
    instances: int  # how often the product was found
    scale: float  # answer pixels per photograph height, i.e. the height of the whole photograph's product
    box: tuple[int, int, int, int]  # (x, y, width, height) of the product in the answer, clipped to it
    coverage: np.ndarray  # (H, W) uint8, the photograph's outline in the answer
    mapping: np.ndarray  # (bh, bw, 2) float32, relative position 0..1 in the photograph of each pixel of box
    weight: np.ndarray  # (bh, bw) uint8, 255 where the photograph is verified


@dataclass(frozen=True)
class Sighting:
    """One view of the photograph: where each of its pixels lies in the answer, and how well that agrees."""

    kind: str
    inliers: int
    photograph: Photograph
    x: np.ndarray
    y: np.ndarray
    back: tuple[np.ndarray, np.ndarray] | None
    agreement: Agreement


def match_product(product: np.ndarray, answer: np.ndarray, prior: np.ndarray | None = None) -> ProductMatch | None:
    """Find `product` ((h, w, 3 or 4) uint8, with or without cut-out) in `answer` ((H, W, 3) uint8).

    `prior` (H, W) uint8: where the answer differs from the scene; only there is the product sought. None when
    the product is not found. Never raises on picture content.
    """
    region = search_region(answer.shape[:2], prior)
    if region is None or min(product.shape[:2]) < 16:
        return None
    mirror = product[:, ::-1]
    seen = features.detect(cv2.cvtColor(np.ascontiguousarray(answer[region]), cv2.COLOR_RGB2GRAY))
    seen = replace(seen, points=seen.points + np.float32([region[1].start, region[0].start]))
    sightings = find_sightings(product, answer, seen)
    mirrored = False
    if not sightings or sightings[0].agreement.correlation < SURE_CORRELATION:
        others = find_sightings(mirror, answer, seen)
        known = sightings[0].agreement.correlation if sightings else MIN_CORRELATION
        if others and others[0].agreement.correlation > known + MIRROR_GAIN:
            sightings, mirrored = others, True
    if not sightings:
        return None
    return describe(sightings, mirrored, answer.shape[:2])


def search_region(shape: tuple[int, int], prior: np.ndarray | None) -> tuple[slice, slice] | None:
    """Rows and columns of the answer in which to look; None when `prior` is empty."""
    if prior is None:
        return slice(0, shape[0]), slice(0, shape[1])
    rows, columns = np.flatnonzero(prior.max(axis=1) > 24), np.flatnonzero(prior.max(axis=0) > 24)
    if not len(rows):
        return None
    pad = round(0.02 * max(shape))
    return slice(max(0, rows[0] - pad), rows[-1] + pad), slice(max(0, columns[0] - pad), columns[-1] + pad)


def find_sightings(product: np.ndarray, answer: np.ndarray, seen: features.Features) -> list[Sighting]:
    """The product in the answer, at most twice, the better view first."""
    photograph = prepare_photograph(product, FEATURE_PX)
    if photograph is None:
        return []
    mask = (photograph.alpha > 127).astype(np.uint8) * 255
    known = features.detect(cv2.cvtColor(photograph.rgb, cv2.COLOR_RGB2GRAY), mask)
    first, second = features.pair_up(known, seen)
    sightings: list[Sighting] = []
    while len(sightings) < 2:
        view = features.first_view(known, seen, (first, second), photograph.alpha.shape[0])
        if view is None:
            break
        affine, chosen = view
        points, targets = known.points[first[chosen]], seen.points[second[chosen]]
        sighting = align(product, photograph, affine, points, targets, answer)
        least = SECOND_SHARE * sightings[0].agreement.correlation if sightings else MIN_CORRELATION
        if sighting is None or sighting.agreement.correlation < least:
            break
        sightings.append(sighting)
        # What the first sighting covers cannot be the second.
        hull = cv2.convexHull(np.c_[sighting.x.ravel()[::7], sighting.y.ravel()[::7]].astype(np.float32))
        free = np.array(
            [cv2.pointPolygonTest(hull, tuple(map(float, p)), False) < 0 for p in seen.points[second]], bool
        )
        first, second = first[free], second[free]
    return sightings


def align(product, photograph, affine, points, targets, answer) -> Sighting | None:
    """The best of a flat and a round view that starts from an `affine` (2, 3) one; see `Sighting`."""
    rows, columns = photograph.alpha.shape
    size = float(np.sqrt(np.linalg.det(affine[:, :2]))) * max(rows, columns)
    grid = prepare_photograph(product, int(np.clip(round(size), 32, GRID_MAX_PX)))
    if grid is None or min(grid.alpha.shape) < 16:
        return None
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]) @ affine[:, :2].T + affine[:, 2]
    low = np.maximum(np.floor(corners.min(axis=0) - MARGIN * size), 0).astype(int)
    high = np.ceil(corners.max(axis=0) + MARGIN * size).astype(int)
    crop = answer[low[1] : high[1], low[0] : high[0]]
    if min(crop.shape[:2]) < 16:
        return None
    crop, picture = grey(np.ascontiguousarray(crop)), grey(grid.rgb)
    start = np.zeros(projection.PARAMETERS)
    start[:6] = (affine @ np.array([[rows, 0, columns / 2], [0, rows, rows / 2], [0, 0, 1]])).ravel()
    start[[2, 5]] -= low
    centred = (points - [columns / 2, rows / 2]) / rows
    best: Sighting | None = None
    for kind, free, depth in views(grid.alpha):
        at = points * np.float32(grid.alpha.shape[0] / rows)
        depths = sample(depth, at[:, :1], at[:, 1:]).ravel()
        p = start
        for tolerance in (4.0, 2.0):
            p = projection.fit_points(p, centred, depths, targets - low, free, tolerance)
        p = refine_view(p, picture, grid.alpha, depth, crop, free)
        grid_x, grid_y = projection.photograph_grid(picture.shape)
        x, y = projection.project(p, grid_x, grid_y, depth)
        visible = visible_share(x, y, grid.alpha, crop.shape)
        agreed = agreement(picture, sample(crop, x, y), visible)
        if best is None or agreed.correlation > best.agreement.correlation + RELIEF_GAIN:
            back = projection.project(p, grid_x, grid_y, -depth) if kind == "round" else None
            best = Sighting(kind, len(points), grid, x, y, back, agreed)
    flow = residual_flow(picture, sample(crop, best.x, best.y), best.agreement.visible)
    moved = follow(best.x, flow), follow(best.y, flow)
    agreed = agreement(picture, sample(crop, *moved), best.agreement.visible)
    if agreed.correlation > best.agreement.correlation:
        best = replace(best, x=moved[0], y=moved[1], agreement=agreed)
    left, top = np.float32(low)
    back = None if best.back is None else (best.back[0] + left, best.back[1] + top)
    return replace(best, x=best.x + left, y=best.y + top, back=back)


def views(alpha: np.ndarray):
    """The shapes a product may have, as (kind, free parameters, depth (h, w))."""
    yield "plane", projection.PLANE, np.zeros(alpha.shape, np.float32)
    relief = projection.relief_of_revolution(alpha)
    if relief is not None:
        yield "round", projection.RELIEF, relief


def follow(position: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """`position` (h, w) read at each pixel's own place plus `flow` (h, w, 2)."""
    rows, columns = position.shape
    u, v = np.meshgrid(np.arange(columns, dtype=np.float32) + 0.5, np.arange(rows, dtype=np.float32) + 0.5)
    # Linear continuation beyond the edge: a replicated border would fold the map.
    inside_u, inside_v = (
        np.clip(u + flow[..., 0], 0.5, columns - 0.5),
        np.clip(v + flow[..., 1], 0.5, rows - 0.5),
    )
    return sample(position, inside_u, inside_v)


def describe(sightings: list[Sighting], mirrored: bool, shape: tuple[int, int]) -> ProductMatch | None:
    """The first of `sightings` on the answer's own grid of `shape` (H, W)."""
    best = sightings[0]
    alpha = best.photograph.alpha
    sheets = [(best.x, best.y)] + ([best.back] if best.back is not None else [])
    covered = alpha > 127
    low = np.floor([min(s[axis][covered].min() for s in sheets) for axis in (0, 1)]) - 3
    high = np.ceil([max(s[axis][covered].max() for s in sheets) for axis in (0, 1)]) + 3
    low, high = np.maximum(low, 0).astype(int), np.minimum(high, [shape[1], shape[0]]).astype(int)
    if (high - low < 4).any():
        return None
    box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    u, v, placed = invert(best.x, best.y, box)
    trust = find_trust(best.agreement)
    weight = sample(trust.astype(np.float32), u, v) * placed
    coverage = np.zeros(shape, np.uint8)
    coverage[low[1] : high[1], low[0] : high[0]] = outline(sheets, alpha, box)
    relative_u = u * best.photograph.step[0] + best.photograph.origin[0]
    relative_v = v * best.photograph.step[1] + best.photograph.origin[1]
    if mirrored:
        relative_u = 1 - relative_u
    contrast = best.agreement.contrast * best.agreement.visible
    return ProductMatch(
        kind=best.kind,
        inliers=best.inliers,
        correlation=max(0.0, best.agreement.correlation),
        verified_correlation=float((best.agreement.local * trust).sum() / max(1e-6, trust.sum())),
        verified_share=float((contrast * trust).sum() / max(1e-6, contrast.sum())),
        mirrored=mirrored,
        instances=len(sightings),
        scale=float(np.median(np.abs(np.gradient(best.y, axis=0)))) * alpha.shape[0],
        box=box,
        coverage=coverage,
        mapping=np.dstack([relative_u, relative_v]).astype(np.float32),
        weight=np.clip(weight * 255 + 0.5, 0, 255).astype(np.uint8),
    )
