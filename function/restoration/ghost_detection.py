"""Detects ghosts in the restored image: nothing in it may be half there.

Everywhere the result has to agree with the scene under smooth light or with the generated image, in structure and in
tone: what agrees with neither is a ghost, whatever put it there. It is compared at half the analysis size, as content
is (`content.py`), and the model's own pixels go in where a ghost is found. Where the photograph's verified detail was
transferred the result is meant to differ, and is not compared. In: result (H, W, 3) uint8, `Analysis`. Out: (h, w)
uint8.
"""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np

from function.imaging.array_ops import downsample2
from function.imaging.frame import Size
from function.restoration.analysis import Analysis
from function.restoration.content import Comparison

# Half-size pixels around the change that the noise of untouched places is measured on.
MARGIN_PX = 40
# A ghost has this share of the image at least: smaller ones are grain of the comparison.
MIN_AREA = 2e-4
# Verified detail reaches past its weight by this much (analysis pixels): it is faded out.
FADE_PX = 9


def find_ghosts(result: np.ndarray, analysis: Analysis) -> np.ndarray:
    """(h, w) uint8 coverage, at analysis size, of what of the `result` (H, W, 3) uint8 agrees with neither."""
    scene = analysis.scene
    nothing = np.zeros(scene.change.shape, np.uint8)
    whole = downsample2(scene.change)
    x, y, width, height = cv2.boundingRect(whole)
    if width == 0:
        return nothing
    rows = slice(max(0, y - MARGIN_PX), y + height + MARGIN_PX)
    columns = slice(max(0, x - MARGIN_PX), x + width + MARGIN_PX)
    size = whole.shape[1], whole.shape[0]
    shown = shrunk_part(result, size, rows, columns).astype(np.float32)
    before, generated = (
        downsample2(picture)[rows, columns].astype(np.float32) for picture in (scene.image, scene.generated)
    )
    relit = np.clip(before * cv2.exp(scene.light[rows, columns]), 0, 255)
    inside = downsample2(scene.registration.inside.astype(np.uint8))[rows, columns] > 0
    changed = cv2.dilate((whole[rows, columns] > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    judged = (~_verified(analysis)[rows, columns] & inside).astype(np.float32)
    ghosts = changed & (judged > 0)
    # No shifts: the result lies exactly where the scene or the generated image lies. Pixels are compared first: hardly
    # any differ from both, and then the rest, which takes twice as long, is not needed.
    comparisons = [Comparison(source, shown, judged, ~changed & inside) for source in (generated, relit)]
    steps = (Comparison.pixel_differs, lambda one: one.structure_differs(()) | one.tone_differs())
    for differs, comparison in itertools.product(steps, comparisons):
        ghosts = _large(ghosts & differs(comparison), MIN_AREA * whole.size)
        if not ghosts.any():
            return nothing
    found = cv2.dilate(ghosts.astype(np.uint8), np.ones((5, 5), np.uint8))
    half = np.zeros_like(whole)
    half[rows, columns] = found * 255
    full_size = scene.change.shape[1], scene.change.shape[0]
    return cv2.resize(half, full_size, interpolation=cv2.INTER_LINEAR)


def shrunk_part(image: np.ndarray, size: Size, rows: slice, columns: slice) -> np.ndarray:
    """`rows` and `columns` of `image` (H, W, 3) uint8 shrunk to `size` by area average: pixel for pixel those of the
    whole, without shrinking most of it."""
    width, height = size
    if image.shape[0] < height or image.shape[1] < width:
        # What is enlarged is interpolated, and looks past its borders.
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)[rows, columns]
    (small_rows, full_rows), (small_columns, full_columns) = (
        _whole_periods(rows, height, image.shape[0]),
        _whole_periods(columns, width, image.shape[1]),
    )
    part_size = small_columns.stop - small_columns.start, small_rows.stop - small_rows.start
    part = cv2.resize(image[full_rows, full_columns], part_size, interpolation=cv2.INTER_AREA)
    return part[
        rows.start - small_rows.start : rows.stop - small_rows.start,
        columns.start - small_columns.start : columns.stop - small_columns.start,
    ]


def _whole_periods(wanted: slice, small: int, full: int) -> tuple[slice, slice]:
    """The least part that holds `wanted` of a side of `small` pixels, and the same of its `full` pixels, that begins
    and ends where borders of pixels of both meet: between such borders each small pixel has the same share of the same
    full ones, wherever the part lies."""
    periods = math.gcd(small, full)
    step, full_step = small // periods, full // periods
    first, last = wanted.start // step, min(periods, -(-wanted.stop // step))
    return slice(first * step, last * step), slice(first * full_step, last * full_step)


def _large(mask: np.ndarray, min_area: float) -> np.ndarray:
    """The components of `mask` (h, w) bool that are no smaller than `min_area` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= min_area
    large[0] = False
    result: np.ndarray = large[labels]
    return result


def _verified(analysis: Analysis) -> np.ndarray:
    """(h', w') bool, at half size: where the photograph's own detail is carried over."""
    mask = np.zeros(analysis.scene.change.shape, np.uint8)
    for match in (product.match for product in analysis.products):
        if match is not None and match.detail:
            x, y, width, height = match.box
            inner = np.s_[y : y + height, x : x + width]
            mask[inner] = cv2.max(mask[inner], cv2.dilate(match.weight, np.ones((FADE_PX, FADE_PX), np.uint8)))
    return downsample2(mask) > 0
