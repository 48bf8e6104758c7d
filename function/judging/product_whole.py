"""Whether all of the product is shown."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, max_channel
from function.imaging.resize import Window, outside_share
from function.judging.check import Check, CheckSpec, at_most, unmeasured
from function.judging.inspection import Inspection
from function.judging.limit import most
from function.judging.product_view import ProductView
from function.matching.photograph import photograph_alpha

# Missing: the answer is this near to the scene, and this much farther from the photograph; 8-bit levels.
SCENE_LEVELS, FARTHER = 14.0, 12.0
# Width of the missing piece over the product's size (root of its area): lids and turned boxes show thin strips of
# scene where their photograph has product.
MAX_MISSING = 0.1
# A part is missing where the scene shows through all of its thickness, of at least this share of it, on so much of the
# product's area: a mug's handle is thin. What a strip along an edge shows is half as wide as it lies deep.
MIN_THROUGH, MAX_PART = 0.7, 0.03
# Share of a fitted outline where nothing was put in. Good plain products reach .01, one lost in the dark .13.
MAX_HIDDEN = 0.08
# Share of the product's longer side that may lie on the picture's border.
MAX_ON_BORDER = 0.05
# The same where only the piece that was put in is known: it holds shadow and reflection too.
MAX_PIECE_ON_BORDER = 0.2
# What was put in, taller for its width than the photograph by so much, holds the product's reflection.
MIRRORED_TALL = 1.2
# Share of the product that the shape of the result may cut off: its box has soft pixels around it.
MAX_CUT_OFF = 0.02
# A thin product, a chair or a frame, is as large as this share of its extent (root of width times height): of a full
# one the root of its area is about that.
THIN_EXTENT = 0.8
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8


def product_whole(inspection: Inspection) -> Check:
    """Nothing of the product is cut away, neither by the picture's border nor by its own edge."""
    unit, view = "share of the product's size", inspection.view
    height, width = inspection.scene.change.shape
    border = border_share(view, (height, width), mirrored=_reaches_below(inspection))
    most_on_border = MAX_ON_BORDER if view.fitted or view.found else MAX_PIECE_ON_BORDER
    if border > most_on_border:
        return at_most(border, most_on_border, unit, good="", bad="The picture's border cuts the product off.")
    if not view.fitted:
        return unmeasured(unit, "Not measured: the product is not shown as on its photograph.", passed=True)
    if not view.found:
        # Nothing to compare it with but its outline. A dark product before a dark wall may be lost in it.
        return at_most(
            hidden_share(view),
            MAX_HIDDEN,
            "share of the product",
            good="The product's whole outline was put in.",
            bad="Parts of the product cannot be told from the scene: it may be shown with holes.",
        )
    part = missing_part(view)
    if part > MAX_PART:
        bad = "A part of the product is missing: the scene shows where it should be."
        return at_most(part, MAX_PART, "share of the product", good="", bad=bad)
    return at_most(
        missing_width(view),
        MAX_MISSING,
        unit,
        good="The product is shown whole.",
        bad="A piece of the product is missing: the scene shows where the product should be.",
    )


SPEC = CheckSpec(
    name="product_whole",
    lesson="The product was cut off. Show all of it, inside the frame, with its outline complete.",
    needs_product=True,
    measure=product_whole,
    limits=(
        most("on the border", MAX_ON_BORDER, "share of the product's size"),
        most("piece on the border", MAX_PIECE_ON_BORDER, "share of the product's size"),
        most("missing piece", MAX_MISSING, "share of the product's size"),
        most("missing part", MAX_PART, "share of the product"),
        most("hidden", MAX_HIDDEN, "share of the product"),
        most("cut off by the result's shape", MAX_CUT_OFF, "share of the product"),
    ),
)


def cut_off_by_shape(product_box: PixelBox | None, window: Window, name: str | None = None) -> Check | None:
    """The check as it has to read when the shape that was asked for the result cuts the product off; else None.

    `product_box` is the product's in the scene, None without one; `window` the part of the scene that is shown;
    `name` that of the manifest's outputs, None where there is one only.
    """
    cut_off = 0.0 if product_box is None else outside_share(product_box, window)
    if cut_off <= MAX_CUT_OFF:
        return None
    return at_most(
        cut_off,
        MAX_CUT_OFF,
        "share of the product",
        good="",
        bad="The size that was asked for"
        + (f" ({name})" if name else "")
        + " has another shape than the scene, and cuts the product off.",
    )


