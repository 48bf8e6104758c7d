"""Checks that all of the product is shown: neither the border nor a missing piece cuts it.

Where the photograph is registered, a pixel is missing when it is near to the scene's colour and much farther from the
photograph's under the product's gain. The largest inscribed circle of the missing mask, over the product's size, finds
broad pieces; thin parts, such as a handle, are missing where the mask goes through all of their thickness (distance
transforms of both). With the silhouette alone, the share of it that does not differ from the scene counts.

In: an `Inspection`. Out: a `Check`, as shares of the product's size or area. The size of a thin product, a
chair, is that of its extent. `python -m tests.bench.judging` prints the first two.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, max_channel
from function.imaging.resize import Window, outside_share
from function.judging.check import Check, CheckSpec, at_most, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit
from function.judging.product_crop import ProductCrop
from function.matching.reference_image import photograph_alpha

# A missing pixel is nearer to the scene than this, and this much farther from the photograph; 8-bit levels.
SCENE_LEVELS, MIN_FARTHER = 14.0, 12.0
# Largest width of a missing piece over the product's size: lids and turned boxes show thin strips of scene.
MAX_MISSING = 0.1
# A thin part, a mug's handle, is missing where the mask takes this share of its thickness; its largest area, as a share
# of the product's. A strip along an edge takes half of the thickness.
MIN_THROUGH, MAX_PART = 0.7, 0.03
# Largest share of a fitted silhouette that equals the scene. Good plain products reach .01, one lost in the dark .13.
MAX_INVISIBLE = 0.08
# Largest share of the product's longer side that lies on the image's border.
MAX_ON_BORDER = 0.05
# The same where the silhouette is not known: the component holds shadow and reflection too.
MAX_PIECE_ON_BORDER = 0.2
# A component whose height over width exceeds the photograph's by this factor holds the product's reflection.
MIN_REFLECTION_STRETCH = 1.2
# Largest share of the product's box that the output's aspect ratio crops: the box has soft pixels around it.
MAX_CROPPED = 0.02
# Size of a thin product, a chair or a frame, as a share of the root of width times height.
THIN_EXTENT = 0.8
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8


def product_whole(inspection: Inspection) -> Check:
    """Neither the image's border nor a missing piece cuts the product."""
    unit, crop = "share of the product's size", inspection.crop
    height, width = inspection.scene.change.shape
    border = border_share(crop, (height, width), mirrored=_has_reflection(inspection))
    most_on_border = MAX_ON_BORDER if crop.fitted or crop.matched else MAX_PIECE_ON_BORDER
    if border > most_on_border:
        return at_most(border, most_on_border, unit, good="", bad="The picture's border cuts the product off.")
    if not crop.fitted:
        return not_measured(unit, "Not measured: the product is not shown as on its photograph.", passed=True)
    if not crop.matched:
        # Nothing to compare it with but its outline. A dark product before a dark wall may be lost in it.
        return at_most(
            invisible_share(crop),
            MAX_INVISIBLE,
            "share of the product",
            good="The product's whole outline is in the picture.",
            bad="Parts of the product cannot be told from the scene: it may be shown with holes.",
        )
    solid = expected_mask(crop)
    missing = missing_mask(crop, solid)
    part = missing_part(missing, solid)
    if part > MAX_PART:
        bad = "A part of the product is missing: the scene shows where it should be."
        return at_most(part, MAX_PART, "share of the product", good="", bad=bad)
    return at_most(
        missing_width(missing, solid),
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
        max_limit("on the border", MAX_ON_BORDER, "share of the product's size"),
        max_limit("piece on the border", MAX_PIECE_ON_BORDER, "share of the product's size"),
        max_limit("missing piece", MAX_MISSING, "share of the product's size"),
        max_limit("missing part", MAX_PART, "share of the product"),
        max_limit("hidden", MAX_INVISIBLE, "share of the product"),
        max_limit("cut off by the result's shape", MAX_CROPPED, "share of the product"),
    ),
)


def cropped_by_output(product_box: PixelBox | None, window: Window, name: str | None = None) -> Check | None:
    """The check as it has to read when the shape that was asked for the result cuts the product off; else None.

    `product_box` is the product's in the scene, None without one; `window` the part of the scene that is shown;
    `name` that of the manifest's outputs, None where there is one only.
    """
    cut_off = 0.0 if product_box is None else outside_share(product_box, window)
    if cut_off <= MAX_CROPPED:
        return None
    return at_most(
        cut_off,
        MAX_CROPPED,
        "share of the product",
        good="",
        bad="The size that was asked for"
        + (f" ({name})" if name else "")
        + " has another shape than the scene, and cuts the product off.",
    )


