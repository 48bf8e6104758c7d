"""Checks that the product is in the image at all, by its print, its pattern or its colours."""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_least, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import min_limit
from function.judging.print_correlation import MIN_PATTERN_CORRELATION, pattern_correlation

# Smallest product worth looking at, as a share of the image.
MIN_AREA = 0.003
# Something of so many times the colour difference that a product may show is another thing.
OTHER_COLOUR_FACTOR = 2


def product_present(inspection: Inspection) -> Check:
    """Something was inserted that is the product, by its print or else by its colours."""
    unit = "share of the picture"
    scene = inspection.scene
    told = scene.registration.drift.registered and not scene.redrawn
    if inspection.product_crop is None and not told:
        reason = "Not measured: the scene was redrawn, and whether the product is in it cannot be told."
        return not_measured(unit, reason, passed=False)
    if inspection.product_crop is None:
        return Check(0.0, MIN_AREA, False, unit, "The product is missing: nothing was inserted.")
    area = float((inspection.crop.product_mask > 0.5).sum() / scene.change.size)
    if not is_same_product(inspection):
        return Check(round(area, 4), MIN_AREA, False, unit, "The inserted object is not the product.")
    return at_least(
        area,
        MIN_AREA,
        unit,
        good="The product stands in the scene.",
        bad="The product is missing, or far too small to see.",
    )


SPEC = CheckSpec(
    name="product_present",
    lesson="The product was missing. It must be clearly visible, whole, and standing in the scene.",
    needs_product=False,
    measure=product_present,
    limits=(min_limit("area", MIN_AREA, "share of the picture"),),
)


def is_same_product(inspection: Inspection) -> bool:
    """Whether what was inserted is the product by its print, its pattern or at least its colours."""
    if inspection.product.match is not None or pattern_correlation(inspection.crop) >= MIN_PATTERN_CORRELATION:
        return True
    difference = inspection.colour_difference
    return difference is None or difference.turned <= OTHER_COLOUR_FACTOR * difference.limit
