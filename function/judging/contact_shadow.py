"""Checks the contact shadow: that there is one, and that it begins where the product stands.

A product that stands is darkest where it touches its support; a floating one has its shadow apart, below its base. Both
are read as ratios to the darkest shadow around (`cast_shadow.py`), so that neither a weak nor a strong light decides.
What is cut by the lower border, lies, or has no support below it (held or worn: `support_surface.py`) needs no contact.
Without a known silhouette only that there is none at all, or that it is detached, is told.

In: an `Inspection`. Out: a `Check`, in stops or as a share of the darkest shadow. Two ratios
replaced ten absolute numbers at the base. `python -m tests.bench.judging` prints both.
"""

from __future__ import annotations

from function.judging.cast_shadow import cast_shadow
from function.judging.check import Check, CheckSpec, at_least, at_most, not_applicable, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit
from function.judging.product_upright import lean_deg
from function.judging.shadow_removal import remove_shadow
from function.judging.support_surface import surface_continues

# A product that leans by more does not stand on its base, degrees.
MIN_LYING_DEG = 25.0
# Least darkening around the product that is a shadow, stops.
MIN_SHADOW_STOPS = 0.1
# The same where the silhouette is not known and nothing tells where the base is. Good images had .03 and more (a pale
# pot on a pale counter), two products without any shadow .001 and .012.
MIN_ANY_SHADOW_STOPS = 0.02
# Least darkening at the base over the peak. Good images have .6 and more.
MIN_CONTACT_RATIO = 0.4
# Largest darkening apart below the base over the peak. Good images reach .02, products lifted by a fifth of their
# height have .69 and more.
MAX_DETACHED_RATIO = 0.35
UNIT = "of the darkest shadow"
NO_SHADOW = "There is no contact shadow: the product looks pasted on."
DETACHED = "The shadow lies apart below the product: it floats in the air."


def contact_shadow(inspection: Inspection) -> Check:
    """A shadow is there and begins at the base; a product that stands on nothing needs none."""
    if inspection.scene.redrawn:
        return not_measured("stops", "Not measured: the surface was redrawn, and its shadows with it.", passed=True)
    if inspection.crop.touches_bottom:
        return not_applicable("the picture's lower border cuts the product")
    unsupported = _unsupported(inspection)
    if unsupported is not None:
        return unsupported
    check = _contact(inspection)
    if check.passed:
        return check
    exemption = _exemption(inspection)
    return check if exemption is None else not_measured("stops", f"Not measured: {exemption}.", passed=True)


def _unsupported(inspection: Inspection) -> Check | None:
    """For a product whose silhouette is not known: the failed check where it has no shadow at all, or where its shadow
    is detached; else None."""
    body = remove_shadow(inspection.crop)
    if body.fitted or not surface_continues(inspection.scene, body):
        return None
    cast = cast_shadow(inspection.scene, body)
    if cast is None:
        return None
    if cast.peak < MIN_ANY_SHADOW_STOPS:
        return at_least(cast.peak, MIN_ANY_SHADOW_STOPS, "stops", good="", bad=NO_SHADOW)
    if cast.peak < MIN_SHADOW_STOPS or cast.detached_ratio <= MAX_DETACHED_RATIO:
        return None
    return at_most(cast.detached_ratio, MAX_DETACHED_RATIO, UNIT, good="", bad=DETACHED)


def _exemption(inspection: Inspection) -> str | None:
    """Why the product needs no contact, as half a sentence; None where it does."""
    if not inspection.crop.fitted:
        return "the product is not shown as on its photograph, and where it stands is not known"
    match = inspection.product.match
    lean = None if match is None else lean_deg(match)
    if lean is not None and abs(lean) > MIN_LYING_DEG:
        return "the product does not stand on its base"
    if not surface_continues(inspection.scene, inspection.crop):
        return "the product does not stand on a surface; it may be held or worn"
    return None


def _contact(inspection: Inspection) -> Check:
    """For a product that stands on something."""
    cast = cast_shadow(inspection.scene, inspection.crop)
    if cast is None:
        return not_measured("stops", "The product's base lies outside the picture.", passed=False)
    if cast.peak < MIN_SHADOW_STOPS:
        return at_least(cast.peak, MIN_SHADOW_STOPS, "stops", good="", bad=NO_SHADOW)
    if cast.detached_ratio > MAX_DETACHED_RATIO:
        return at_most(cast.detached_ratio, MAX_DETACHED_RATIO, UNIT, good="", bad=DETACHED)
    return at_least(
        cast.contact_ratio,
        MIN_CONTACT_RATIO,
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
        min_limit("shadow, stops", MIN_SHADOW_STOPS, "stops"),
        min_limit("any shadow, stops", MIN_ANY_SHADOW_STOPS, "stops"),
        max_limit("shadow apart", MAX_DETACHED_RATIO, UNIT),
        min_limit("attached", MIN_CONTACT_RATIO, UNIT),
    ),
    poses=frozenset({"stand"}),
)
