"""The lean and the aspect of a product without matched keypoints: its photograph's outline laid on the image's edges.

Each point of the outline looks along its normal for an edge that the scene has not and that runs along the outline; an
affine map is fitted to what was found, again and again with a shorter reach (Harris and Stennett, "RAPiD - a video rate
object tracker", BMVC 1990, doi:10.5244/C.4.15, in the plane; the search along normals is that of Cootes et al., "Active
shape models", Computer Vision and Image Understanding 61, 1995, doi:10.1006/cviu.1995.1004). Shadow and reflection that
were inserted with the product have other edges, and need not be told from it. Another view of the product has another
outline, and leaves much of it without an edge: then nothing is said.

In: photograph (ph, pw, 4) uint8, `ProductCrop`. Out: degrees, and width over height as a ratio. Of rendered products
without print that stand, .74 of the outline and more lay on edges (of glass .5), of real ones that stand as on their
photograph .76 and more; of turned, worn and redrawn ones up to .7. Standing ones leaned by up to 5.3 degrees and had
.87 to 1.04 times their width. `python -m tests.bench.collection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import remap
from function.judging.product_crop import ProductCrop
from function.judging.shadow_removal import remove_shadow
from function.matching.reference_image import photograph_alpha

# Longest side (px) at which the outline is traced, its smoothing (standard deviation, px), its shortest contour
# (points), and how many points of it are used. Of what was inserted, the least side (px) that has an outline.
TRACED_PX, SMOOTHING_PX, MIN_CONTOUR, POINTS, MIN_SIDE_PX = 200, 2.0, 20, 160, 20
# An edge of this gradient, 8-bit levels a pixel, counts half. Images are smoothed by this first (standard deviation,
# px): noise has edges too.
HALF_EDGE, NOISE_SIGMA_PX = 4.0, 1.0
# Reach of the search along the normals in the first and in the last round, as a share of the product's size; places
# that are looked at, and rounds.
REACH, PLACES, ROUNDS = (0.1, 0.02), 21, 12
# Cosine of the angle between gradient and normal: below the first an edge does not count, from the second on in full.
MIN_COSINE, FULL_COSINE = 0.6, 0.9
# Weights, for each point, by which a round holds on to the shape, and to all six numbers so that they are determined
# where few edges are found.
STIFFNESS, RIDGE = 0.003, 0.0001
# A shape whose area falls below this share of the first one's has collapsed.
MIN_AREA_LEFT = 0.001
# A point is explained by an edge of this strength (0..1) and cosine within this share of the product's size.
EXPLAINED_EDGE, EXPLAINED_COSINE, TOLERANCE = 0.5, 0.8, 0.015
# Least share of the outline that is explained.
MIN_EXPLAINED = 0.75
# Heights over that of what was inserted at which the outline is laid to begin with: it may hold shadow.
FIRST_HEIGHTS = (1.0, 0.85)
# A silhouette that fills its box by more (extent) is that of a box, whose outline gets wider or narrower where it is
# turned about its own axis: nothing is said of its aspect.
MAX_EXTENT = 0.8
# An outline that is narrower than this share is that of the product's narrow side.
MIN_FRONT = 0.6


@dataclass(frozen=True)
class OutlinePose:
    """lean_deg      degrees by which the photograph leans, its top to the right where positive: of its verticals or all
                   of it (the rotation in the polar decomposition), whichever is less, for a product that is turned
                   about its own axis is sheared
    aspect_change  width over height against the photograph's; None of a box, and of another side"""

    lean_deg: float
    aspect_change: float | None


@dataclass(frozen=True)
class _Outline:
    """points (n, 2) float64, in px at which the photograph's outline box has `size` (width, height); their outward
    normals (n, 2); `extent` is the share 0..1 of that box that the product fills."""

    points: np.ndarray
    normals: np.ndarray
    size: tuple[int, int]
    extent: float


@dataclass(frozen=True)
class _Edges:
    """strength (h, w) float32 0..1 of the edges that the scene has not, and their direction (h, w, 2) of length 1."""

    strength: np.ndarray
    direction: np.ndarray

    def along(self, points: np.ndarray, normals: np.ndarray, reach: float, places: int) -> tuple[np.ndarray, ...]:
        """At `places` along the normals, up to `reach` px to both sides: their distance (places,), and the strength and
        the cosine to the normal (n, places) of the edge there."""
        distance = np.linspace(-reach, reach, places)
        at = (points[:, None] + distance[None, :, None] * normals[:, None]).astype(np.float32)
        strength = remap(self.strength, at, border=cv2.BORDER_CONSTANT)
        direction = remap(self.direction, at, border=cv2.BORDER_CONSTANT)
        return distance, strength, np.abs((direction * normals[:, None]).sum(axis=2))


def outline_pose(photograph: np.ndarray, crop: ProductCrop) -> OutlinePose | None:
    """The pose of the product in `crop`; None where its outline is not that of the `photograph` (ph, pw, 4) uint8."""
    outline = _trace(photograph_alpha(photograph))
    body = cv2.boundingRect((remove_shadow(crop).product_mask > 0.5).astype(np.uint8))
    if outline is None or min(body[2:]) < MIN_SIDE_PX:
        return None
    edges = _new_edges(crop.generated, crop.scene)
    for height in FIRST_HEIGHTS:
        for box in _first_boxes(body, height, outline.size):
            found = _fit(outline, edges, box)
            if found is not None and found[1] >= MIN_EXPLAINED:
                return _pose(found[0], outline.extent)
    return None


