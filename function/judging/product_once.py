"""Whether the product is there, once, and of a size one can believe."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import max_channel
from function.judging.check import Check, at_least, at_most
from function.judging.product_view import View
from function.restoration.analysis import Analysis

# Smallest product worth looking at, as a share of the picture.
LEAST_AREA = 0.003
# What else was put in, as a share of the product's area: a piece of its own, and one that touches the product.
# The latter may be the side of a turned box, which its frontal photograph does not show.
MOST_APART, MOST_TOUCHING = 0.10, 0.85
# Without print there are no instances to count. A piece of the product's own colour (difference in Lab a and b) and
# brightness (Lab L, both 8-bit) is a copy from this share of the product's area on; a turned box's side is darker.
MOST_COPY, COPY_COLOUR, COPY_BRIGHTNESS = 0.08, 8.0, 18.0
# A pixel counts as put in when it differs from the scene by this much, 8-bit levels: crushed blacks do not.
VISIBLE_LEVELS = 20
# Pieces under this share of the product's area are specks.
LEAST_PIECE = 0.01
# Height of the product as a share of the picture's: below, it is lost; above, it is no longer in a scene.
LEAST_HEIGHT, MOST_HEIGHT = 0.07, 0.68
# Width over height against the photograph's: turning and looking down change it, but not more than this.
LEAST_ASPECT, MOST_ASPECT = 0.84, 1.2


def nothing_put_in() -> Check:
    return Check(0.0, LEAST_AREA, False, "share of the picture", "The product is missing: nothing was put in.")


def product_present(analysis: Analysis, view: View, resembles: bool) -> Check:
    """Something was put in that is the product; `resembles`: by its print, or else by its colours."""
    area = float((view.cover > 0.5).sum() / analysis.change.size)
    if not resembles:
        return Check(round(area, 4), LEAST_AREA, False, "share of the picture", "What was put in is not the product.")
    return at_least(
        area,
        LEAST_AREA,
        "share of the picture",
        good="The product stands in the scene.",
        bad="The product is missing, or far too small to see.",
    )


def product_once(analysis: Analysis, view: View) -> Check:
    """Nothing else of note was put in, a second product above all."""
    unit = "share of the product's area"
    if analysis.match is not None and analysis.match.instances > 1:
        return Check(
            float(analysis.match.instances - 1), MOST_APART, False, unit, "The product stands there more than once."
        )
    pieces = also_put_in(analysis, view)
    apart, touching = (max((p.share for p in pieces if p.touches is side), default=0.0) for side in (False, True))
    copied = max((p.share for p in pieces if p.alike), default=0.0) if analysis.match is None else 0.0
    if copied > MOST_COPY:
        return at_most(copied, MOST_COPY, unit, good="", bad="Another thing of the product's colour stands beside it.")
    if touching > MOST_TOUCHING:
        return at_most(touching, MOST_TOUCHING, unit, good="", bad="Something else joins the product, perhaps a copy.")
    return at_most(
        apart,
        MOST_APART,
        unit,
        good="The product stands there once, and nothing else was added.",
        bad="Something else was added or changed beside the product, perhaps a second one.",
    )


@dataclass(frozen=True)
class Piece:
    """Something else that was put in. share of the product's area; whether it touches it, and has its colour."""

    share: float
    touches: bool
    alike: bool


def also_put_in(analysis: Analysis, view: View) -> list[Piece]:
    """What was put in beside the product."""
    box = cv2.boundingRect(analysis.product_mask)
    if box[2] == 0:
        return []
    inner = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    cover = np.zeros(analysis.change.shape, np.uint8)
    x, y, width, height = view.box
    cover[y : y + height, x : x + width] = view.cover > 0.5
    near = cv2.dilate(cover[inner], np.ones((9, 9), np.uint8))
    differs = max_channel(cv2.blur(cv2.absdiff(analysis.answer[inner], analysis.scene[inner]), (5, 5))) > VISIBLE_LEVELS
    rest = np.where(differs & (near == 0), analysis.product_mask[inner], 0)
    around = cv2.dilate(near, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.inRange(rest, 128, 255), connectivity=8)
    joined = set(np.unique(labels[around > 0])) - {0}
    own = float(cv2.countNonZero(cover))
    large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > LEAST_PIECE * own) + 1
    if not len(large):
        return []
    lab = cv2.cvtColor(analysis.answer[inner], cv2.COLOR_RGB2LAB)
    solid = cover[inner] > 0
    of_product = np.median(lab[solid], axis=0) if solid.any() else np.full(3, np.inf)
    pieces = []
    for label in large:
        light, *colour = np.median(lab[labels == label], axis=0) - of_product
        alike = np.hypot(*colour) < COPY_COLOUR and abs(light) < COPY_BRIGHTNESS
        pieces.append(Piece(float(stats[label, cv2.CC_STAT_AREA] / own), label in joined, bool(alike)))
    return pieces


def scale_plausible(analysis: Analysis, view: View) -> Check:
    """The product has a size one can believe and its own proportions."""
    aspect = aspect_change(analysis)
    if aspect is not None and not LEAST_ASPECT <= aspect <= MOST_ASPECT:
        limit = LEAST_ASPECT if aspect < LEAST_ASPECT else MOST_ASPECT
        wrong = "narrow and tall" if aspect < LEAST_ASPECT else "wide and flat"
        return Check(
            round(aspect, 3), limit, False, "of the photograph's width to height", f"The product is drawn too {wrong}."
        )
    share = view.height / analysis.change.shape[0]
    if share < LEAST_HEIGHT:
        return at_least(share, LEAST_HEIGHT, "share of the height", good="", bad="The product is far too small.")
    return at_most(
        share,
        MOST_HEIGHT,
        "share of the height",
        good="The product has a believable size.",
        bad="The product is far too large for the scene.",
    )


def aspect_change(analysis: Analysis) -> float | None:
    """Width over height in the answer against the photograph, where it was verified; None without a match."""
    match = analysis.match
    if match is None or (match.weight > 200).sum() < 50:
        return None
    sure = match.weight > 200
    rows, columns = analysis.product.shape[:2]
    across = abs(float(np.median(np.gradient(match.mapping[..., 0], axis=1)[sure]))) * columns
    down = abs(float(np.median(np.gradient(match.mapping[..., 1], axis=0)[sure]))) * rows
    return down / across if across > 0 else None
