"""The shadow that the product casts on its support: how dark it is, and where it lies relative to the product's base.

Shading is measured in stops, the base-2 logarithm of scene over generated image, from the smooth light ratio; a sharp
or dark shadow, which was taken for inserted, is measured by its even darkening of all channels. Three quantiles are
compared: the peak around the product, the darkening in a ring at its base, and the darkening below the base. Contact is
base over peak, detachment is below over peak: both ratios do not depend on the strength of the light.

In: scene analysis and `ProductCrop` (h, w). Out: `CastShadow`, stops. Ten absolute numbers at the base were used
before: hard shadows in the sun, which do not darken all colours evenly, were taken for inserted, and the surface right
before a product need not change. `python -m tests.bench.judging` prints the three beside good and spoiled images.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import largest_component
from function.judging.product_crop import ProductCrop
from function.restoration.analysis import SceneAnalysis
from function.restoration.shading import shading_stops

# All lengths are shares of the product's height. Pixels nearer to the silhouette than this may be the product itself:
# a matched silhouette is a few pixels off.
CLEARANCE_SHARE, MIN_CLEARANCE_PX = 0.02, 3.0
# The base is the lowest part of the silhouette: the corners of a turned box lie a fifth of its height apart.
BASE_SHARE = 0.2
# What was inserted lower than this below the silhouette's base is no side of the product but its reflection.
MIRRORED_SHARE = 0.05
# Width of the ring in which contact is measured.
REACH_SHARE, MIN_REACH_PX = 0.06, 6.0
# A shadow is detached when it begins this far below the base. It is looked for down to the second share and sideways to
# the third; the base's corner is the lowest row within the fourth, of the base's columns.
GAP_SHARE, DEPTH_SHARE, BESIDE_SHARE, CORNER_SHARE = 0.03, 0.15, 0.25, 0.15
# Quantiles of darkening: over all surroundings, in the ring at the base (a shadow falls to one side), and below it.
PEAK_QUANTILE, BASE_QUANTILE, BELOW_QUANTILE = 0.99, 0.95, 0.8
# The strip below the base is split into so many segments; the median of each is read.
SEGMENTS = 5
# Fewer pixels are not measured.
MIN_PIXELS = 20


@dataclass(frozen=True)
class CastShadow:
    """Darkening of the scene in stops.

    peak     the most around the product
    at_base  in the ring at its base
    below    at a distance below its base, beside or under it
    under    right under its base, where it is darkest
    """

    peak: float
    at_base: float
    below: float
    under: float

    @property
    def contact_ratio(self) -> float:
        """Darkening at the base over the peak: near 1 for a product that touches its support."""
        return self.at_base / max(self.peak, 1e-6)

    @property
    def detached_ratio(self) -> float:
        """Darkening below the base, less that right under it, over the peak: near 1 for a floating product."""
        return (self.below - max(0.0, self.under)) / max(self.peak, 1e-6)


def cast_shadow(scene: SceneAnalysis, crop: ProductCrop) -> CastShadow | None:
    """The cast shadow of the product in `crop`; None where its base lies outside the image."""
    if not (crop.product_mask > 0.5).any():
        return None
    clear = max(MIN_CLEARANCE_PX, CLEARANCE_SHARE * crop.height)
    opaque = _opaque_shadow(crop, int(clear))
    solid = _silhouette(crop, opaque, int(clear))
    distance = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    # A dark or sharp shadow counts as inserted, and the smooth light does not hold it.
    darker = np.where(crop.inserted_mask > 0.5, opaque, -shading_stops(scene.light, crop.box)) * (distance > clear)
    lowest = _lowest_row(solid)
    ring = (distance > clear) & (distance <= clear + max(MIN_REACH_PX, REACH_SHARE * crop.height))
    ring[: max(0, lowest - int(BASE_SHARE * crop.height))] = False
    around = darker[distance > clear]
    if ring.sum() < MIN_PIXELS or around.size < MIN_PIXELS:
        return None
    under, below = _darkening_below(darker, solid, crop.height, int(clear) + 1)
    peak, at_base = float(np.quantile(around, PEAK_QUANTILE)), float(np.quantile(darker[ring], BASE_QUANTILE))
    return CastShadow(max(peak, at_base), at_base, below, under)


def _opaque_shadow(crop: ProductCrop, clear: int) -> np.ndarray:
    """(h, w) float32: stops by which inserted pixels outside the silhouette darken the scene evenly, opened by the
    clearance, so that a dark rim of the product does not count."""
    outside = (crop.inserted_mask > 0.5) & (crop.product_mask <= 0.5)
    near = np.ones((2 * clear + 1, 2 * clear + 1), np.uint8)
    return cv2.morphologyEx(crop.even_darkening * outside, cv2.MORPH_OPEN, near)


def _silhouette(crop: ProductCrop, opaque: np.ndarray, clear: int) -> np.ndarray:
    """(h, w) uint8: the silhouette with what was inserted beside it and is no shadow, such as the side of a turned box
    that its photograph does not show."""
    outline = crop.product_mask > 0.5
    beside = ((crop.inserted_mask > 0.5) & (opaque == 0)).astype(np.uint8)
    if crop.fitted:
        # A glossy surface mirrors the product below its base.
        beside[min(len(beside), _lowest_row(outline) + max(1, int(MIRRORED_SHARE * crop.height))) :] = 0
    near = np.ones((2 * clear + 1, 2 * clear + 1), np.uint8)
    piece = largest_component(outline | (cv2.morphologyEx(beside, cv2.MORPH_OPEN, near) > 0))
    return outline.astype(np.uint8) if piece is None else (outline | piece[0]).astype(np.uint8)


def _lowest_row(mask: np.ndarray) -> int:
    """Of a `mask` (h, w) that is not empty."""
    return int(np.flatnonzero(mask.any(axis=1))[-1])


def _darkening_below(darker: np.ndarray, solid: np.ndarray, height: float, clear: int) -> tuple[float, float]:
    """Darkening right under the base, and at a distance below it: the darkest of left, right and middle."""
    outline = len(solid) - 1 - solid[::-1].argmax(axis=0)
    lowest = _lowest_row(solid)
    columns = np.flatnonzero(solid[max(0, lowest - int(BASE_SHARE * height)) :].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    corner, side = max(2, int(CORNER_SHARE * (right - left))), int(BESIDE_SHARE * height)
    ends = (
        (outline[left : left + corner].max(), slice(max(0, left - side), left)),
        (outline[right - corner : right].max(), slice(right, right + side)),
        (lowest, slice(left, right)),
    )
    first, last = int(GAP_SHARE * height) + clear, int(DEPTH_SHARE * height)
    places = [darker[int(row) + first : int(row) + last, beside] for row, beside in ends]
    below = max((float(np.quantile(p, BELOW_QUANTILE)) for p in places if p.size >= MIN_PIXELS), default=0.0)
    inner = columns[corner // 2 : len(columns) - corner // 2]
    rows = outline[inner][:, None] + clear + np.arange(max(int(MIN_REACH_PX), int(REACH_SHARE * height)))
    shown = darker[np.minimum(rows, len(darker) - 1), inner[:, None]]
    under = max((float(np.median(part)) for part in np.array_split(shown, SEGMENTS) if part.size), default=0.0)
    return under, below