def _pose(shape: np.ndarray, extent: float) -> OutlinePose:
    across, down = shape[:, 0], shape[:, 1]
    aspect = float(np.hypot(*across) / np.hypot(*down))
    leans = np.arctan2(-down[0], down[1]), np.arctan2(across[1] - down[0], across[0] + down[1])
    is_front = extent <= MAX_EXTENT and aspect >= MIN_FRONT
    return OutlinePose(float(np.degrees(min(leans, key=abs))), aspect if is_front else None)


def _trace(alpha: np.ndarray) -> _Outline | None:
    """The outline of `alpha` (ph, pw) uint8, openings with it; None where there is none."""
    x, y, wide, tall = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    if min(wide, tall) == 0:
        return None
    share, room = TRACED_PX / max(wide, tall), round(2 * SMOOTHING_PX)
    size = max(4, round(wide * share)), max(4, round(tall * share))
    small = cv2.resize(alpha[y : y + tall, x : x + wide], size, interpolation=cv2.INTER_AREA)
    small = cv2.copyMakeBorder(small, room, room, room, room, cv2.BORDER_CONSTANT)
    contours, _ = cv2.findContours(cv2.inRange(small, 128, 255), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    long = [contour[:, 0] for contour in contours if len(contour) >= MIN_CONTOUR]
    if not long:
        return None
    places = np.vstack(long)
    places = places[:: max(1, len(places) // POINTS)]
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), SMOOTHING_PX)
    inward = np.dstack([cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)])
    normals = -inward[places[:, 1], places[:, 0]].astype(float)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    known = length[:, 0] > 0
    extent = float(np.count_nonzero(small > 127) / (size[0] * size[1]))
    return _Outline(places[known] - float(room), normals[known] / length[known], size, extent)


def _new_edges(generated: np.ndarray, scene: np.ndarray) -> _Edges:
    """The edges of `generated` where the `scene`, both (h, w, 3) uint8, has none as strong near by."""
    direction, strength = _gradient(generated)
    _, known = _gradient(scene)
    fresh = np.maximum(strength - cv2.dilate(known, np.ones((3, 3), np.uint8)), 0)
    return _Edges(fresh / (fresh + HALF_EDGE), direction / np.maximum(strength, 1e-6)[..., None])


def _gradient(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 2) float32, the gradient of the channel that has the most, levels a pixel; and its length (h, w)."""
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), NOISE_SIGMA_PX)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order) / 8 for order in ((1, 0), (0, 1)))
    most = (across**2 + down**2).argmax(axis=2)[..., None]
    gradient = np.dstack([np.take_along_axis(part, most, axis=2)[..., 0] for part in (across, down)])
    return gradient, np.hypot(gradient[..., 0], gradient[..., 1])


def _first_boxes(body: Sequence[int], height: float, size: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """Places of an outline of `size` on what was inserted, in the `body` box: filling it, and standing in its middle on
    its base, or hanging from its top, in its own proportions."""
    x, y, wide, tall = (float(side) for side in body)
    rows, columns = height * tall, height * tall * size[0] / size[1]
    left = x + (wide - columns) / 2
    return [(x, y + tall - rows, wide, rows), (left, y + tall - rows, columns, rows), (left, y, columns, rows)]


def _fit(outline: _Outline, edges: _Edges, box: tuple[float, float, float, float]) -> tuple[np.ndarray, float] | None:
    """The linear part (2, 2) of the affine map that lays the outline on the edges, beginning in `box`, and the share
    0..1 of it that is explained; None where it collapses."""
    x, y, wide, tall = box
    size = float(np.sqrt(wide * tall))
    shape, origin = np.diag([wide / outline.size[0], tall / outline.size[1]]), np.array([x, y])
    own = float(np.sqrt(outline.size[0] * outline.size[1]))
    for reach in np.linspace(*REACH, ROUNDS) * size:
        points, normals = outline.points @ shape.T + origin, _turned(outline.normals, shape)
        distance, strength, cosine = edges.along(points, normals, reach, PLACES)
        likely = strength * np.clip((cosine - MIN_COSINE) / (FULL_COSINE - MIN_COSINE), 0, 1)
        likely *= np.exp(-((distance / reach) ** 2))
        best = likely.argmax(axis=1)
        weight, moved = likely[np.arange(len(best)), best], distance[best]
        # Along the normal: the shape's change times the point, and the origin's.
        terms = np.hstack([normals[:, :1] * outline.points / own, normals[:, 1:] * outline.points / own, normals])
        system = (terms * weight[:, None]).T @ terms
        system[np.diag_indices(4)] += STIFFNESS * len(points)
        system[np.diag_indices(6)] += RIDGE * len(points)
        change = np.linalg.solve(system, (terms * weight[:, None]).T @ moved)
        shape, origin = shape + change[:4].reshape(2, 2) / own, origin + change[4:]
        if np.linalg.det(shape) < MIN_AREA_LEFT * wide * tall / own**2:
            return None
    points, normals = outline.points @ shape.T + origin, _turned(outline.normals, shape)
    _, strength, cosine = edges.along(points, normals, TOLERANCE * size, PLACES // 3)
    explained = ((strength > EXPLAINED_EDGE) & (cosine > EXPLAINED_COSINE)).any(axis=1)
    return shape, float(explained.mean())


def _turned(normals: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """The `normals` (n, 2) after their outline was mapped by `shape` (2, 2)."""
    turned = normals @ np.linalg.inv(shape)
    unit: np.ndarray = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    return unit
