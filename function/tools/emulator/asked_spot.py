"""What the emulated model does with a place that the prompt states in numbers: it obeys, or misses it (of several
products the first that has one)."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from function.tools.emulator.marked_spot import MarkedSpot, shows_mark
from function.tools.emulator.placement import Spot

BOX = re.compile(r"box \[ymin, xmin, ymax, xmax\] = \[(\d+), (\d+), (\d+), (\d+)\] of \[1\]")
BEST = re.compile(r"Best is \[y, x\] = \[(\d+), (\d+)\]")
HEIGHT = re.compile(r"exactly (\d+) thousandths of the height of \[1\] tall")
AT_ITS_TOP = re.compile(r"its top (?:on the middle of the box's|lies inside)")
# How far a place is missed: up or down by so much of the product's height, aside by so many of its widths, or with a
# product so many times as large.
MISSED_HEIGHTS, MISSED_WIDTHS, OVERSIZED = (0.11, 0.3), (1.0, 1.5), (1.12, 1.4)
SPOT_MANNERS = frozenset(
    {"spot_missed_up", "spot_missed_down", "spot_missed_aside", "spot_oversized", "spot_undersized"}
)


def states_spot(text: str) -> bool:
    """Whether the prompt `text` says where, or how tall, in numbers or by an outline."""
    return shows_mark(text) or any(stated.search(text) for stated in (BOX, BEST, HEIGHT))


def hangs(text: str) -> bool:
    """Whether the prompt `text` has the product held at its top."""
    return AT_ITS_TOP.search(text) is not None


def asked_middle(text: str) -> float | None:
    """The middle of the box of the prompt `text`, or its best point, as a share of the width; None without either."""
    box, best = _box(text, None), _best(text, None)
    if box is not None:
        return (box[0] + box[2]) / 2
    return None if best is None else best[0]


def at_asked_spot(text: str, size: tuple[int, int], aspect: float, found: Spot, mark: MarkedSpot | None = None) -> Spot:
    """Where the prompt `text` asks for a product of this `aspect` (width over height), or a `mark` shows it, in a
    picture of `size`; what neither says is that of the spot that was `found`."""
    box, best, height = _box(text, mark), _best(text, mark), HEIGHT.search(text)
    tall = found.height if height is None else int(height[1]) / 1000 * size[1]
    foot_x, foot_y = found.foot_x, found.foot_y
    at_top = hangs(text)
    if box is not None:
        left, top, right, bottom = (share * side for share, side in zip(box, 2 * size, strict=True))
        if height is None:
            tall = min(bottom - top, (right - left) / aspect)
        foot_x, foot_y = (left + right) / 2, top + tall if at_top else bottom
    elif best is not None:
        foot_x, foot_y = best[0] * size[0], best[1] * size[1]
        foot_y += tall * at_top
    return Spot(foot_x, foot_y, tall)


def _box(text: str, mark: MarkedSpot | None) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom in shares of the picture."""
    if mark is not None and mark.box is not None:
        return mark.box
    stated = BOX.search(text)
    if stated is None:
        return None
    top, left, bottom, right = (int(number) / 1000 for number in stated.groups())
    return left, top, right, bottom


def _best(text: str, mark: MarkedSpot | None) -> tuple[float, float] | None:
    """(x, y) in shares of the picture."""
    if mark is not None and mark.best is not None:
        return mark.best
    stated = BEST.search(text)
    return None if stated is None else (int(stated[2]) / 1000, int(stated[1]) / 1000)


def missed(spot: Spot, aspect: float, size: tuple[int, int], manner: str | None, rng: np.random.Generator) -> Spot:
    """The spot as a model that misses it in this `manner` draws it; the same for every other one."""
    if manner not in SPOT_MANNERS:
        return spot
    if manner == "spot_missed_up":
        return replace(spot, foot_y=spot.foot_y - rng.uniform(*MISSED_HEIGHTS) * spot.height)
    if manner == "spot_missed_down":
        return replace(spot, foot_y=spot.foot_y + rng.uniform(*MISSED_HEIGHTS) * spot.height)
    if manner == "spot_missed_aside":
        side = 1 if spot.foot_x < size[0] / 2 else -1
        return replace(spot, foot_x=spot.foot_x + side * rng.uniform(*MISSED_WIDTHS) * aspect * spot.height)
    grown = rng.uniform(*OVERSIZED)
    return replace(spot, height=spot.height * grown if manner == "spot_oversized" else spot.height / grown)
