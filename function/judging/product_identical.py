"""Checks that a product that was composited into the scene is still its photograph, but for the light.

The smooth ratio of both images is given to the photograph (divided out of a dark product it would raise noise); then
each patch is compared by structural similarity, SSIM (Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment:
from error visibility to structural similarity", IEEE TIP 13, 2004, doi:10.1109/TIP.2003.819861), and by the distance of
its mean colours in CIELAB. Before that the pose is compared: a product that was moved, reshaped, rotated or redrawn
fails.

In: an `Inspection`, and the sketch's placement. Out: a `Check`, as a share 0..1 of the product's area; the boxes of
what changed. `python -m tests.bench.identity` measures it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, blur
from function.imaging.photometry import masked_mean
from function.judging.check import Check, CheckSpec, at_least, at_most, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit
from function.judging.product_crop import ProductCrop
from function.restoration.analysis import Analysis, CompositedProduct

# Largest departure from the sketch: light and shadow are moved back with the product up to here. Shares of its height
# and of its size, and degrees.
MAX_MOVED, MAX_RESHAPED, MAX_TURNED_DEG = 0.06, 0.08, 4.0
# Least share of the product that the generated image shows as composited: the light on the rest is extrapolated.
MIN_FOLLOWED = 0.5
# Least share of the product's area in identical patches, and patches along its height.
MIN_IDENTICAL, PATCHES = 0.98, 16
# A patch is identical from this SSIM on, up to this distance in Lab.
MIN_SSIM, MAX_LAB = 0.9, 6.0
# Standard deviation of the light's low-pass, a share of the product's height.
LIGHT_SHARE = 0.03
# Keeps ratios of dark pixels finite, 8-bit levels. C1 and C2 of SSIM are the usual .01 and .03 of 255, squared.
DARK_OFFSET, SSIM_CONSTANTS = 6.0, (6.5, 58.5)
# No more boxes of changed regions are returned.
MAX_BOXES = 12
UNIT = "share of the product"
OF_HEIGHT, OF_SIZE = "share of the product's height", "share of the product's size"


def product_identical(inspection: Inspection) -> Check:
    """The generated image kept to the sketch, and every patch has the photograph's structure and colour."""
    laid = inspection.product.composited
    if laid is None:
        return not_measured(UNIT, "Not measured: the model placed the product itself.", passed=True)
    departure_check = _departure_check(laid)
    if departure_check is not None:
        return departure_check
    return at_least(
        identical_share(inspection.crop),
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
        min_limit("identical", MIN_IDENTICAL, UNIT),
        min_limit("shown as laid", MIN_FOLLOWED, UNIT),
        max_limit("moved", MAX_MOVED, OF_HEIGHT),
        max_limit("reshaped", MAX_RESHAPED, OF_SIZE),
        max_limit("turned", MAX_TURNED_DEG, "degrees"),
    ),
)


def _departure_check(laid: CompositedProduct) -> Check | None:
    """The failed check where the generated image departs from the sketch; None where it does not."""
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


def identical_share(crop: ProductCrop) -> float:
    """Share 0..1 of the product's area in identical patches."""
    inside, same = _patches(crop)
    return float(same[inside].mean()) if inside.any() else 0.0


def changed_regions(analysis: Analysis) -> list[PixelBox]:
    """Where the product is not its photograph: (x, y, width, height) in analysis pixels, the largest first."""
    crop = Inspection.of(analysis.scene, analysis.product).product_crop
    if crop is None:
        return []
    inside, same = _patches(crop)
    _, _, stats, _ = cv2.connectedComponentsWithStats((inside & ~same).astype(np.uint8), connectivity=8)
    found = sorted((tuple(int(side) for side in row) for row in stats[1:]), key=lambda row: -row[4])
    return [(row[0] + crop.box[0], row[1] + crop.box[1], row[2], row[3]) for row in found[:MAX_BOXES]]


def _patches(crop: ProductCrop) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) bool each: the product without its rim, and where the patch around a pixel is identical."""
    known = np.minimum(crop.reference_mask, crop.product_mask)
    inside = cv2.erode((known > 0.95).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    weight = inside.astype(np.float32)
    wide = masked_mean(weight, lambda image: blur(image, max(3.0, LIGHT_SHARE * crop.height)), added=1e-3)
    expected, shown = (picture.astype(np.float32) for picture in (crop.expected, crop.generated))
    # The photograph is relit: dividing the light out of a dark product would raise noise.
    lit = expected * (wide(shown) + DARK_OFFSET) / (wide(expected) + DARK_OFFSET)
    side = max(7, round(crop.height / PATCHES)) | 1
    mean = masked_mean(weight, lambda image: cv2.blur(image, (side, side)), added=1e-3)
    greys = [cv2.cvtColor(np.clip(p, 0, 255), cv2.COLOR_RGB2GRAY) for p in (lit, shown)]
    means = [mean(grey) for grey in greys]
    variances = [np.maximum(mean(grey * grey) - m * m, 0) for grey, m in zip(greys, means, strict=True)]
    covariance = mean(greys[0] * greys[1]) - means[0] * means[1]
    first, second = SSIM_CONSTANTS
    ssim = (2 * means[0] * means[1] + first) * (2 * covariance + second)
    ssim /= (means[0] ** 2 + means[1] ** 2 + first) * (variances[0] + variances[1] + second)
    labs = [cv2.cvtColor(np.clip(mean(p), 0, 255) / 255, cv2.COLOR_RGB2LAB) for p in (lit, shown)]
    colour = np.sqrt(((labs[0] - labs[1]) ** 2).sum(axis=2))
    return inside, (ssim > MIN_SSIM) & (colour < MAX_LAB)
