"""Where a product stands whose print gives no hold: its photograph's outline laid over what was put in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, largest_component
from function.matching.reference_image import has_outline
from function.restoration.shading import SHADOW_STOPS, even_darkening, light_stops

# The silhouette is fitted at this size (longest side, pixels) when the photograph was not found by its print.
FIT_PX = 96
# Sizes tried then, as shares of what was put in: a dark shadow may have been taken for product.
FIT_SIZES = np.linspace(0.6, 1.04, 12)
# The same for a place that the photograph is laid at as it is: finer, and of its own proportions.
PLACE_PX, PLACE_SIZES = 192, np.linspace(0.7, 1.06, 25)
# Proportions tried: a camera that looks down changes them.
SQUEEZES = (0.9, 1.0, 1.1)
# What only darkens the scene, evenly and by `SHADOW_STOPS`, may be shadow: it speaks this much against the outline
# instead of for it, unless most of what was put in is like that.
SHADOW_WEIGHT, MAX_SHADOW = -0.3, 0.6
# A white product before a light scene reads as light: what is brighter than the scene by so many stops counts too.
BRIGHTER_STOPS = 0.1
# Sides that a piece or an outline has at least: fewer pixels have no shape.
MIN_SIDE_PX = 4
# A fitted outline holds so much of what is known to be product, and covers so little that did not change.
MIN_HELD, MIN_CHANGED = 0.85, 0.9


@dataclass(frozen=True)
class OutlineFit:
    """Where the photograph's outline covers what was put in best.

    box      (x, y, width, height) of the outline, analysis pixels
    overlap  share 0..1 that outline and piece have in common (intersection over union), shadow left out
    """

    box: tuple[float, float, float, float]
    overlap: float


def placed_outline(
    alpha: np.ndarray,
    changed: np.ndarray,
    product_mask: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    answer: np.ndarray,
) -> np.ndarray | None:
    """Coverage (h, w) uint8 of the photograph's outline at the place that `fit_outline` finds; None where it does not
    fit: it has to hold nearly all that is known to be product, and nothing that did not change.

    changed (h', w') bool, at half size.
    """
    fit = fit_outline(alpha, product_mask, light, scene, answer) if has_outline(alpha) else None
    if fit is None:
        return None
    size = product_mask.shape[1], product_mask.shape[0]
    coverage = laid_outline(alpha, fit, size)
    inside, known = coverage > 127, product_mask > 127
    moved = cv2.resize(changed.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    if not inside.any() or (inside & known).sum() < MIN_HELD * known.sum():
        return None
    return coverage if moved[inside].mean() >= MIN_CHANGED else None


def laid_outline(alpha: np.ndarray, fit: OutlineFit, size: tuple[int, int]) -> np.ndarray:
    """Coverage (h, w) uint8 of the outline of `alpha` (ph, pw) uint8 at its place in a picture of `size`."""
    x, y, width, height = fit.box
    outline = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    scale_x, scale_y = width / outline[2], height / outline[3]
    matrix = np.array([[scale_x, 0, x - outline[0] * scale_x], [0, scale_y, y - outline[1] * scale_y]])
    matrix[:, 2] += 0.5 * np.array([scale_x, scale_y]) - 0.5
    return cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR)


def largest_piece(
    product_mask: np.ndarray, light: np.ndarray, without: np.ndarray | None = None
) -> tuple[np.ndarray, PixelBox] | None:
    """The largest piece that was put in, (h, w) bool, and its box; None where nothing was.

    product_mask (h, w) uint8; light (h/2, w/2, 3) float32 log ratio: what brightens the scene may be a pale product;
    without (h, w) uint8: what is covered there is left out.
    """
    height, width = product_mask.shape
    brighter = light_stops(light, (0, 0, width, height))
    put_in = np.maximum(product_mask, (brighter > BRIGHTER_STOPS).astype(np.uint8) * 255)
    if without is not None:
        put_in[without > 0] = 0
    return largest_component(cv2.morphologyEx(put_in, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 127, MIN_SIDE_PX)


def fit_outline(
    alpha: np.ndarray,
    product_mask: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    answer: np.ndarray,
    without: np.ndarray | None = None,
    *,
    own_proportions: bool = False,
) -> OutlineFit | None:
    """The place in which the outline of `alpha` (ph, pw) uint8 covers the largest piece that was put in best; nearly
    or, where that is asked for, exactly of its `own_proportions`.

    product_mask (h, w) uint8; light (h/2, w/2, 3) float32 log ratio; scene, answer (h, w, 3) uint8. None where nothing
    was put in; `without` as in `largest_piece`.
    """
    blob = largest_piece(product_mask, light, without)
    outline = cv2.boundingRect((alpha > 127).astype(np.uint8))
    if blob is None or min(outline[2:]) < MIN_SIDE_PX:
        return None
    piece, (x, y, width, height) = blob
    shape = alpha[outline[1] : outline[1] + outline[3], outline[0] : outline[0] + outline[2]]
    sizes, squeezes = (PLACE_SIZES, (1.0,)) if own_proportions else (FIT_SIZES, SQUEEZES)
    scale = min(1.0, (PLACE_PX if own_proportions else FIT_PX) / max(width, height))
    inner = np.s_[y : y + height, x : x + width]
    target = cv2.resize(
        _speaks_for(piece[inner], scene[inner], answer[inner]),
        (max(4, round(width * scale)), max(4, round(height * scale))),
        interpolation=cv2.INTER_AREA,
    )
    pad = round(0.1 * max(target.shape)) + 1
    field = cv2.copyMakeBorder(target, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=-1)
    aspect = outline[2] / outline[3]
    best: tuple[float, tuple[int, int, int, int]] | None = None
    for size in sizes:
        for squeeze in squeezes:
            for tall in (size * target.shape[0], size * target.shape[1] / aspect):
                wide = round(tall * aspect * squeeze)
                rows = round(tall)
                if min(wide, rows) < 4 or rows > field.shape[0] or wide > field.shape[1]:
                    continue
                form = cv2.resize(shape, (wide, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
                score = cv2.matchTemplate(field, form, cv2.TM_CCORR)
                _, most, _, (left, top) = cv2.minMaxLoc(score)
                if best is None or most > best[0]:
                    best = most, (left, top, wide, rows)
    if best is None:
        return None
    left, top, wide, rows = best[1]
    inside = cv2.resize(shape, (wide, rows), interpolation=cv2.INTER_AREA) > 127
    here = field[top : top + rows, left : left + wide]
    common = np.count_nonzero(inside & (here > 0))
    union = np.count_nonzero(field > 0) + np.count_nonzero(inside & (here < SHADOW_WEIGHT))
    box = (left - pad) / scale + x, (top - pad) / scale + y, wide / scale, rows / scale
    return OutlineFit(box, float(common) / max(1, int(union)))


def _speaks_for(piece: np.ndarray, scene: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """(h, w) float32: 1 in the `piece`, -1 outside of it, so that the best place covers it and nothing else;
    where the piece may be shadow, `SHADOW_WEIGHT`."""
    shadow = piece & (even_darkening(scene, answer) > SHADOW_STOPS)
    weight = piece.astype(np.float32) * 2 - 1
    if shadow.sum() < MAX_SHADOW * piece.sum():
        weight[shadow] = SHADOW_WEIGHT
    return weight
