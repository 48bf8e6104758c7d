"""Whether the product is there only once, and nothing else was added."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import max_channel
from function.judging.check import Check, CheckSpec, at_most
from function.judging.inspection import Inspection
from function.judging.limit import most
from function.judging.product_view import VISIBLE_LEVELS, is_mirrored_below
from function.matching.photograph import photograph_alpha
from function.matching.self_similarity import repeated_share

# What else was put in, as a share of the product's area: a piece of its own, and one that touches the product.
# The latter may be the side of a turned box, which its frontal photograph does not show.
MAX_APART, MAX_TOUCHING = 0.10, 0.85
# Without print there are no instances to count. A piece of the product's own colour (difference in Lab a and b) and
# brightness (Lab L, both 8-bit) is a copy from this share of the product's area on; a turned box's side is darker.
MAX_COPY, COPY_COLOUR, COPY_BRIGHTNESS = 0.08, 8.0, 18.0
# Where it touches the product it may be a part of it that the fitted outline misses, up to this share.
MAX_OUTSIDE = 0.3
# Glass covers no more than so much (0..1), and what is seen through it is bent: that is no second product.
SEEN_THROUGH = 0.1
# What was put in holds two like parts of no more than this share each: twins of eight rendered products, as large and
# at .6 of the size, reached .075 and more, good ones and real answers 0, two real ones that are bad anyway .05.
MAX_REPEATED = 0.065
# A photograph that repeats itself by this much of what the answer does shows two of a kind: a pair of shoes has about
# 1, a chair with like rungs .5 against a second chair.
OF_A_KIND = 0.6
# It is looked for where more than this share of the product's area lies beside it, or where its outline is not known.
MIN_BESIDE = 0.05
# Pieces under this share of the product's area are specks.
MIN_PIECE = 0.01


def product_once(inspection: Inspection) -> Check:
    """Nothing else of note was put in, a second product above all."""
    unit = "share of the product's area"
    match = inspection.product.match
    if match is not None and match.instances > 1:
        return Check(float(match.instances - 1), MAX_APART, False, unit, "The product stands there more than once.")
    if inspection.view.fits_again:
        return Check(1.0, MAX_APART, False, unit, "Another thing of the product's shape stands beside it.")
    pieces = also_put_in(inspection)
    apart, touching = (max((p.share for p in pieces if p.touches is side), default=0.0) for side in (False, True))
    for piece in sorted(pieces, key=lambda piece: -piece.share) if match is None else ():
        largest = MAX_OUTSIDE if piece.touches else MAX_COPY
        if piece.alike and piece.share > largest:
            bad = "Another thing of the product's colour stands beside it."
            return at_most(piece.share, largest, unit, good="", bad=bad)
    if touching > MAX_TOUCHING:
        return at_most(touching, MAX_TOUCHING, unit, good="", bad="Something else joins the product, perhaps a copy.")
    beside = not inspection.view.fitted or any(piece.share > MIN_BESIDE for piece in pieces)
    repeated = _repeated(inspection) if beside and apart <= MAX_APART else 0.0
    if repeated > MAX_REPEATED:
        unit = "share of what was put in"
        return at_most(repeated, MAX_REPEATED, unit, good="", bad="The same thing stands there twice.")
    return at_most(
        apart,
        MAX_APART,
        unit,
        good="The product stands there once, and nothing else was added.",
        bad="Something else was added or changed beside the product, perhaps a second one.",
    )


SPEC = CheckSpec(
    name="product_once",
    lesson="The product appeared more than once. Show exactly one.",
    needs_product=True,
    measure=product_once,
    limits=(
        most("put in apart", MAX_APART, "share of the product's area"),
        most("put in touching", MAX_TOUCHING, "share of the product's area"),
        most("alike apart", MAX_COPY, "share of the product's area"),
        most("repeated", MAX_REPEATED, "share of what was put in"),
        most("alike touching", MAX_OUTSIDE, "share of the product's area"),
    ),
)


def _repeated(inspection: Inspection) -> float:
    """Share of what was put in that is there twice; 0 where its photograph shows two of a kind, as that of shoes."""
    share = repeated_share(inspection.scene.answer, inspection.product.mask)
    if share <= MAX_REPEATED:
        return share
    photograph = inspection.product.photograph
    alpha = photograph_alpha(photograph)
    in_photograph = repeated_share(np.ascontiguousarray(photograph[..., :3]), alpha)
    return 0.0 if in_photograph > OF_A_KIND * share else share


@dataclass(frozen=True)
class Piece:
    """Something else that was put in. share of the product's area; whether it touches it, and has its colour."""

    share: float
    touches: bool
    alike: bool


def also_put_in(inspection: Inspection) -> list[Piece]:
    """What was put in beside the product."""
    scene, mask, view = inspection.scene, inspection.product.mask, inspection.view
    box = cv2.boundingRect(mask)
    if box[2] == 0:
        return []
    inner = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    cover = np.zeros(scene.change.shape, np.uint8)
    x, y, width, height = view.box
    cover[y : y + height, x : x + width] = view.cover > (SEEN_THROUGH if view.settled else 0.5)
    near = cv2.dilate(cover[inner], np.ones((9, 9), np.uint8))
    differs = max_channel(cv2.blur(cv2.absdiff(scene.answer[inner], scene.image[inner]), (5, 5))) > VISIBLE_LEVELS
    rest = np.where(differs & (near == 0), mask[inner], 0)
    around = cv2.dilate(near, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.inRange(rest, 128, 255), connectivity=8)
    joined = set(np.unique(labels[around > 0])) - {0}
    own = max(1.0, float(cv2.countNonZero(cover)))
    large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > MIN_PIECE * own) + 1
    if not len(large):
        return []
    lab = cv2.cvtColor(scene.answer[inner], cv2.COLOR_RGB2LAB)
    solid = cover[inner] > 0
    of_product = np.median(lab[solid], axis=0) if solid.any() else np.full(3, np.inf)
    x, y, width, height = cv2.boundingRect(cover[inner])
    pieces = []
    for label in large:
        left, top, wide, tall = (int(side) for side in stats[label, :4])
        if is_mirrored_below((left, top, wide, tall), (x, y, width, height)):
            continue
        light, *colour = np.median(lab[labels == label], axis=0) - of_product
        alike = np.hypot(*colour) < COPY_COLOUR and abs(light) < COPY_BRIGHTNESS
        pieces.append(Piece(float(stats[label, cv2.CC_STAT_AREA] / own), label in joined, bool(alike)))
    return pieces
