"""Whether a product that was laid into the scene is its photograph still, pixel for pixel but for the light."""

from __future__ import annotations

import math

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, blur
from function.imaging.photometry import masked_mean
from function.judging.check import Check, CheckSpec, at_least, at_most, unmeasured
from function.judging.inspection import Inspection
from function.judging.limit import least, most
from function.judging.product_view import ProductView
from function.restoration.analysis import Analysis, LaidProduct

# What the answer may do to the place of what was laid: its light and its shadow are taken back with it up to here. As
# shares of the product's height, of its size, and degrees.
MAX_MOVED, MAX_RESHAPED, MAX_TURNED_DEG = 0.06, 0.08, 4.0
# Share of the product that the answer has to show as it was laid: the light on the rest is only continued from there.
MIN_FOLLOWED = 0.5
# Share of the product's patches that have to be the photograph's, and so many of them along its height.
MIN_IDENTICAL, PATCHES = 0.98, 16
# A patch is the photograph's where its structure has this similarity (SSIM) once the light is divided out, and its
# colour is no further away (Lab).
MIN_SIMILAR, MAX_COLOUR = 0.9, 6.0
# Light is wider than this share of the product's height (standard deviation).
LIGHT_SHARE = 0.03
# Keeps ratios of dark pixels finite, 8-bit levels, and similarities of blank patches, their squares.
DARK_OFFSET, BLANK = 6.0, (6.5, 58.5)
# Places that are named are joined to no more than so many boxes.
MAX_BOXES = 12
UNIT = "share of the product"
OF_HEIGHT, OF_SIZE = "share of the product's height", "share of the product's size"


def product_identical(inspection: Inspection) -> Check:
    """Structure and colour are the photograph's in every patch, and the answer showed the product where it was laid."""
    laid = inspection.product.laid
    if laid is None:
        return unmeasured(UNIT, "Not measured: the model placed the product itself.", passed=True)
    departed = _departed(laid)
    if departed is not None:
        return departed
    return at_least(
        identical_share(inspection.view),
        MIN_IDENTICAL,
        UNIT,
        good="The product is its photograph's own pixels, under the scene's light.",
        bad="Parts of the product are not what the photograph shows, whatever the light.",
    )


SPEC = CheckSpec(
    name="product_identical",
    lesson="The product was not left as it is. Show it exactly as in [2]: neither moved nor turned nor drawn anew.",
    needs_product=True,
    measure=product_identical,
    limits=(
        least("identical", MIN_IDENTICAL, UNIT),
        least("shown as laid", MIN_FOLLOWED, UNIT),
        most("moved", MAX_MOVED, OF_HEIGHT),
        most("reshaped", MAX_RESHAPED, OF_SIZE),
        most("turned", MAX_TURNED_DEG, "degrees"),
    ),
)


def _departed(laid: LaidProduct) -> Check | None:
    """The check where the answer did not keep to the sketch; None where it did."""
    departure = laid.departure
    if not departure.is_found or laid.followed < MIN_FOLLOWED:
        bad = "The model did not keep the product that was laid into the scene: it drew another, or turned it."
        return at_least(min(laid.followed, max(0.0, departure.correlation)), MIN_FOLLOWED, UNIT, good="", bad=bad)
    if departure.moved > MAX_MOVED:
        bad = f"The model moved the product by {100 * departure.moved:.0f} % of its height."
        return at_most(departure.moved, MAX_MOVED, OF_HEIGHT, good="", bad=bad)
    reshaped = max(abs(math.log(departure.scale_x)), abs(math.log(departure.scale_y)))
    if reshaped > MAX_RESHAPED:
        bad = "The model drew the product in another shape or size."
        return at_most(reshaped, MAX_RESHAPED, OF_SIZE, good="", bad=bad)
    if abs(departure.turned_deg) > MAX_TURNED_DEG:
        bad = f"The model leant the product over by {abs(departure.turned_deg):.0f} degrees."
        return at_most(abs(departure.turned_deg), MAX_TURNED_DEG, "degrees", good="", bad=bad)
    return None


def identical_share(view: ProductView) -> float:
    """Share 0..1 of the product's area in patches that are the photograph's."""
    inside, same = _patches(view)
    return float(same[inside].mean()) if inside.any() else 0.0


def changed_places(analysis: Analysis) -> list[PixelBox]:
    """Where the product is not its photograph: (x, y, width, height) in analysis pixels, the largest first."""
    view = Inspection.of(analysis.scene, analysis.product).product_view
    if view is None:
        return []
    inside, same = _patches(view)
    _, _, stats, _ = cv2.connectedComponentsWithStats((inside & ~same).astype(np.uint8), connectivity=8)
    found = sorted((tuple(int(side) for side in row) for row in stats[1:]), key=lambda row: -row[4])
    return [(row[0] + view.box[0], row[1] + view.box[1], row[2], row[3]) for row in found[:MAX_BOXES]]


def _patches(view: ProductView) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) bool each: the product without its rim, and where a patch around is the photograph's."""
    known = np.minimum(view.known, view.cover)
    inside = cv2.erode((known > 0.95).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    weight = inside.astype(np.float32)
    wide = masked_mean(weight, lambda image: blur(image, max(3.0, LIGHT_SHARE * view.height)), added=1e-3)
    expected, shown = (picture.astype(np.float32) for picture in (view.expected, view.answer))
    # The light is given to the photograph: divided out of a dark product it would raise noise.
    lit = expected * (wide(shown) + DARK_OFFSET) / (wide(expected) + DARK_OFFSET)
    side = max(7, round(view.height / PATCHES)) | 1
    mean = masked_mean(weight, lambda image: cv2.blur(image, (side, side)), added=1e-3)
    greys = [cv2.cvtColor(np.clip(p, 0, 255), cv2.COLOR_RGB2GRAY) for p in (lit, shown)]
    means = [mean(grey) for grey in greys]
    variances = [np.maximum(mean(grey * grey) - m * m, 0) for grey, m in zip(greys, means, strict=True)]
    covariance = mean(greys[0] * greys[1]) - means[0] * means[1]
    first, second = BLANK
    similar = (2 * means[0] * means[1] + first) * (2 * covariance + second)
    similar /= (means[0] ** 2 + means[1] ** 2 + first) * (variances[0] + variances[1] + second)
    labs = [cv2.cvtColor(np.clip(mean(p), 0, 255) / 255, cv2.COLOR_RGB2LAB) for p in (lit, shown)]
    colour = np.sqrt(((labs[0] - labs[1]) ** 2).sum(axis=2))
    return inside, (similar > MIN_SIMILAR) & (colour < MAX_COLOUR)
