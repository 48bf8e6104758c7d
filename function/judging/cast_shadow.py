"""The shadow that the product casts on what it stands on: how dark it is, and where it lies to the product's base."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import largest_component
from function.judging.product_view import ProductView
from function.restoration.analysis import SceneAnalysis
from function.restoration.shading import even_darkening, light_stops

# All lengths are shares of the product's height. So near to its outline, and in so many pixels at least, the product
# itself may show: an outline that was found by its print is a few pixels off.
CLEAR_SHARE, MIN_CLEAR_PX = 0.02, 3.0
# The base is the lowest part of the outline: a turned box stands on corners that lie a fifth of its height apart.
BASE_SHARE = 0.2
# Contact is looked for so far from the outline, in so many pixels at least.
REACH_SHARE, MIN_REACH_PX = 0.06, 6.0
# A shadow beside the product lies apart when it begins so far below the base's corner there; it is looked for down to
# the second and sideways to the third, and the corner is the lowest of the outermost share of the base's columns.
APART_SHARE, DEPTH_SHARE, BESIDE_SHARE, CORNER_SHARE = 0.03, 0.15, 0.25, 0.15
# The darkest hundredth around is what the shadow reaches, of what lies near the base the darkest twentieth: a shadow
# falls to one side. Of a shadow beside and below the darkest fifth counts.
AROUND, AT_BASE, BELOW = 0.99, 0.95, 0.8
# The surface right below the base is read in so many parts, the middle tone of each.
PARTS = 5
# Fewer pixels tell nothing.
MIN_PIXELS = 20


@dataclass(frozen=True)
class CastShadow:
    """strongest  stops by which the scene is darker around the product at the most
    at_base    the same right at its base
    below      the same some way below its base, beside or under it
    under      the same right under its base, where it is darkest
    """

    strongest: float
    at_base: float
    below: float
    under: float

    @property
    def attached(self) -> float:
        """Darkness at the base over the strongest: a product that stands is dark where it touches."""
        return self.at_base / max(self.strongest, 1e-6)

    @property
    def apart(self) -> float:
        """Darkness below the base over the strongest, as far as it is not dark from the base on: a product in the air
        has its shadow there."""
        return (self.below - max(0.0, self.under)) / max(self.strongest, 1e-6)


def cast_shadow(scene: SceneAnalysis, view: ProductView) -> CastShadow | None:
    """None where the base lies outside of the picture."""
    if not (view.cover > 0.5).any():
        return None
    clear = max(MIN_CLEAR_PX, CLEAR_SHARE * view.height)
    drawn = _drawn_shadow(view, int(clear))
    solid = _body(view, drawn, int(clear))
    distance = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    # A dark or sharp shadow is taken for a part of what was put in, and has no light of its own.
    darker = np.where(view.put_in > 0.5, drawn, -light_stops(scene.light, view.box)) * (distance > clear)
    lowest = int(np.flatnonzero(solid.any(axis=1))[-1])
    ring = (distance > clear) & (distance <= clear + max(MIN_REACH_PX, REACH_SHARE * view.height))
    ring[: max(0, lowest - int(BASE_SHARE * view.height))] = False
    around = darker[distance > clear]
    if ring.sum() < MIN_PIXELS or around.size < MIN_PIXELS:
        return None
    under, below = _beneath(darker, solid, view.height, int(clear) + 1)
    strongest, at_base = float(np.quantile(around, AROUND)), float(np.quantile(darker[ring], AT_BASE))
    return CastShadow(max(strongest, at_base), at_base, below, under)


def _drawn_shadow(view: ProductView, clear: int) -> np.ndarray:
    """(h, w) float32: stops by which what was put in only darkens the scene, where that is wider than the strip by
    which the outline may miss a dark rim of the product."""
    outside = (view.put_in > 0.5) & (view.cover <= 0.5)
    near = np.ones((2 * clear + 1, 2 * clear + 1), np.uint8)
    return cv2.morphologyEx(even_darkening(view.scene, view.answer) * outside, cv2.MORPH_OPEN, near)


def _body(view: ProductView, drawn: np.ndarray, clear: int) -> np.ndarray:
    """(h, w) uint8: the outline, and what was put in beside it that is no shadow: the side of a turned box, which its
    photograph does not show."""
    outline = view.cover > 0.5
    beside = ((view.put_in > 0.5) & (drawn == 0)).astype(np.uint8)
    near = np.ones((2 * clear + 1, 2 * clear + 1), np.uint8)
    piece = largest_component(outline | (cv2.morphologyEx(beside, cv2.MORPH_OPEN, near) > 0))
    return outline.astype(np.uint8) if piece is None else (outline | piece[0]).astype(np.uint8)


def _beneath(darker: np.ndarray, solid: np.ndarray, height: float, clear: int) -> tuple[float, float]:
    """How dark it is right under the base, and some way below it: on either side, and under it."""
    outline = len(solid) - 1 - solid[::-1].argmax(axis=0)
    lowest = int(np.flatnonzero(solid.any(axis=1))[-1])
    columns = np.flatnonzero(solid[max(0, lowest - int(BASE_SHARE * height)) :].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    corner, side = max(2, int(CORNER_SHARE * (right - left))), int(BESIDE_SHARE * height)
    ends = (
        (outline[left : left + corner].max(), slice(max(0, left - side), left)),
        (outline[right - corner : right].max(), slice(right, right + side)),
        (lowest, slice(left, right)),
    )
    first, last = int(APART_SHARE * height) + clear, int(DEPTH_SHARE * height)
    places = [darker[int(row) + first : int(row) + last, beside] for row, beside in ends]
    below = max((float(np.quantile(p, BELOW)) for p in places if p.size >= MIN_PIXELS), default=0.0)
    inner = columns[corner // 2 : len(columns) - corner // 2]
    rows = outline[inner][:, None] + clear + np.arange(max(int(MIN_REACH_PX), int(REACH_SHARE * height)))
    shown = darker[np.minimum(rows, len(darker) - 1), inner[:, None]]
    under = max((float(np.median(part)) for part in np.array_split(shown, PARTS) if part.size), default=0.0)
    return under, below
