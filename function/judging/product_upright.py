"""Whether the product stands upright."""

from __future__ import annotations

import math

import numpy as np

from function.judging.body import without_shadow
from function.judging.check import Check, CheckSpec, at_most, does_not_apply, unmeasured
from function.judging.inspection import Inspection
from function.judging.limit import most
from function.judging.silhouette_pose import silhouette_pose
from function.judging.vertical_edges import edges_lean_deg
from function.matching.match import ProductMatch

# A person sees a bottle lean from about 8 degrees on; standing products were measured up to 1.
MAX_LEAN_DEG = 6.5
# A camera that looks down makes what stands beside the picture's middle lean outwards, by atan(sin(pitch) * x / f).
# Granted is that of a pitch of 30 degrees at a field of view of 58 degrees (f = .9 picture widths).
OUTWARD_LEAN = math.sin(math.radians(30)) / 0.9
# Share of the match's box whose place in the photograph has to be verified for its direction to count.
MIN_VERIFIED = 0.02


def product_upright(inspection: Inspection) -> Check:
    """How far the product leans from the photograph's own upright, in degrees: 180 is upside down."""
    match, placement = inspection.product.match, inspection.product.placement
    if inspection.view.touches_border:
        return does_not_apply("the picture's border cuts the product")
    lean = None if match is None else lean_deg(match)
    if lean is None and placement is not None:
        lean = placement.lean_deg
    if lean is None:
        body = without_shadow(inspection.view)
        lean = edges_lean_deg(inspection.product.photograph, body, body.cover > 0.5)
        if lean is None and (pose := silhouette_pose(inspection.product.photograph, body)) is not None:
            lean = pose.lean_deg
    if lean is None:
        said = "Not measured: neither its photograph nor upright edges were found."
        return unmeasured("degrees", said, passed=True)
    x, _, width, _ = inspection.view.box if match is None else match.box
    aside = (x + width / 2) / inspection.product.mask.shape[1] - 0.5
    granted = math.degrees(math.atan(OUTWARD_LEAN * abs(aside))) if lean * aside > 0 else 0.0
    return at_most(
        abs(lean),
        round(MAX_LEAN_DEG + granted, 1),
        "degrees",
        good="The product stands upright.",
        bad="The product leans, lies or stands on its head, unlike on its photograph.",
    )


def lean_deg(match: ProductMatch) -> float | None:
    """Degrees -180..180 by which the photograph's verticals lean in the answer, their tops to the right where positive;
    None where too little of it was verified.

    Only the verticals tell: what stands and is turned about its own axis shows its horizontals in perspective, aslant
    by up to 9 degrees on a box, while its verticals stay upright.
    """
    sure = match.weight > 127
    if sure.mean() < MIN_VERIFIED:
        sure = match.weight > 0
    if not sure.any():
        return None
    (u_x, u_y), (v_x, v_y) = (
        [float(np.median(np.gradient(match.mapping[..., part], axis=axis)[sure])) for axis in (1, 0)] for part in (0, 1)
    )
    # The way across the picture along which u stays and v grows, which is the photograph's way down.
    sign = 1.0 if u_x * v_y - u_y * v_x > 0 else -1.0
    return math.degrees(math.atan2(u_y * sign, u_x * sign))


SPEC = CheckSpec(
    name="product_upright",
    lesson="The product leaned or stood on its head. It stands upright on its base, as in [2].",
    needs_product=True,
    measure=product_upright,
    limits=(most("lean, degrees", MAX_LEAN_DEG, "degrees"),),
    poses=frozenset({"stand"}),
)
