"""Whether the product is there at all."""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_least, unmeasured
from function.judging.colour_difference import colour_difference
from function.judging.inspection import Inspection
from function.judging.limit import least
from function.judging.print_agreement import MIN_PATTERN, pattern_agreement

# Smallest product worth looking at, as a share of the picture.
MIN_AREA = 0.003
# Something of so many times the colour difference that a product may show is another thing.
OTHER_COLOUR = 2


def product_present(inspection: Inspection) -> Check:
    """Something was put in that is the product, by its print or else by its colours."""
    unit = "share of the picture"
    scene = inspection.scene
    told = scene.registration.drift.registered and not scene.drawn_anew
    if inspection.product_view is None and not told:
        reason = "Not measured: the scene was drawn anew, and whether the product is in it cannot be told."
        return unmeasured(unit, reason, passed=False)
    if inspection.product_view is None:
        return Check(0.0, MIN_AREA, False, unit, "The product is missing: nothing was put in.")
    area = float((inspection.view.cover > 0.5).sum() / scene.change.size)
    if not resembles(inspection):
        return Check(round(area, 4), MIN_AREA, False, unit, "What was put in is not the product.")
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
    limits=(least("area", MIN_AREA, "share of the picture"),),
)


def resembles(inspection: Inspection) -> bool:
    """Whether what was put in is the product by its print, its pattern or at least its colours."""
    if inspection.product.match is not None or pattern_agreement(inspection.view) >= MIN_PATTERN:
        return True
    difference = colour_difference(inspection.view)
    return difference is None or difference.lab <= OTHER_COLOUR * difference.most
