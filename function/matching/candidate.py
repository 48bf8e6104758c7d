"""Sightings of the product photograph in the answer: flat or round, refined until print lies on print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from function.matching import features
from function.matching import relief_model as projection
from function.matching.photograph import Photograph, prepare_photograph
from function.matching.photometric_refine import (
    Agreement,
    agreement,
    follow_print,
    grey,
    refine_view,
    sample,
    visible_share,
)

# Longest side (px) of the photograph when features are sought: more than the product spans in most answers.
FEATURE_PX = 640
# Longest side (px) of the finest photograph that is aligned: as it is analysed, shrunk once and not twice.
FINEST_PX = 1024
# A photograph of fewer pixels on a side shows no print.
MIN_PX = 16
# Size (px, the square root of width times height) of the photograph's grid while its shape is chosen, and while it
# is aligned finally. A product that spans more is aligned on a shrunken answer.
COARSE_GRID_PX = 128
FINE_GRID_PX = 320
# Features may miss the view by this much (px), first and then.
FEATURE_TOLERANCES_PX = (4.0, 2.0)
# Model selection between a plane and a body of revolution: the latter must explain the answer better by this much
# correlation, since its three more parameters fit some of the model's wobble. An outline that tapers evenly, as a
# bottle's, is evidence of its own: the gain asked for is negative.
RELIEF_GAIN = {"straight": 0.02, "turned": -0.03}
# A bent view must explain the answer better than a stiff one by this much: the model's wobble alone gives
# up to .08, and followed it puts print where it does not belong.
FOLLOW_GAIN = 0.10
# Nor is a stiff view that explains less than this worth bending: chance agreement would be bent into a match.
FOLLOW_FROM = 0.4
# A second sighting counts with this share of the first one's correlation.
SECOND_SHARE = 0.6
# Margin (share of its size) around the expected place of the product that alignment looks at.
MARGIN = 0.15


@dataclass(frozen=True)
class Sighting:
    """One view of the photograph: where each of its pixels lies in the answer, and how well that agrees."""

    kind: str
    inliers: int
    photograph: Photograph
    sheets: list[tuple[np.ndarray, np.ndarray]]  # x, y of the front, then of a round body's back
    correlation: float  # of the print, -1..1, the model's wobble followed
    agreement: Agreement  # at the sheets' own places


@dataclass(frozen=True)
class Sought:
    """The photograph to be found, at the finest size that alignment asks for, and its features."""

    photograph: Photograph
    features: features.Features
    height: int  # px of the photograph whose features they are

    @classmethod
    def of(cls, product: np.ndarray) -> Sought | None:
        """`product` (h, w, 3 or 4) uint8, with or without cut-out; None when it shows next to nothing."""
        photograph = prepare_photograph(product, FINEST_PX) if min(product.shape[:2]) >= MIN_PX else None
        if photograph is None:
            return None
        small = photograph.shrunk(FEATURE_PX)
        mask = cv2.inRange(small.alpha, 128, 255)
        found = features.detect(cv2.cvtColor(small.rgb, cv2.COLOR_RGB2GRAY), mask)
        return cls(photograph, found, small.alpha.shape[0])

    def mirrored(self) -> Sought:
        """The same of the photograph with left and right exchanged."""
        rows, columns = self.photograph.alpha.shape
        width = columns * self.height / rows
        return Sought(self.photograph.mirrored(), features.mirrored(self.features, width), self.height)


def find_sightings(
    sought: Sought, answer: np.ndarray, seen: features.Features, least: float, least_inliers: float
) -> list[Sighting]:
    """The product in the answer, at most twice, the better view first.

    The first must correlate more than `least`, and have more than `least_inliers` agreeing features.
    """
    known = sought.features
    first, second = features.pair_up(known, seen)
    sightings: list[Sighting] = []
    while len(sightings) < 2:
        view = features.first_view(known, seen, (first, second), sought.height)
        if view is None:
            break
        affine, chosen = view
        if not sightings and chosen.sum() <= least_inliers:
            break
        points, targets = known.points[first[chosen]], seen.points[second[chosen]]
        sighting = align(sought, affine, points, targets, answer)
        if sightings:
            least = SECOND_SHARE * sightings[0].correlation
        if sighting is None or sighting.correlation <= least:
            break
        sightings.append(sighting)
        # What the first sighting covers cannot be the second.
        hull = cv2.convexHull(np.stack([axis.ravel()[::7] for axis in sighting.sheets[0]], axis=1).astype(np.float32))
        free = np.array(
            [cv2.pointPolygonTest(hull, tuple(map(float, p)), False) < 0 for p in seen.points[second]], bool
        )
        first, second = first[free], second[free]
    return sightings


def align(
    sought: Sought, affine: np.ndarray, points: np.ndarray, targets: np.ndarray, answer: np.ndarray
) -> Sighting | None:
    """The best of a flat and a round view that starts from an `affine` (2, 3) one of the features' photograph."""
    rows = sought.height
    columns = sought.photograph.alpha.shape[1] * rows / sought.photograph.alpha.shape[0]
    size = float(np.sqrt(np.linalg.det(affine[:, :2]))) * max(rows, columns)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]) @ affine[:, :2].T + affine[:, 2]
    low = np.maximum(np.floor(corners.min(axis=0) - MARGIN * size), 0).astype(int)
    high = np.ceil(corners.max(axis=0) + MARGIN * size).astype(int)
    crop = np.ascontiguousarray(answer[low[1] : high[1], low[0] : high[0]])
    if min(crop.shape[:2]) < 16:
        return None
    start = np.zeros(projection.PARAMETERS)
    start[:6] = (affine @ np.array([[rows, 0, columns / 2], [0, rows, rows / 2], [0, 0, 1]])).ravel()
    start[[2, 5]] -= low
    mean_size = size * float(np.sqrt(min(rows, columns) / max(rows, columns)))
    coarse, fine = (
        Level.of(sought.photograph, crop, size, min(1.0, grid_px / mean_size))
        for grid_px in (COARSE_GRID_PX, FINE_GRID_PX)
    )
    if coarse is None or fine is None:
        return None
    centred = (points - [columns / 2, rows / 2]) / rows
    chosen: tuple[float, str, np.ndarray] | None = None
    gain = RELIEF_GAIN["turned" if projection.is_turned(coarse.photograph.alpha) else "straight"]
    for kind, free, depth in views(coarse.photograph.alpha):
        at = points * np.float32(depth.shape[0] / rows)
        depths = sample(depth, at[:, :1], at[:, 1:]).ravel()
        p = start
        for tolerance in FEATURE_TOLERANCES_PX:
            p = projection.fit_points(p, centred, depths, targets - low, free, tolerance)
        p = coarse.refine(p, free, depth)
        agreed = coarse.compare(*coarse.place(p, depth))
        if chosen is None or agreed.correlation > chosen[0] + gain:
            chosen = agreed.correlation, kind, p
    assert chosen is not None  # there always is a plane
    _, wanted, p = chosen
    free, depth = next((free, depth) for kind, free, depth in views(fine.photograph.alpha) if kind == wanted)
    p = fine.refine(p, free, depth)
    x, y = fine.place(p, depth)
    agreed = fine.compare(x, y)
    correlation = agreed.correlation
    if agreed.correlation > FOLLOW_FROM:
        moved = follow_print(x, y, fine.picture, fine.photograph.alpha, fine.answer)
        followed = fine.compare(*moved)
        correlation = max(agreed.correlation, followed.correlation)
        if followed.correlation > agreed.correlation + FOLLOW_GAIN:
            (x, y), agreed = moved, followed
    sheets = [(x, y)] + ([fine.place(p, -depth)] if wanted == "round" else [])
    sheets = [(x / fine.scale + np.float32(low[0]), y / fine.scale + np.float32(low[1])) for x, y in sheets]
    return Sighting(wanted, len(points), fine.photograph, sheets, correlation, agreed)


