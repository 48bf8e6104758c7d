"""Whether the product has the colours of its photograph."""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_least, at_most, unmeasured
from function.judging.colour_difference import MOST_COLOUR, colour_difference
from function.judging.inspection import Inspection

# Colourfulness (mean chroma) against the photograph's under that light.
LEAST_CHROMA = 0.7


def product_colour(inspection: Inspection) -> Check:
    """The product's colours are the photograph's, apart from the scene's light."""
    difference = colour_difference(inspection.view)
    if difference is None:
        return unmeasured("Lab", "The product is too small for its colours to be compared.", passed=True)
    value, chroma = difference
    if chroma < LEAST_CHROMA:
        return at_least(
            chroma,
            LEAST_CHROMA,
            "of the photograph's chroma",
            good="",
            bad="The product's colours are washed out.",
        )
    return at_most(
        value,
        MOST_COLOUR,
        "Lab",
        good="The product has the colours of its photograph.",
        bad="The product's colours are not those of its photograph.",
    )


SPEC = CheckSpec(
    name="product_colour",
    lesson="The product's colours were wrong. Use exactly the colours of [2], apart from the light.",
    needs_product=True,
    measure=product_colour,
)