def invisible_share(crop: ProductCrop) -> float:
    """Share 0..1 of the fitted silhouette that does not differ from the scene."""
    outline = crop.reference_mask > 0.9
    return float((crop.inserted_mask[outline] < 0.5).mean()) if outline.any() else 0.0


def _has_reflection(inspection: Inspection) -> bool:
    """Whether the inserted component reaches farther down than the product can: a glossy surface mirrors it."""
    crop = inspection.crop
    if crop.fitted or crop.matched:
        return False
    _, _, own_wide, own_tall = cv2.boundingRect(cv2.inRange(photograph_alpha(inspection.product.photograph), 128, 255))
    _, _, wide, tall = cv2.boundingRect((crop.product_mask > 0.5).astype(np.uint8))
    return tall * own_wide > MIN_REFLECTION_STRETCH * wide * own_tall


def border_share(crop: ProductCrop, frame_shape: tuple[int, int], *, mirrored: bool = False) -> float:
    """Share of the product's longer side that lies on the border of an image of `frame_shape` (h, w); `mirrored`: not
    on the lower one, where its reflection lies."""
    x, y, width, height = crop.box
    solid = crop.product_mask > 0.5
    sides = (
        (solid[:, 0], x == 0),
        (solid[0], y == 0),
        (solid[:, -1], x + width == frame_shape[1]),
        (solid[-1], y + height == frame_shape[0] and not mirrored),
    )
    longest = max(cv2.boundingRect(solid.astype(np.uint8))[2:])
    return max((float(line.sum()) / max(1, longest) for line, on_border in sides if on_border), default=0.0)


def _size(solid: np.ndarray) -> float:
    """Size in pixels of the product `solid` (h, w) bool: the root of its area, of a thin one of its extent."""
    _, _, width, height = cv2.boundingRect(solid.astype(np.uint8))
    return max(float(np.sqrt(solid.sum())), THIN_EXTENT * float(np.sqrt(width * height)))


def missing_width(missing: np.ndarray, solid: np.ndarray) -> float:
    """Diameter of the largest circle inscribed in the `missing` mask (h, w) uint8, over the size of the product `solid`
    (h, w) bool."""
    return float(2 * cv2.distanceTransform(missing, cv2.DIST_L2, 5).max() / _size(solid)) if missing.any() else 0.0


def missing_part(missing: np.ndarray, solid: np.ndarray) -> float:
    """Area of the largest part of the `missing` mask (h, w) uint8 that is missing through its thickness, as a share
    0..1 of the area of the product `solid` (h, w) bool."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(missing, connectivity=8)
    if count == 1:
        return 0.0
    depth, deepest = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (missing, solid.astype(np.uint8)))
    through = [
        float(stats[piece, cv2.CC_STAT_AREA])
        for piece in range(1, count)
        if depth[pieces == piece].max() > MIN_THROUGH * deepest[pieces == piece].max()
    ]
    return max(through, default=0.0) / float(solid.sum())


def expected_mask(crop: ProductCrop) -> np.ndarray:
    """(h, w) bool: where the photograph shows the product."""
    solid: np.ndarray = np.minimum(crop.reference_mask, crop.product_mask) > 0.9
    return solid


def missing_mask(crop: ProductCrop, solid: np.ndarray) -> np.ndarray:
    """(h, w) uint8 0 or 1: where in `solid` the scene shows instead of the product."""
    if not solid.any():
        return np.zeros(solid.shape, np.uint8)
    shown, scene, expected = (cv2.GaussianBlur(p, (0, 0), 1.0) for p in (crop.generated, crop.scene, crop.expected))
    light = (np.median(shown[solid], axis=0) + DARK_OFFSET) / (np.median(expected[solid], axis=0) + DARK_OFFSET)
    lit = np.clip(expected * light + 0.5, 0, 255).astype(np.uint8)
    from_scene, from_product = (max_channel(cv2.absdiff(shown, p)).astype(np.float32) for p in (scene, lit))
    missing = solid & (from_scene < SCENE_LEVELS) & (from_product > 2 * from_scene + MIN_FARTHER)
    opened: np.ndarray = cv2.morphologyEx(missing.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return opened