@dataclass(frozen=True)
class Level:
    """Photograph and answer at one resolution, at which a photograph pixel is about an answer pixel."""

    photograph: Photograph
    picture: np.ndarray  # (h, w) float32, the photograph's luma
    answer: np.ndarray  # (H, W) float32, the answer's luma
    scale: float  # pixels of `answer` per pixel of the answer given

    @classmethod
    def of(cls, photograph: Photograph, answer: np.ndarray, size: float, scale: float) -> Level | None:
        """`photograph`, whose longest side spans `size` pixels of `answer` (H, W, 3) uint8, and both at `scale`."""
        photograph = photograph.shrunk(max(32, round(size * scale)))
        shape = round(answer.shape[0] * scale), round(answer.shape[1] * scale)
        if min(photograph.alpha.shape) < 16 or min(shape) < 16:
            return None
        small = answer if scale == 1 else cv2.resize(answer, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return cls(photograph, grey(photograph.rgb), grey(small), scale)

    def refine(self, p: np.ndarray, free: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """The view `p`, in pixels of the answer given, refined at this level."""
        scaling = np.ones(projection.PARAMETERS)
        scaling[[0, 1, 2, 3, 4, 5, 8, 9]] = self.scale
        return refine_view(p * scaling, self.picture, self.photograph.alpha, depth, self.answer, free) / scaling

    def place(self, p: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the view `p` puts each photograph pixel, in pixels of this level."""
        x, y = projection.project(p, *projection.photograph_grid(self.picture.shape), depth)
        return x * np.float32(self.scale), y * np.float32(self.scale)

    def compare(self, x: np.ndarray, y: np.ndarray) -> Agreement:
        """How well the answer agrees with the photograph laid at `x`, `y` of this level."""
        visible = visible_share(x, y, self.photograph.alpha, self.answer.shape)
        return agreement(self.picture, sample(self.answer, x, y), visible)


def views(alpha: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The shapes a product may have, as (kind, free parameters, depth (h, w))."""
    yield "plane", projection.PLANE, np.zeros(alpha.shape, np.float32)
    relief = projection.relief_of_revolution(alpha)
    if relief is not None:
        yield "round", projection.RELIEF, relief
