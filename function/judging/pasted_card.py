"""A card that a model pastes along with the product: what lies around the product is no scene but one piece with it.

Where the photograph's outline lies on the product, what was put in all around it is a card: the side of a turned box,
which a frontal photograph does not show, lies to one side only. Where its print was not found, a card is told by its
form too: one colour whose convex hull fills a rectangle, around something else, while the photograph's own outline does
not. Of a rectangular product without print a card cannot be told so.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import fill_holes, largest_component
from function.judging.product_view import ProductView
from function.matching.photograph import photograph_alpha
from function.restoration.shading import SHADOW_STOPS, even_darkening

# A ring around the product is looked at: so far outside of its outline, px, and so wide, share of its longer side.
GAP_PX, RING_SHARE = 4, 0.06
# Above the base, where shadow and reflection lie: share of the product's height that is left out.
BASE_SHARE = 0.15
# Directions from the product's middle, degrees each; one counts with so many pixels of the ring, and is put in when
# most of those are.
SECTOR_DEG, MIN_PIXELS = 15, 6
# One colour: within so many levels in each channel of a colour that is common in what was put in; so many are tried.
SAME_COLOUR, MAX_COLOURS, COLOUR_STEP = 14.0, 7, 12
# Of the directions from a product so many may show what was put in. Good ones and real answers reach .57 (a turned
# box), cards .78 and more.
MAX_SURROUNDED = 0.67
# The hull fills its smallest rectangle by so much at most. Cards reached .99 and more, the wall of a paper bag .97.
MAX_RECTANGULAR = 0.985
# It counts when it is as large as this share of what was put in, and covers no more than this of its own hull.
MIN_CARD, MAX_SOLID = 0.5, 0.85
# A photograph whose outline fills its box by more may be rectangular itself.
MAX_PHOTOGRAPH_FILLED = 0.86
# What lies within so many pixels of the piece may belong to it: masks are right to a few. At this longest side, px.
BORDER_PX, PIECE_SIDE_PX = 5, 256


def surrounded_share(view: ProductView) -> float | None:
    """Share 0..1 of the directions from the product in which what lies next to it was put in and is no shadow; None
    where there is no room to see it, or the photograph's outline does not lie on the product."""
    solid = (view.cover > 0.3).astype(np.uint8)
    if not view.fitted or not solid.any():
        return None
    left, top, wide, tall = cv2.boundingRect(solid)
    far = GAP_PX + 2 + round(RING_SHARE * max(wide, tall))
    ring = (_grown(solid, far) > 0) & (_grown(solid, GAP_PX) == 0)
    ring[round(top + (1 - BASE_SHARE) * tall) :] = False
    rows, columns = np.nonzero(ring)
    if not len(rows):
        return None
    put_in = (view.put_in > 0.5) & ~(even_darkening(view.scene, view.answer) > SHADOW_STOPS)
    angle = np.degrees(np.arctan2(rows - top - tall / 2, columns - left - wide / 2)) % 360
    sector = (angle // SECTOR_DEG).astype(int)
    seen = np.bincount(sector, minlength=360 // SECTOR_DEG)
    filled = np.bincount(sector, weights=put_in[rows, columns], minlength=len(seen))
    counted = seen >= MIN_PIXELS
    return float((filled > seen / 2)[counted].mean()) if counted.any() else None


def rectangular_share(answer: np.ndarray, mask: np.ndarray, photograph: np.ndarray) -> float:
    """How much 0..1 of a rectangle the one colour fills that lies around something else in the largest piece of `mask`
    (h, w) uint8, which was put in to `answer` (h, w, 3) uint8; 0 where there is no such colour, or where the outline of
    the photograph (ph, pw, 4) uint8 may be a rectangle itself."""
    if _filled_share(photograph_alpha(photograph)) > MAX_PHOTOGRAPH_FILLED:
        return 0.0
    found = largest_component(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 127)
    if found is None:
        return 0.0
    piece, (x, y, wide, tall) = found
    share = min(1.0, PIECE_SIDE_PX / max(wide, tall))
    room = round(BORDER_PX / share)
    inner = np.s_[max(0, y - room) : y + tall + room, max(0, x - room) : x + wide + room]
    own, shown = (
        cv2.resize(part, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        for part in (piece[inner].astype(np.uint8) * 255, np.ascontiguousarray(answer[inner]))
    )
    own = (own > 127).astype(np.uint8)
    shown = cv2.blur(shown, (3, 3)).astype(np.float32)
    near = cv2.dilate(own, np.ones((BORDER_PX, BORDER_PX), np.uint8)) > 0
    return max(
        (
            _rectangular((np.abs(shown - colour).max(axis=2) < SAME_COLOUR) & near, float(own.sum()))
            for colour in _common_colours(shown[own > 0])
        ),
        default=0.0,
    )


def _grown(solid: np.ndarray, reach: int) -> np.ndarray:
    return cv2.dilate(solid, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))


def _filled_share(alpha: np.ndarray) -> float:
    """Share 0..1 of its bounding box that the outline of `alpha` (h, w) uint8 fills, openings with it."""
    solid = (alpha > 127).astype(np.uint8)
    _, _, wide, tall = cv2.boundingRect(solid)
    return float((fill_holes(solid) > 0).sum() / max(1, wide * tall))


def _common_colours(pixels: np.ndarray) -> list[np.ndarray]:
    """Up to `MAX_COLOURS` colours (3,) float32 that most of `pixels` (n, 3) have, the most common first."""
    bins = (pixels // COLOUR_STEP).astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    _, at, counts = np.unique(bins, return_inverse=True, return_counts=True)
    colours: list[np.ndarray] = []
    for number in np.argsort(-counts)[: 3 * MAX_COLOURS]:
        colour = np.median(pixels[at == number], axis=0)
        if all(np.abs(colour - other).max() >= SAME_COLOUR for other in colours):
            colours.append(colour)
    return colours[:MAX_COLOURS]


def _rectangular(alike: np.ndarray, piece_px: float) -> float:
    """How much of its smallest rectangle the hull of the largest part of `alike` (h, w) bool fills; 0 where that spans
    too little of the piece of `piece_px`, or has nothing else in it."""
    opened = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found = largest_component(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)) > 0)
    if found is None:
        return 0.0
    part = found[0].astype(np.uint8)
    hull = cv2.convexHull(cv2.findNonZero(part))
    spanned = float(cv2.fillConvexPoly(np.zeros_like(part), hull, 1).sum())
    if spanned < MIN_CARD * piece_px or part.sum() > MAX_SOLID * spanned:
        return 0.0
    wide, tall = cv2.minAreaRect(hull)[1]
    return float(cv2.contourArea(hull) / max(1.0, wide * tall))
