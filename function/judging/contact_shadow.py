"""The shadow where the product stands."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import largest_component
from function.judging.check import Check, CheckSpec, at_least, at_most, does_not_apply, unmeasured
from function.judging.ground_contact import gap, goes_on_beside, surface_below, touched
from function.judging.inspection import Inspection
from function.judging.product_upright import lean_deg
from function.judging.product_view import SMALL_PX, ProductView
from function.restoration.analysis import SceneAnalysis
from function.restoration.shading import even_darkening, light_stops

# The base is the lowest part of the outline, as a share of the product's height: it is read beside and under it, since
# a shadow falls to one side. Less of it along what was put in, whose outline holds shadow, and less for a dark contact.
BASE_SHARE, OUTER_BASE_SHARE, DARK_BASE_SHARE = 0.2, 0.15, 0.12
# Contact is looked for within this distance of the outline, as a share of the product's height.
REACH_SHARE, LEAST_REACH_PX = 0.06, 6.0
# The outermost pixels of the rim are mixed with the product.
RIM_PX = 2.0
# Of the darkening around the base this quantile counts, of that around the whole product the other one.
AT_BASE, AROUND = 0.85, 0.99
# From so many degrees on a product does not stand on its base.
LYING_DEG = 25.0
# Stops by which the surface near the product must be darker than in the scene for a shadow to be there.
LEAST_SHADOW = 0.1
# Darkening at the base over the darkest shadow around: a product that stands is darkest where it touches.
# A small product's contact is narrower than what the light is smoothed over: it reads less dark there. Less is asked
# as well where the surface right below shows that something stands on it.
LEAST_ATTACHED, LEAST_ATTACHED_SMALL = 0.4, 0.3
# A dark contact shadow is taken for a part of what was put in, and has no light of its own. It is read from the
# pixels there, this far off the outline (share of the height), where this quantile reaches so many stops.
CLEAR_SHARE, LEAST_CLEAR_PX, AT_DARK_BASE, DARK_CONTACT = 0.02, 3.0, 0.75, 0.2
# Below the base, a shadow that is darker some way down than right there, by so many stops, belongs to a product in
# the air: standing products reached .04, lifted ones begin at .2 where the shadow falls towards the camera.
MOST_GAP = 0.15
# Stops by which the surface right below the base must differ from the scene: standing products reached .045 and more
# (light from the front on pale marble), surfaces that nothing stands on .04 by noise.
LEAST_TOUCHED = 0.04
# From so many stops on something stands there for sure; lifted products reached .057.
SURELY_TOUCHED = 0.065
# Only from so many on a dark contact seen in the pixels alone counts: the product's own dark rim looks the same.
DARKLY_TOUCHED = 0.12


def contact_shadow(inspection: Inspection) -> Check:
    """A shadow is there, and it begins where the product stands; where it stands on nothing, it needs none."""
    if inspection.scene.drawn_anew:
        return unmeasured("stops", "Not measured: the surface was drawn anew, with whatever shadow.", passed=True)
    if inspection.view.touches_bottom:
        return does_not_apply("the picture's lower border cuts the product")
    check = _standing(inspection)
    if check.passed:
        return check
    without_base = _without_base(inspection)
    return check if without_base is None else unmeasured("stops", f"Not measured: {without_base}.", passed=True)


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
    scene, view = inspection.scene, inspection.view
    surface = surface_below(scene, view)
    contact = None if surface is None else touched(surface, view.height)
    # Where the outline is right to a fraction of a pixel, a dark rim of the product is no shadow beside it.
    sees_dark = view.settled or contact is None or contact >= DARKLY_TOUCHED
    measured = shadow(scene, view, dark_contact=sees_dark)
    if measured is None:
        return unmeasured("stops", "The product's base lies outside the picture.", passed=False)
    strongest, at_base = measured
    if strongest < LEAST_SHADOW:
        return at_least(
            strongest, LEAST_SHADOW, "stops", good="", bad="There is no contact shadow: the product looks pasted on."
        )
    lower = 0.0 if surface is None else gap(surface, view.height)
    if lower > MOST_GAP:
        return at_most(
            lower, MOST_GAP, "stops", good="", bad="The shadow lies apart below the product: it floats in the air."
        )
    if contact is not None and contact < LEAST_TOUCHED:
        return at_least(
            contact,
            LEAST_TOUCHED,
            "stops",
            good="",
            bad="Right below the product the surface is as it was without it: the product floats in the air.",
        )
    sure = contact is None or contact >= SURELY_TOUCHED
    return at_least(
        at_base / strongest,
        LEAST_ATTACHED_SMALL if sure or view.height < SMALL_PX else LEAST_ATTACHED,
        "of the darkest shadow",
        good="The surface darkens where the product stands on it.",
        bad="The shadow does not begin where the product stands: it seems to float.",
    )


SPEC = CheckSpec(
    name="contact_shadow",
    lesson="The contact shadow was missing or detached. The product must touch the surface, with a soft dark shadow "
    "right where it stands.",
    needs_product=True,
    measure=contact_shadow,
    poses=frozenset({"stand"}),
)


def shadow(scene: SceneAnalysis, view: ProductView, *, dark_contact: bool = True) -> tuple[float, float] | None:
    """Stops by which the scene is darkened around the product at the most, and right at its base."""
    stops = -light_stops(scene.light, view.box)
    cover = (view.cover > 0.5).astype(np.uint8)
    # The outline misses the side of a turned box; what was put in holds it, and the darkest shadow with it.
    piece = largest_component((view.cover > 0.5) | (view.put_in > 0.5))
    outer = cover if piece is None else piece[0].astype(np.uint8)
    rings = _ring(cover, view.height, BASE_SHARE), _ring(outer, view.height, OUTER_BASE_SHARE)
    at_base = [float(np.quantile(stops[ring], AT_BASE)) for ring in rings if ring.sum() >= 20]
    around = cv2.dilate(outer, np.ones((5, 5), np.uint8)) == 0
    if not at_base or not around.any():
        return None
    strongest, contact = float(np.quantile(stops[around], AROUND)), max(at_base)
    dark = _dark_contact(view, cover) if dark_contact else 0.0
    return max(strongest, dark), max(contact, dark)


def _dark_contact(view: ProductView, cover: np.ndarray) -> float:
    """Stops by which what was put in just off the base only darkens the scene; 0 if hardly."""
    ring = _ring(cover, view.height, DARK_BASE_SHARE, max(LEAST_CLEAR_PX, CLEAR_SHARE * view.height))
    if ring.sum() < 20:
        return 0.0
    darker = even_darkening(view.scene, view.answer) * (view.put_in > 0.5)
    value = float(np.quantile(darker[ring], AT_DARK_BASE))
    return value if value >= DARK_CONTACT else 0.0


def _ring(solid: np.ndarray, height: float, base_share: float, from_px: float = RIM_PX) -> np.ndarray:
    """(h, w) bool: just outside `solid`, not above its base."""
    rows = np.flatnonzero(solid.any(axis=1))
    distance = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    ring = (distance > from_px) & (distance <= max(LEAST_REACH_PX, REACH_SHARE * height))
    ring[: max(0, int(rows[-1] - base_share * height)) if len(rows) else 0] = False
    return ring
