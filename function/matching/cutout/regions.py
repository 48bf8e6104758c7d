"""What of a photograph is backdrop: outside of the product, in its shadow, and through its openings."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import fill_holes
from function.matching.cutout.backdrop import Backdrop, differences, refit
from function.matching.cutout.glass import find_glass

# A shadow darkens all channels alike: they may differ by so many levels more per level of darkness. No darker than so.
SHADOW_CHROMA, DARKEST_SHADOW = 0.06, 0.25
# It goes over into the backdrop without an edge: so many levels a pixel at 600 px at the most.
SHADOW_STEP = 5.0
# Coloured light that a product throws into its shadow: so many more levels, where it goes over more softly still.
TINTED_CHROMA, TINTED_STEP = 8.0, 1.2
# Where more than the rest of this share of what is no backdrop would be shadow, it is not: a grey product with soft
# edges, the pale sole of a shoe. Shadows of packshots take 5 to 15 %, under a thin product more of it.
MIN_UNSHADOWED = 0.62
# An enclosed piece of backdrop is an opening where this share of it is backdrop without shadow, and it covers so many
# pixels at 600 px; a smaller one may as well be white print.
MIN_LIT, MIN_OPENING_PX = 0.4, 60
# What is narrower than so many px and covers less than this share of the picture may be white lettering.
STROKE_PX, MIN_BROAD = 9, 0.004
# Print on paper differs from it by so many levels, over so many px.
PRINT_LEVELS, MIN_PRINT_PX = 40.0, 30
# Its colour is the backdrop's own to so many levels on average: a label's white hardly ever is.
SAME_LEVEL = 1.6
# Specks of noise are no product: fewer pixels at 600 px.
MIN_PIECE_PX = 12


@dataclass(frozen=True)
class Regions:
    """Each (h, w) bool. outside: backdrop, in shadow or not; unknown: enclosed, and may be an opening or print; glass:
    backdrop is seen through it."""

    outside: np.ndarray
    unknown: np.ndarray
    glass: np.ndarray


def find_regions(rgb: np.ndarray, backdrop: Backdrop) -> Regions:
    """Of `rgb` (h, w, 3) uint8, about 600 px."""
    for _ in range(2):
        luma, chroma, ratio = differences(rgb, backdrop.picture)
        lit = (np.abs(luma) <= backdrop.luma) & (chroma <= backdrop.chroma)
        backdrop = refit(backdrop, rgb, cv2.erode(_touching_border(lit), np.ones((5, 5), np.uint8)) > 0)
    luma, chroma, ratio = differences(rgb, backdrop.picture)
    lit = (np.abs(luma) <= backdrop.luma) & (chroma <= backdrop.chroma)
    outside = _touching_border(lit) > 0
    shadowed = _shadowed(luma, chroma, ratio, backdrop)
    passable = lit | shadowed
    beyond = _touching_border(passable) > 0
    without_shadow, with_shadow = (_despeckled(~o) for o in (outside, beyond))
    if with_shadow.sum() >= MIN_UNSHADOWED * without_shadow.sum():
        outside = ~with_shadow
    else:
        passable, outside = lit, ~without_shadow
    opened, unknown = _openings(passable & ~outside, lit, luma, chroma)
    outside = outside | opened
    return Regions(outside, unknown, find_glass(luma, chroma, outside))


def _shadowed(luma: np.ndarray, chroma: np.ndarray, ratio: np.ndarray, backdrop: Backdrop) -> np.ndarray:
    """(h, w) bool: backdrop made darker evenly in all channels, without an edge."""
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.0)
    slope = np.hypot(*(cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1))))
    most_chroma = backdrop.chroma + SHADOW_CHROMA * np.abs(luma)
    darker = (luma < backdrop.luma) & (ratio > DARKEST_SHADOW)
    grey = (chroma < most_chroma) & (slope < SHADOW_STEP)
    tinted = (chroma < most_chroma + TINTED_CHROMA) & (slope < TINTED_STEP)
    result: np.ndarray = darker & (grey | tinted)
    return result


def _openings(
    enclosed: np.ndarray, lit: np.ndarray, luma: np.ndarray, chroma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the `enclosed` (h, w) bool pieces of backdrop are openings, and of which that cannot be told."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(enclosed.astype(np.uint8), connectivity=4)
    alike, opened = np.zeros(count, bool), np.zeros(count, bool)
    differs = ((np.abs(luma) + chroma) > PRINT_LEVELS).astype(np.uint8)
    paper = False
    for label in range(1, count):
        x, y, width, height, area = (int(side) for side in stats[label])
        if area < MIN_PIECE_PX:
            continue
        box = np.s_[y : y + height, x : x + width]
        inside = labels[box] == label
        seen = inside & lit[box]
        if seen.sum() < MIN_LIT * area:
            continue
        alike[label] = abs(luma[box][seen].mean()) <= SAME_LEVEL and chroma[box][seen].mean() <= 2 * SAME_LEVEL
        paper |= bool(alike[label]) and _holds_print(inside, differs[box])
        opened[label] = alike[label] and area >= MIN_OPENING_PX and not _may_be_lettering(inside, labels.size)
    if paper:
        # The product has the backdrop's colour somewhere: then it may have it anywhere.
        opened[:] = False
    return opened[labels], (alike & ~opened)[labels]


def _may_be_lettering(inside: np.ndarray, picture_px: int) -> bool:
    """Whether an enclosed piece of backdrop `inside` (h, w) bool is as narrow and small as a stroke of white ink."""
    padded = np.pad(inside.astype(np.uint8), 1)
    width = 2 * float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max())
    return width < STROKE_PX and bool(inside.sum() < MIN_BROAD * picture_px)


def _holds_print(inside: np.ndarray, differs: np.ndarray) -> bool:
    """Whether a piece of backdrop `inside` (h, w) bool is paper with something on it, of what `differs` (h, w) uint8
    clearly: nothing hangs in the middle of an opening."""
    islands = fill_holes(inside.astype(np.uint8)).astype(bool) & ~inside
    _, _, stats, _ = cv2.connectedComponentsWithStats(differs * islands, connectivity=8)
    return bool((stats[1:, cv2.CC_STAT_AREA] >= MIN_PRINT_PX).any())


def _touching_border(mask: np.ndarray) -> np.ndarray:
    """(h, w) uint8 0/1: the 4-connected pieces of `mask` (h, w) bool that touch the picture's border."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    touching = np.zeros(labels.max() + 1, np.uint8)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[side] = 1
    touching[0] = 0
    result: np.ndarray = touching[labels]
    return result


def _despeckled(mask: np.ndarray) -> np.ndarray:
    """`mask` (h, w) bool without pieces too small to be product."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= MIN_PIECE_PX
    kept[0] = False
    result: np.ndarray = kept[labels]
    return result
