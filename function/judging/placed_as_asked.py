"""Checks that the product stands where the manifest's box, mask or height asks for it, at that size."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.check import Check, CheckSpec, at_most, not_applicable
from function.judging.inspection import Inspection
from function.judging.limit import max_limit
from function.judging.product_crop import ProductCrop
from function.matching.asked_place import AskedPlace, Deviation
from function.matching.place import outline_box
from function.matching.reference_image import has_outline
from function.restoration.analysis import Analysis
from function.restoration.find_place import correlation_at

# Largest deviation of base, middle and size, as a share of the product's size, where the manifest has no tolerance.
# `python -m tests.bench.placement`: images that obey reach .06; a tenth is meant to be seen.
MAX_OFF = 0.08
UNIT = "share of the product's size"
# Least correlation with the photograph of a product that stands at a place. Lamps on a thin foot reached .89 and more
# there, .82 and less when they were a tenth to a third too small, .5 when they stood beside it.
MIN_REFERENCE_CORRELATION = 0.86

Box = tuple[float, float, float, float]  # x, y, width, height


def placed_as_asked(inspection: Inspection) -> Check:
    """The worst deviation of base, middle and size. Which way the product faces is not measured."""
    asked = inspection.asked
    if asked is None:
        return not_applicable("no box, no mask and no height was asked for")
    rows, columns = inspection.product.mask.shape
    deviation = asked.deviation(_reference_box(inspection, asked) or _product_box(inspection.crop), (columns, rows))
    return at_most(
        deviation.worst,
        MAX_OFF if asked.tolerance is None else asked.tolerance,
        UNIT,
        good="The product stands where it was asked to, at the size that was asked for.",
        bad=_sentence(deviation),
    )


def _product_box(crop: ProductCrop) -> Box:
    """The bounding box of the product mask, in analysis pixels."""
    x, y, width, height = cv2.boundingRect(cv2.inRange(crop.product_mask, 0.5, 1.0))
    return float(x + crop.box[0]), float(y + crop.box[1]), float(max(1, width)), float(max(1, height))


def _reference_box(inspection: Inspection, asked: AskedPlace) -> Box | None:
    """The box that was asked for, where the photograph correlates with the image there; else None. The product mask of
    thin and small products hardly tells them from their shadows."""
    alpha = np.ascontiguousarray(inspection.product.photograph[..., 3])
    if not has_outline(alpha):
        return None
    rows, columns = inspection.product.mask.shape
    place = asked.place(outline_box(alpha), (columns, rows))
    if place is None:
        return None
    analysis = Analysis(inspection.scene, inspection.product)
    if correlation_at(place, analysis) < MIN_REFERENCE_CORRELATION:
        return None
    return place.pixels((columns, rows))


SPEC = CheckSpec(
    name="placed_as_asked",
    lesson="The product was not where it was asked to be, or not of that size. Keep exactly to the spot and the size "
    "that are given above.",
    needs_product=True,
    measure=placed_as_asked,
    limits=(max_limit("off the place asked for", MAX_OFF, UNIT),),
)


def _sentence(deviation: Deviation) -> str:
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
