"""The shadow where the product stands."""

from __future__ import annotations

from function.judging.body import without_shadow
from function.judging.cast_shadow import cast_shadow
from function.judging.check import Check, CheckSpec, at_least, at_most, does_not_apply, unmeasured
from function.judging.ground_contact import goes_on_beside
from function.judging.inspection import Inspection
from function.judging.limit import least, most
from function.judging.product_upright import lean_deg

# From so many degrees on a product does not stand on its base.
LYING_DEG = 25.0
# Stops by which the surface near the product must be darker than in the scene for a shadow to be there.
MIN_SHADOW = 0.1
# Share of the darkest shadow around that lies at the base of a product that stands: good ones have .6 and more.
MIN_ATTACHED = 0.4
# Share of it that lies apart below the base: good ones reach .02, of those lifted by a fifth of their height none has
# less than .69.
MAX_APART = 0.35
UNIT = "of the darkest shadow"
APART = "The shadow lies apart below the product: it floats in the air."


def contact_shadow(inspection: Inspection) -> Check:
    """A shadow is there, and it begins where the product stands; where it stands on nothing, it needs none."""
    if inspection.scene.drawn_anew:
        return unmeasured("stops", "Not measured: the surface was drawn anew, with whatever shadow.", passed=True)
    if inspection.view.touches_bottom:
        return does_not_apply("the picture's lower border cuts the product")
    in_the_air = _in_the_air(inspection)
    if in_the_air is not None:
        return in_the_air
    check = _standing(inspection)
    if check.passed:
        return check
    without_base = _without_base(inspection)
    return check if without_base is None else unmeasured("stops", f"Not measured: {without_base}.", passed=True)


def _in_the_air(inspection: Inspection) -> Check | None:
    """For a product whose outline is not known: the failed check where its shadow lies apart below it; else None.

    That is told without its outline; what else a shadow may lack is not.
    """
    body = without_shadow(inspection.view)
    if body.fitted or not goes_on_beside(inspection.scene, body):
        return None
    cast = cast_shadow(inspection.scene, body)
    if cast is None or cast.strongest < MIN_SHADOW or cast.apart <= MAX_APART:
        return None
    return at_most(cast.apart, MAX_APART, UNIT, good="", bad=APART)


def _without_base(inspection: Inspection) -> str | None:
    """Why no shadow has to begin at the product's base, as half a sentence; None where it has to."""
    if not inspection.view.fitted:
        return "the product is not shown as on its photograph, and where it stands is not known"
    match = inspection.product.match
    lean = None if match is None else lean_deg(match)
    if lean is not None and abs(lean) > LYING_DEG:
        return "the product does not stand on its base"
    if not goes_on_beside(inspection.scene, inspection.view):
        return "the product does not stand on a surface; it may be held or worn"
    return None


def _standing(inspection: Inspection) -> Check:
    """For a product that stands on something."""
    cast = cast_shadow(inspection.scene, inspection.view)
    if cast is None:
        return unmeasured("stops", "The product's base lies outside the picture.", passed=False)
    if cast.strongest < MIN_SHADOW:
        bad = "There is no contact shadow: the product looks pasted on."
        return at_least(cast.strongest, MIN_SHADOW, "stops", good="", bad=bad)
    if cast.apart > MAX_APART:
        return at_most(cast.apart, MAX_APART, UNIT, good="", bad=APART)
    return at_least(
        cast.attached,
        MIN_ATTACHED,
        UNIT,
        good="The surface darkens where the product stands on it.",
        bad="The shadow does not begin where the product stands: it seems to float.",
    )


SPEC = CheckSpec(
    name="contact_shadow",
    lesson="The contact shadow was missing or detached. The product must touch the surface, with a soft dark shadow "
    "right where it stands.",
    needs_product=True,
    measure=contact_shadow,
    limits=(
        least("shadow, stops", MIN_SHADOW, "stops"),
        most("shadow apart", MAX_APART, UNIT),
        least("attached", MIN_ATTACHED, UNIT),
    ),
    poses=frozenset({"stand"}),
)
