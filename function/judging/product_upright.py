"""Whether the product stands upright."""

from __future__ import annotations

import math

import numpy as np

from function.judging.check import Check, CheckSpec, at_most, unmeasured
from function.judging.inspection import Inspection
from function.matching.match import ProductMatch

# A camera that is tilted, or looks down at a product near the border, leans it by up to about fifteen degrees.
MOST_TILT_DEG = 25.0
# Share of the match's box whose place in the photograph has to be verified for its direction to count.
LEAST_VERIFIED = 0.02


def product_upright(inspection: Inspection) -> Check:
    """How far the product leans from the photograph's own upright, in degrees: 180 is upside down."""
    match = inspection.product.match
    if match is None:
        return unmeasured("degrees", "Not measured: its photograph was not found again.", passed=True)
    tilt = tilt_deg(match)
    if tilt is None:
        return unmeasured("degrees", "Not measured: too little of its photograph was found again.", passed=True)
    return at_most(
        tilt,
        MOST_TILT_DEG,
        "degrees",
        good="The product stands upright.",
        bad="The product leans, lies or stands on its head, unlike on its photograph.",
    )


def tilt_deg(match: ProductMatch) -> float | None:
    """Degrees 0..180 by which the photograph is turned in the answer; None where too little of it was verified."""
    sure = match.weight > 127
    if sure.mean() < LEAST_VERIFIED:
        sure = match.weight > 0
    if not sure.any():
        return None
    # The photograph's downward direction, as it runs across the picture.
    down = match.mapping[..., 1]
    along_x, along_y = (float(np.median(np.gradient(down, axis=axis)[sure])) for axis in (1, 0))
    return abs(math.degrees(math.atan2(along_x, along_y)))


SPEC = CheckSpec(
    name="product_upright",
    lesson="The product leaned or stood on its head. It stands upright on its base, as in [2].",
    needs_product=True,
    measure=product_upright,
)
