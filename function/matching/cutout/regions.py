"""Segments a photograph into backdrop and product: outside, in its shadow, and through its openings.

Backdrop is what differs from the fitted one by no more than noise and touches the border, or is a shadow: even
darkening of all channels without an edge. Enclosed pieces of backdrop are openings where they are lit and broad; small,
narrow or printed ones may be white ink or paper, and stay unknown. The backdrop is refitted twice from what shows of
it.

In: (h, w, 3) uint8 at about 600 px, a `Backdrop`. Out: `Regions`, (h, w) bool. Thresholds: `python -m
tests.bench.photographs`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import fill_holes
from function.matching.cutout.backdrop import Backdrop, backdrop_difference, refit_backdrop
from function.matching.cutout.glass import find_glass

# A shadow darkens all channels evenly: chroma that is allowed per level of darkening, and the least ratio of luma.
SHADOW_CHROMA, DARKEST_SHADOW = 0.06, 0.25
# It has no edge: largest gradient, levels a pixel at 600 px.
SHADOW_STEP = 5.0
# Coloured light that a product reflects into its shadow: more chroma at a smaller gradient.
TINTED_CHROMA, TINTED_STEP = 8.0, 1.2
# Where more than the rest of this share of what is no backdrop would be shadow, it is not: a grey product with soft
# edges, the pale sole of a shoe. Shadows of packshots take 5 to 15 %, under a thin product more of it.
MIN_PRODUCT_SHARE = 0.62
# An enclosed component is an opening from this share of unshadowed backdrop and this area (px at 600 px) on; a smaller
# one may as well be white print.
MIN_LIT, MIN_OPENING_PX = 0.4, 60
# What is narrower than this (px) and smaller than this share of the image may be white lettering.
STROKE_PX, MIN_BROAD = 9, 0.004
# Print differs from paper by this many levels, over this many pixels.
PRINT_LEVELS, MIN_PRINT_PX = 40.0, 30
# Largest mean difference of an opening from the backdrop, levels: a label's white hardly ever is as near.
MAX_LEVEL_DIFFERENCE = 1.6
# Smaller components (px at 600 px) are noise.
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
        luma, chroma, ratio = backdrop_difference(rgb, backdrop.image)
        lit = (np.abs(luma) <= backdrop.luma) & (chroma <= backdrop.chroma)
        backdrop = refit_backdrop(backdrop, rgb, cv2.erode(_border_components(lit), np.ones((5, 5), np.uint8)) > 0)
    luma, chroma, ratio = backdrop_difference(rgb, backdrop.image)
    lit = (np.abs(luma) <= backdrop.luma) & (chroma <= backdrop.chroma)
    outside = _border_components(lit) > 0
    shadow = _shadow_mask(luma, chroma, ratio, backdrop)
    passable = lit | shadow
    outside_with_shadow = _border_components(passable) > 0
    without_shadow, with_shadow = (_without_specks(~o) for o in (outside, outside_with_shadow))
    if with_shadow.sum() >= MIN_PRODUCT_SHARE * without_shadow.sum():
        outside = ~with_shadow
    else:
        passable, outside = lit, ~without_shadow
    opened, unknown = _openings(passable & ~outside, lit, luma, chroma)
    outside = outside | opened
    return Regions(outside, unknown, find_glass(luma, chroma, outside))


def _shadow_mask(luma: np.ndarray, chroma: np.ndarray, ratio: np.ndarray, backdrop: Backdrop) -> np.ndarray:
    """(h, w) bool: backdrop made darker evenly in all channels, without an edge."""
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.0)
    slope = np.hypot(*(cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1))))
    max_chroma = backdrop.chroma + SHADOW_CHROMA * np.abs(luma)
    darker = (luma < backdrop.luma) & (ratio > DARKEST_SHADOW)
    grey = (chroma < max_chroma) & (slope < SHADOW_STEP)
    tinted = (chroma < max_chroma + TINTED_CHROMA) & (slope < TINTED_STEP)
    result: np.ndarray = darker & (grey | tinted)
    return result


def _openings(
    enclosed: np.ndarray, lit: np.ndarray, luma: np.ndarray, chroma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the `enclosed` (h, w) bool pieces of backdrop are openings, and of which that cannot be told."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(enclosed.astype(np.uint8), connectivity=4)
    same_level, opened = np.zeros(count, bool), np.zeros(count, bool)
    differs = ((np.abs(luma) + chroma) > PRINT_LEVELS).astype(np.uint8)
    paper = False
    for label in range(1, count):
        x, y, width, height, area = (int(side) for side in stats[label])
        if area < MIN_PIECE_PX:
            continue
        box = np.s_[y : y + height, x : x + width]
        inside = labels[box] == label
        lit_inside = inside & lit[box]
        if lit_inside.sum() < MIN_LIT * area:
            continue
        luma_off, chroma_off = abs(luma[box][lit_inside].mean()), chroma[box][lit_inside].mean()
        same_level[label] = luma_off <= MAX_LEVEL_DIFFERENCE and chroma_off <= 2 * MAX_LEVEL_DIFFERENCE
        paper |= bool(same_level[label]) and _holds_print(inside, differs[box])
        opened[label] = same_level[label] and area >= MIN_OPENING_PX and not _may_be_lettering(inside, labels.size)
    if paper:
        # The product has the backdrop's colour somewhere: then it may have it anywhere.
        opened[:] = False
    return opened[labels], (same_level & ~opened)[labels]


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


def _border_components(mask: np.ndarray) -> np.ndarray:
    """(h, w) uint8 0/1: the 4-connected pieces of `mask` (h, w) bool that touch the image's border."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    touching = np.zeros(labels.max() + 1, np.uint8)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[side] = 1
    touching[0] = 0
    result: np.ndarray = touching[labels]
    return result


def _without_specks(mask: np.ndarray) -> np.ndarray:
    """`mask` (h, w) bool without pieces too small to be product."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= MIN_PIECE_PX
    kept[0] = False
    result: np.ndarray = kept[labels]
    return result
