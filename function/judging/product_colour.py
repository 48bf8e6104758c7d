"""Checks the product's colours: hue and chroma of the photograph, under the scene's light."""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_least, at_most, not_measured
from function.judging.colour_difference import MAX_COLOUR, MAX_PALETTE_COLOUR
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit

# Colourfulness (mean chroma) against the photograph's under that light.
MIN_CHROMA = 0.7
# The same where the photograph was not found, or is too thin to be laid on exactly: one side of a product may be more
# colourful than another.
MIN_PALETTE_CHROMA = 0.5


def product_colour(inspection: Inspection) -> Check:
    """The product's colours are the photograph's, apart from the scene's light."""
    difference = inspection.colour_difference
    if difference is None:
        return not_measured("Lab", "The product is too small for its colours to be compared.", passed=True)
    placed = inspection.crop.matched and not inspection.crop.is_thin
    min_chroma = MIN_CHROMA if placed else MIN_PALETTE_CHROMA
    if difference.chroma < min_chroma:
        return at_least(
            difference.chroma,
            min_chroma,
            "of the photograph's chroma",
            good="",
            bad="The product's colours are washed out.",
        )
    return at_most(
        difference.lab,
        difference.limit,
        "Lab",
        good="The product has the colours of its photograph.",
        bad="The product's colours are not those of its photograph.",
    )


SPEC = CheckSpec(
    name="product_colour",
    lesson="The product's colours were wrong. Use exactly the colours of [2], apart from the light.",
    needs_product=True,
    measure=product_colour,
    limits=(
        max_limit("colour, Lab", MAX_COLOUR, "Lab"),
        max_limit("palette, Lab", MAX_PALETTE_COLOUR, "Lab"),
        min_limit("chroma", MIN_CHROMA, "of the photograph's chroma"),
        min_limit("chroma of the palette", MIN_PALETTE_CHROMA, "of the photograph's chroma"),
    ),
)
