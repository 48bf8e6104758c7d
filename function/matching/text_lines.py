"""Whether a product photograph shows lines of letters, however small or pale.

A line of text is a chain of marks of one tone and about one height that stand on a straight baseline with small gaps,
as in the grouping of letter candidates by Epshtein, Ofek and Wexler, "Detecting text in natural scenes with stroke
width transform" (CVPR 2010, doi:10.1109/CVPR.2010.5540041). The marks are connected components of a local threshold
(Niblack's, 1986), with strokes that are thin for their height. Letters differ from one another: what repeats itself,
the teeth of a zip, stitches, slats, is no text.

In: `ReferenceImage` of the product. Out: a bool. Products with a label had 14 letters and more in two lines; garments,
bags, wicker and furniture 11 at the most.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from function.matching.reference_image import ReferenceImage

# Longest side (px) of the product, and the windows (px) of the local threshold: letters are lower than a window.
SIDE_PX, WINDOWS_PX = 1000, (15, 31, 61)
# Ink differs from the tone around it by more, 8-bit levels.
MIN_CONTRAST = 8.0
# A letter's least height, px; its height over the window; its width over its height; its ink over its box.
MIN_HEIGHT_PX, MAX_HEIGHT, WIDTHS, INK = 8, 1.2, (0.08, 2.0), (0.15, 0.95)
# Largest stroke over the letter's height.
MAX_STROKE = 0.5
# In a line: largest gap, height ratio, step of the baseline over the height, and difference in tone over the contrast.
MAX_GAP, MAX_HEIGHT_RATIO, MAX_STEP, MAX_TONE = 1.2, 2.0, 0.3, 0.5
# A line has so many letters; this share of them stands within this share of the height of a baseline of this slope.
MIN_LETTERS, MIN_ON_BASELINE, BASELINE, MAX_SLOPE = 5, 0.6, 0.12, 0.3
# Largest mean intersection over union of neighbours, scaled to the same box of so many px: letters had up to .6; and
# the largest coefficient of variation of the widths, of which letters had up to .7 and creases .9.
MAX_LIKENESS, SHAPE_PX, MAX_WIDTH_VARIATION = 0.62, 12, 0.75
# Largest coefficient of variation of the heights, and least median of the width over the height: letters had up to .2
# and .57 and more, the streaks of sawn wood .25 or .12.
MAX_HEIGHT_VARIATION, MIN_MEDIAN_WIDTH = 0.23, 0.45
# Text has so many lines and letters at one threshold.
MIN_LINES, MIN_ALL_LETTERS = 2, 12
# More marks than these are a texture.
MAX_MARKS = 1500
# Pixels along the outline that are left out: they are mixed with what lies behind the product.
RIM_PX = 9


@dataclass(frozen=True)
class Mark:
    """A connected component: its box (px), its ink (height, width) bool, its tone and how far that is from its
    surroundings, 8-bit levels."""

    x: int
    y: int
    width: int
    height: int
    ink: np.ndarray
    tone: float
    contrast: float

    @property
    def bottom(self) -> int:
        """The row below its last one."""
        return self.y + self.height


def has_text(photograph: ReferenceImage) -> bool:
    """Whether the product bears at least two lines of letters."""
    return next(_texts(photograph.downscaled(SIDE_PX)), None) is not None


def text_mask(photograph: ReferenceImage) -> np.ndarray:
    """(h, w) uint8, of the size of `photograph`, 255 where lines of letters are on the product."""
    small = photograph.downscaled(SIDE_PX)
    mask = np.zeros(small.alpha.shape, np.uint8)
    for lines in _texts(small):
        for one in itertools.chain.from_iterable(lines):
            mask[one.y : one.bottom, one.x : one.x + one.width] = 255
    return cv2.resize(mask, photograph.alpha.shape[::-1], interpolation=cv2.INTER_NEAREST)


def _texts(photograph: ReferenceImage) -> Iterator[list[list[Mark]]]:
    """The lines of letters in each window, of light and of dark ink, where they are enough to be text."""
    tones = cv2.cvtColor(photograph.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = cv2.erode(cv2.inRange(photograph.alpha, 201, 255), np.ones((RIM_PX, RIM_PX), np.uint8))
    for window in WINDOWS_PX:
        around = cv2.blur(tones, (window, window), borderType=cv2.BORDER_REFLECT)
        for ink in (tones - around > MIN_CONTRAST, around - tones > MIN_CONTRAST):
            lines = _text_lines(_marks(ink.astype(np.uint8), tones, around, inside, window))
            if len(lines) >= MIN_LINES and sum(map(len, lines)) >= MIN_ALL_LETTERS:
                yield lines


def _marks(ink: np.ndarray, tones: np.ndarray, around: np.ndarray, inside: np.ndarray, window: int) -> list[Mark]:
    """The components of `ink` (h, w) uint8 that may be letters, from left to right."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    _, _, wide, tall, area = stats.T
    share, filled = wide / tall, area / (wide * tall)
    likely = (tall >= MIN_HEIGHT_PX) & (tall <= MAX_HEIGHT * window)
    likely &= (share >= WIDTHS[0]) & (share <= WIDTHS[1]) & (filled >= INK[0]) & (filled <= INK[1])
    likely[0] = False  # what is no ink
    numbers = np.flatnonzero(likely)
    if len(numbers) > MAX_MARKS:
        return []
    marks = []
    for number in numbers[np.argsort(stats[numbers, cv2.CC_STAT_LEFT], kind="stable")]:
        x, y, width, height, _ = (int(value) for value in stats[number])
        box = np.s_[y : y + height, x : x + width]
        shape = labels[box] == number
        if inside[box].min() == 0 or _stroke(shape) > MAX_STROKE * height:
            continue
        tone = float(tones[box][shape].mean())
        marks.append(Mark(x, y, width, height, shape, tone, abs(tone - float(around[box].mean()))))
    return marks


