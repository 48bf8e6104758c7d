"""Matches the photograph's silhouette with the inserted region: localisation where there are no keypoints.

The largest inserted component votes +1, what lies outside of it -1, and what may be shadow a little against; the
silhouette, at several sizes and aspects, is slid over that map (template matching by cross-correlation), and the best
sum wins. Its overlap is the intersection over union with the component.

In: alpha (ph, pw), product mask (h, w) uint8, shading at half size. Out: a `SilhouetteFit`, a box in px. Openings are
often filled in the mask, and lines and pale parts fall out of it: `placement.py` refines what this finds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, largest_component
from function.matching.reference_image import has_outline
from function.restoration.shading import SHADOW_STOPS, even_darkening, shading_stops

# The silhouette is fitted at this size (longest side, pixels) when the photograph was not found by its print.
FIT_PX = 96
# Sizes that are tried, as shares of the inserted component: it may hold a dark shadow.
FIT_SIZES = np.linspace(0.6, 1.04, 12)
# The same for places at which the photograph is composited: finer, and in its own proportions. The component may hold
# all of a reflection.
PLACE_PX, PLACE_SIZES = 192, np.linspace(0.46, 1.06, 25)
# Of the other sizes every third is given: they are .075 apart.
OTHER_SIZES = 3
# Aspects that are tried, as factors: a camera that looks down changes them.
ASPECT_FACTORS = (0.9, 1.0, 1.1)
# Vote of what only darkens the scene evenly by `SHADOW_STOPS` and may be shadow; it counts as product where it takes
# more than the second share of the component.
SHADOW_WEIGHT, MAX_SHADOW = -0.3, 0.6
# Vote of what is only brighter than the scene: a pale part of the product, or its reflection in a glossy surface. It
# was a third of what was inserted for a bottle on dark wood, whose outline was found .38 times too large.
GLOSS_WEIGHT = -0.3
# A white product before a light scene reads as light: what is brighter by this many stops is inserted too.
MIN_BRIGHTER_STOPS = 0.1
# Least side of a component or a silhouette: smaller ones have no shape.
MIN_SIDE_PX = 4
# Least recall of what is known to be product, and least precision: the share of the silhouette that changed.
MIN_RECALL, MIN_PRECISION = 0.85, 0.9

Box = tuple[float, float, float, float]  # x, y, width, height, analysis pixels


@dataclass(frozen=True)
class SilhouetteFit:
    """Where the photograph's outline covers what was inserted best.

    box      (x, y, width, height) of the outline, analysis pixels
    overlap  share 0..1 that outline and piece have in common (intersection over union), shadow left out
    """

    box: Box
    overlap: float


def match_silhouette(
    alpha: np.ndarray,
    changed: np.ndarray,
    product_mask: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    generated: np.ndarray,
) -> np.ndarray | None:
    """Coverage (h, w) uint8 of the photograph's outline at the place that `fit_silhouette` finds; None where it does
    not fit: it has to hold nearly all that is known to be product, and nothing that did not change.

    changed (h', w') bool, at half size.
    """
    fit = fit_silhouette(alpha, product_mask, light, scene, generated) if has_outline(alpha) else None
    if fit is None:
        return None
    size = product_mask.shape[1], product_mask.shape[0]
    coverage = warp_silhouette(alpha, fit, size)
    inside, known = coverage > 127, product_mask > 127
    moved = cv2.resize(changed.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    if not inside.any() or (inside & known).sum() < MIN_RECALL * known.sum():
        return None
    return coverage if moved[inside].mean() >= MIN_PRECISION else None


def warp_silhouette(alpha: np.ndarray, fit: SilhouetteFit, size: tuple[int, int]) -> np.ndarray:
    """Coverage (h, w) uint8 of the outline of `alpha` (ph, pw) uint8 at its place in an image of `size`."""
    x, y, width, height = fit.box
    outline = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    scale_x, scale_y = width / outline[2], height / outline[3]
    matrix = np.array([[scale_x, 0, x - outline[0] * scale_x], [0, scale_y, y - outline[1] * scale_y]])
    matrix[:, 2] += 0.5 * np.array([scale_x, scale_y]) - 0.5
    return cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR)


def largest_inserted_component(
    product_mask: np.ndarray, light: np.ndarray, without: np.ndarray | None = None
) -> tuple[np.ndarray, PixelBox] | None:
    """The largest piece that was inserted, (h, w) bool, and its box; None where nothing was.

    product_mask (h, w) uint8; light (h/2, w/2, 3) float32 log ratio: what brightens the scene may be a pale product;
    without (h, w) uint8: what is covered there is left out.
    """
    height, width = product_mask.shape
    brighter = shading_stops(light, (0, 0, width, height))
    inserted = np.maximum(product_mask, (brighter > MIN_BRIGHTER_STOPS).astype(np.uint8) * 255)
    if without is not None:
        inserted[without > 0] = 0
    return largest_component(cv2.morphologyEx(inserted, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 127, MIN_SIDE_PX)


def fit_silhouette(
    alpha: np.ndarray,
    product_mask: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    generated: np.ndarray,
    without: np.ndarray | None = None,
) -> SilhouetteFit | None:
    """The place in which the outline of `alpha` (ph, pw) uint8, in nearly its own proportions, covers the largest piece
    that was inserted best.

    product_mask (h, w) uint8; light (h/2, w/2, 3) float32 log ratio; scene, generated (h, w, 3) uint8. None where
    nothing was inserted; `without` as in `largest_inserted_component`.
    """
    field = _vote_field(alpha, product_mask, light, scene, generated, FIT_PX, without)
    if field is None:
        return None
    found = [one for size in FIT_SIZES if (one := _best_at(field, size, ASPECT_FACTORS)) is not None]
    if not found:
        return None
    _, (left, top, wide, rows) = max(found, key=lambda one: one[0])
    inside = cv2.resize(field.outline, (wide, rows), interpolation=cv2.INTER_AREA) > 127
    votes = field.votes[top : top + rows, left : left + wide]
    common = np.count_nonzero(inside & (votes > 0))
    union = np.count_nonzero(field.votes > 0) + np.count_nonzero(inside & (votes < SHADOW_WEIGHT))
    return SilhouetteFit(field.box_of((left, top, wide, rows)), float(common) / max(1, int(union)))


def silhouette_boxes(
    alpha: np.ndarray, product_mask: np.ndarray, light: np.ndarray, scene: np.ndarray, generated: np.ndarray
) -> list[Box]:
    """The best place of the outline in its own proportions, and then those at other sizes; in and out as
    `fit_silhouette`."""
    field = _vote_field(alpha, product_mask, light, scene, generated, PLACE_PX)
    if field is None:
        return []
    found = [one for size in PLACE_SIZES if (one := _best_at(field, size, (1.0,))) is not None]
    best = [max(found, key=lambda one: one[0])] if found else []
    return [field.box_of(place) for _, place in best + found[::OTHER_SIZES]]


@dataclass(frozen=True)
class _VoteField:
    """votes (h, w) float32 around the piece that was inserted, and the `outline` (sh, sw) uint8 that is slid over
    them.

    target  (height, width) of the piece in `votes`, which is `pad` px wider at each side
    scale   px of `votes` over analysis px; `corner` of the piece there
    """

    votes: np.ndarray
    outline: np.ndarray
    target: tuple[int, int]
    pad: int
    scale: float
    corner: tuple[int, int]

    def box_of(self, place: PixelBox) -> Box:
        """A place in `votes` in analysis pixels."""
        left, top, wide, tall = place
        x, y = self.corner
        return (
            (left - self.pad) / self.scale + x,
            (top - self.pad) / self.scale + y,
            wide / self.scale,
            tall / self.scale,
        )


def _vote_field(
    alpha: np.ndarray,
    product_mask: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    generated: np.ndarray,
    longest_px: int,
    without: np.ndarray | None = None,
) -> _VoteField | None:
    component = largest_inserted_component(product_mask, light, without)
    outline = cv2.boundingRect((alpha > 127).astype(np.uint8))
    if component is None or min(outline[2:]) < MIN_SIDE_PX:
        return None
    inserted_component, (x, y, width, height) = component
    shape = alpha[outline[1] : outline[1] + outline[3], outline[0] : outline[0] + outline[2]]
    scale = min(1.0, longest_px / max(width, height))
    inner = np.s_[y : y + height, x : x + width]
    target = cv2.resize(
        _vote_map(inserted_component[inner], product_mask[inner] > 127, scene[inner], generated[inner]),
        (max(4, round(width * scale)), max(4, round(height * scale))),
        interpolation=cv2.INTER_AREA,
    )
    pad = round(0.1 * max(target.shape)) + 1
    votes = cv2.copyMakeBorder(target, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=-1)
    return _VoteField(votes, shape, (target.shape[0], target.shape[1]), pad, scale, (x, y))


def _best_at(
    field: _VoteField, size: float, aspect_factors: Iterable[float]
) -> tuple[float, tuple[int, int, int, int]] | None:
    """The highest sum of votes at a `size`, a share of the piece's height or width, and its place in the votes."""
    aspect = field.outline.shape[1] / field.outline.shape[0]
    best: tuple[float, tuple[int, int, int, int]] | None = None
    for aspect_factor in aspect_factors:
        for tall in (size * field.target[0], size * field.target[1] / aspect):
            wide, rows = round(tall * aspect * aspect_factor), round(tall)
            if min(wide, rows) < 4 or rows > field.votes.shape[0] or wide > field.votes.shape[1]:
                continue
            form = cv2.resize(field.outline, (wide, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
            _, most, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(field.votes, form, cv2.TM_CCORR))
            if best is None or most > best[0]:
                best = most, (left, top, wide, rows)
    return best


def _vote_map(
    inserted_component: np.ndarray, known: np.ndarray, scene: np.ndarray, generated: np.ndarray
) -> np.ndarray:
    """(h, w) float32: 1 in the `inserted_component`, -1 outside of it, so that the best place covers it and nothing
    else; where the piece may be shadow, `SHADOW_WEIGHT`; where it is not `known` to be product and only brighter,
    `GLOSS_WEIGHT`."""
    shadow = inserted_component & (even_darkening(scene, generated) > SHADOW_STOPS)
    gloss = inserted_component & ~known
    weight = inserted_component.astype(np.float32) * 2 - 1
    for light, light_weight in ((gloss, GLOSS_WEIGHT), (shadow, SHADOW_WEIGHT)):
        if light.sum() < MAX_SHADOW * inserted_component.sum():
            weight[light] = light_weight
    return weight
