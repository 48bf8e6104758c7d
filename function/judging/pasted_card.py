"""A card that a model pastes with the product: a rectangle of backdrop around it that is no scene.

Where the silhouette is known, the ring around it is divided into sectors: a card shows inserted pixels in nearly all of
them, the side of a turned box, which a frontal photograph does not show, to one side only. Where it is not, the card is
told by its shape: the connected component of one colour whose convex hull has a high rectangularity (area over that of
the minimum-area rectangle), while its solidity is low, for the product lies in it.

In: `ProductCrop`, or image and mask (h, w). Out: shares 0..1. Of a rectangular product without print a card cannot be
told. A white card was accepted in four of eight collections' images before; good ones reach .57 of the sectors (a
turned box), cards .78 and more.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import fill_holes, largest_component
from function.judging.product_crop import ProductCrop
from function.matching.reference_image import photograph_alpha
from function.restoration.shading import SHADOW_STOPS

# The ring around the product: its distance from the silhouette, px, and its width, a share of the longer side.
GAP_PX, RING_SHARE = 4, 0.06
# Share of the height above the base that is left out: shadow and reflection lie there.
BASE_SHARE = 0.15
# Angle of a sector, degrees; one with fewer pixels of the ring does not count. It is inserted when most of them are.
SECTOR_DEG, MIN_PIXELS = 15, 6
# One colour: the distance per channel, levels; how many common colours are tried; and the bins that count them.
MAX_COLOUR_DISTANCE, MAX_COLOURS, COLOUR_STEP = 14.0, 7, 12
# Largest share of the sectors that is inserted. Good and real images reach .57 (a turned box), cards .78 and more.
MAX_SURROUNDED = 0.67
# Largest rectangularity of the hull. Cards reached .99 and more, the wall of a paper bag .97.
MAX_RECTANGULARITY = 0.985
# A card takes at least this share of what was inserted, and has at most this solidity (area over that of its hull).
MIN_CARD, MAX_SOLIDITY = 0.5, 0.85
# A photograph whose silhouette fills its box by more (extent) may be rectangular itself.
MAX_REFERENCE_EXTENT = 0.86
# Masks are right to so many pixels, at this longest side.
BORDER_PX, PIECE_SIDE_PX = 5, 256


def surrounded_share(crop: ProductCrop) -> float | None:
    """Share 0..1 of the sectors around the product that were inserted and are no shadow; None without room around it,
    or where the silhouette is not known."""
    solid = (crop.product_mask > 0.3).astype(np.uint8)
    if not crop.fitted or not solid.any():
        return None
    left, top, wide, tall = cv2.boundingRect(solid)
    far = GAP_PX + 2 + round(RING_SHARE * max(wide, tall))
    ring = (_dilated(solid, far) > 0) & (_dilated(solid, GAP_PX) == 0)
    ring[round(top + (1 - BASE_SHARE) * tall) :] = False
    rows, columns = np.nonzero(ring)
    if not len(rows):
        return None
    inserted = (crop.inserted_mask > 0.5) & ~(crop.even_darkening > SHADOW_STOPS)
    angle = np.degrees(np.arctan2(rows - top - tall / 2, columns - left - wide / 2)) % 360
    sector = (angle // SECTOR_DEG).astype(int)
    seen = np.bincount(sector, minlength=360 // SECTOR_DEG)
    filled = np.bincount(sector, weights=inserted[rows, columns], minlength=len(seen))
    counted = seen >= MIN_PIXELS
    return float((filled > seen / 2)[counted].mean()) if counted.any() else None


def rectangularity(generated: np.ndarray, mask: np.ndarray, photograph: np.ndarray) -> float:
    """Rectangularity 0..1 of the one colour that lies around something else in the largest component of `mask` (h, w)
    uint8, which was inserted into `generated` (h, w, 3) uint8; 0 without such a colour, or where the silhouette of the
    photograph (ph, pw, 4) uint8 may be a rectangle itself."""
    if _extent(photograph_alpha(photograph)) > MAX_REFERENCE_EXTENT:
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
        for part in (piece[inner].astype(np.uint8) * 255, np.ascontiguousarray(generated[inner]))
    )
    own = (own > 127).astype(np.uint8)
    shown = cv2.blur(shown, (3, 3)).astype(np.float32)
    near = cv2.dilate(own, np.ones((BORDER_PX, BORDER_PX), np.uint8)) > 0
    return max(
        (
            _component_rectangularity(
                (np.abs(shown - colour).max(axis=2) < MAX_COLOUR_DISTANCE) & near, float(own.sum())
            )
            for colour in _common_colours(shown[own > 0])
        ),
        default=0.0,
    )


def _dilated(solid: np.ndarray, reach: int) -> np.ndarray:
    return cv2.dilate(solid, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))


def _extent(alpha: np.ndarray) -> float:
    """Share 0..1 of its bounding box that the silhouette of `alpha` (h, w) uint8 fills, holes included."""
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
        if all(np.abs(colour - other).max() >= MAX_COLOUR_DISTANCE for other in colours):
            colours.append(colour)
    return colours[:MAX_COLOURS]


def _component_rectangularity(same_colour: np.ndarray, piece_px: float) -> float:
    """Rectangularity of the hull of the largest component of `same_colour` (h, w) bool; 0 where it is too small against
    the component of `piece_px`, or holds nothing else."""
    opened = cv2.morphologyEx(same_colour.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found = largest_component(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)) > 0)
    if found is None:
        return 0.0
    part = found[0].astype(np.uint8)
    hull = cv2.convexHull(cv2.findNonZero(part))
    spanned = float(cv2.fillConvexPoly(np.zeros_like(part), hull, 1).sum())
    if spanned < MIN_CARD * piece_px or part.sum() > MAX_SOLIDITY * spanned:
        return 0.0
    wide, tall = cv2.minAreaRect(hull)[1]
    return float(cv2.contourArea(hull) / max(1.0, wide * tall))