def _stroke(shape: np.ndarray) -> float:
    """Width of the widest stroke of `shape` (h, w) bool, px."""
    return 2 * float(cv2.distanceTransform(np.pad(shape.astype(np.uint8), 1), cv2.DIST_L2, 3).max())


def _text_lines(marks: list[Mark]) -> list[list[Mark]]:
    """Chains of `marks`, which are ordered from left to right, that read as lines of letters."""
    lines, taken = [], set[int]()
    for first in range(len(marks)):
        if first in taken:
            continue
        chain = [first]
        while (following := _next_letter(marks, chain[-1])) is not None:
            chain.append(following)
        if len(chain) >= MIN_LETTERS:
            taken.update(chain)
            line = [marks[number] for number in chain]
            lines += [line] if _is_text(line) else []
    return lines


def _next_letter(marks: list[Mark], number: int) -> int | None:
    last = marks[number]
    reach = last.x + last.width + MAX_GAP * MAX_HEIGHT_RATIO * last.height
    for following in range(number + 1, len(marks)):
        mark = marks[following]
        if mark.x > reach:
            return None
        tallest = max(last.height, mark.height)
        if (
            last.x + last.width / 2 <= mark.x <= last.x + last.width + MAX_GAP * tallest
            and tallest <= MAX_HEIGHT_RATIO * min(last.height, mark.height)
            and abs(mark.bottom - last.bottom) <= MAX_STEP * tallest
            and abs(mark.tone - last.tone) <= MAX_TONE * last.contrast
        ):
            return following
    return None


def _is_text(line: list[Mark]) -> bool:
    """Whether the marks stand on a baseline and differ as letters do."""
    heights = np.array([mark.height for mark in line], np.float64)
    middles = np.array([mark.x + mark.width / 2 for mark in line])
    bottoms = np.array([mark.bottom for mark in line], np.float64)
    slope, offset = np.polyfit(middles, bottoms, 1)
    on_baseline = np.abs(bottoms - slope * middles - offset) < BASELINE * np.median(heights)
    widths = np.array([mark.width for mark in line], np.float64)
    size = SHAPE_PX, SHAPE_PX
    shapes = [cv2.resize(mark.ink * np.uint8(255), size, interpolation=cv2.INTER_AREA) > 127 for mark in line]
    alike = [float((a & b).sum()) / max(1.0, float((a | b).sum())) for a, b in itertools.pairwise(shapes)]
    return bool(
        abs(slope) <= MAX_SLOPE
        and on_baseline.mean() >= MIN_ON_BASELINE
        and np.mean(alike) <= MAX_LIKENESS
        and widths.std() <= MAX_WIDTH_VARIATION * widths.mean()
        and heights.std() <= MAX_HEIGHT_VARIATION * heights.mean()
        and np.median(widths / heights) >= MIN_MEDIAN_WIDTH
    )
