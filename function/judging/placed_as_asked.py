"""Whether the product stands where the manifest's box, mask or height asks it to, at the size that was asked for."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.check import Check, CheckSpec, at_most, does_not_apply
from function.judging.inspection import Inspection
from function.judging.limit import most
from function.judging.product_view import ProductView
from function.matching.asked_place import AskedPlace, Deviation
from function.matching.photograph import has_outline
from function.matching.place import outline_box
from function.restoration.analysis import Analysis
from function.restoration.found_place import likeness_at

# How far base, middle and size may be off, as a share of the product's size, where the manifest has no tolerance of its
# own. tests/bench/placement.py: answers that obey reach .06; what is off by a tenth is meant to be seen.
MAX_OFF = 0.08
UNIT = "share of the product's size"
# Correlation with its photograph from which a product is seen at a place. Of lamps on a thin foot what stood there
# reached .89 and more, what was a tenth to a third too small .82 and less, what stood beside it .5.
MIN_SEEN = 0.86

Box = tuple[float, float, float, float]  # x, y, width, height


def placed_as_asked(inspection: Inspection) -> Check:
    """The worst of base, middle and size. Which way the product faces is told to the model, and not measured: only
    `product_not_mirrored` sees anything of it."""
    asked = inspection.asked
    if asked is None:
        return does_not_apply("no box, no mask and no height was asked for")
    rows, columns = inspection.product.mask.shape
    deviation = asked.deviation(_seen_there(inspection, asked) or _seen(inspection.view), (columns, rows))
    return at_most(
        deviation.worst,
        MAX_OFF if asked.tolerance is None else asked.tolerance,
        UNIT,
        good="The product stands where it was asked to, at the size that was asked for.",
        bad=_said(deviation),
    )


def _seen(view: ProductView) -> Box:
    """The box of what is taken for the product, in analysis pixels."""
    x, y, width, height = cv2.boundingRect(cv2.inRange(view.cover, 0.5, 1.0))
    return float(x + view.box[0]), float(y + view.box[1]), float(max(1, width)), float(max(1, height))


def _seen_there(inspection: Inspection, asked: AskedPlace) -> Box | None:
    """The same, by its photograph laid where it was asked for: thin and small products are hardly told from their
    shadows in what was put in. None where it is not seen there."""
    alpha = np.ascontiguousarray(inspection.product.photograph[..., 3])
    if not has_outline(alpha):
        return None
    rows, columns = inspection.product.mask.shape
    place = asked.place(outline_box(alpha), (columns, rows))
    if place is None:
        return None
    analysis = Analysis(inspection.scene, inspection.product)
    if likeness_at(place, analysis) < MIN_SEEN:
        return None
    return place.pixels((columns, rows))


SPEC = CheckSpec(
    name="placed_as_asked",
    lesson="The product was not where it was asked to be, or not of that size. Keep exactly to the spot and the size "
    "that are given above.",
    needs_product=True,
    measure=placed_as_asked,
    limits=(most("off the place asked for", MAX_OFF, UNIT),),
)


def _said(deviation: Deviation) -> str:
    worst, percent = deviation.worst, f"{100 * deviation.worst:.0f} %"
    if worst == deviation.resized:
        return f"The product has {deviation.grown:.2f} times the size that was asked for."
    if worst == deviation.outside:
        return f"The product does not stand where the mask is white: it is beside it by {percent} of its height."
    if worst == abs(deviation.down):
        side = "low" if deviation.down > 0 else "high"
        return f"The product is {percent} of its height too {side} for the place that was asked for."
    side = "right" if deviation.aside > 0 else "left"
    return f"The product is {percent} of its size too far to the {side} of the place that was asked for."