def hidden_share(view: ProductView) -> float:
    """Share 0..1 of the product's fitted outline that does not differ from the scene."""
    outline = view.known > 0.9
    return float((view.put_in[outline] < 0.5).mean()) if outline.any() else 0.0


def _reaches_below(inspection: Inspection) -> bool:
    """Whether what was put in reaches farther down than the product can: a glossy surface mirrors it there."""
    view = inspection.view
    if view.fitted or view.found:
        return False
    _, _, own_wide, own_tall = cv2.boundingRect(cv2.inRange(photograph_alpha(inspection.product.photograph), 128, 255))
    _, _, wide, tall = cv2.boundingRect((view.cover > 0.5).astype(np.uint8))
    return tall * own_wide > MIRRORED_TALL * wide * own_tall


def border_share(view: ProductView, frame_shape: tuple[int, int], *, mirrored: bool = False) -> float:
    """Share of the product's longer side that lies on the border of a picture of `frame_shape` (h, w); `mirrored`: not
    on the lower one, where its reflection lies."""
    x, y, width, height = view.box
    solid = view.cover > 0.5
    sides = (
        (solid[:, 0], x == 0),
        (solid[0], y == 0),
        (solid[:, -1], x + width == frame_shape[1]),
        (solid[-1], y + height == frame_shape[0] and not mirrored),
    )
    longest = max(cv2.boundingRect(solid.astype(np.uint8))[2:])
    return max((float(line.sum()) / max(1, longest) for line, on_border in sides if on_border), default=0.0)


def _size(solid: np.ndarray) -> float:
    """Of the product `solid` (h, w) bool, px: the root of its area, or of a thin one of its extent."""
    _, _, width, height = cv2.boundingRect(solid.astype(np.uint8))
    return max(float(np.sqrt(solid.sum())), THIN_EXTENT * float(np.sqrt(width * height)))


def missing_width(view: ProductView) -> float:
    """Width of the thickest piece of the product's place where the scene shows, over the product's size."""
    solid = _solid(view)
    gone = _gone(view, solid)
    return float(2 * cv2.distanceTransform(gone, cv2.DIST_L2, 5).max() / _size(solid)) if gone.any() else 0.0


def missing_part(view: ProductView) -> float:
    """Area of the largest part of the product that is missing in all of its thickness, share 0..1 of the product's."""
    solid = _solid(view)
    gone = _gone(view, solid)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(gone, connectivity=8)
    if count == 1:
        return 0.0
    depth, deepest = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (gone, solid.astype(np.uint8)))
    through = [
        float(stats[piece, cv2.CC_STAT_AREA])
        for piece in range(1, count)
        if depth[pieces == piece].max() > MIN_THROUGH * deepest[pieces == piece].max()
    ]
    return max(through, default=0.0) / float(solid.sum())


def _solid(view: ProductView) -> np.ndarray:
    """(h, w) bool: where the photograph leads one to expect the product."""
    solid: np.ndarray = np.minimum(view.known, view.cover) > 0.9
    return solid


def _gone(view: ProductView, solid: np.ndarray) -> np.ndarray:
    """(h, w) uint8 0 or 1: where in `solid` the scene shows instead of the product."""
    if not solid.any():
        return np.zeros(solid.shape, np.uint8)
    shown, scene, expected = (cv2.GaussianBlur(p, (0, 0), 1.0) for p in (view.answer, view.scene, view.expected))
    light = (np.median(shown[solid], axis=0) + DARK_OFFSET) / (np.median(expected[solid], axis=0) + DARK_OFFSET)
    lit = np.clip(expected * light + 0.5, 0, 255).astype(np.uint8)
    from_scene, from_product = (max_channel(cv2.absdiff(shown, p)).astype(np.float32) for p in (scene, lit))
    gone = solid & (from_scene < SCENE_LEVELS) & (from_product > 2 * from_scene + FARTHER)
    opened: np.ndarray = cv2.morphologyEx(gone.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return opened
