"""Checks that the product stands upright: how far its verticals lean from the photograph's, in degrees.

The lean comes from the best evidence there is: the match's Jacobian, the placement, vertical edges, or the outline
(`outline_pose.py`). Away from the image's middle a camera that looks down makes upright things lean outwards; that is
granted.
"""

from __future__ import annotations

import math

import numpy as np

from function.judging.check import Check, CheckSpec, at_most, not_applicable, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit
from function.judging.shadow_removal import remove_shadow
from function.judging.vertical_edges import edge_lean_deg
from function.matching.match import ProductMatch

# A person sees a bottle lean from about 8 degrees on; standing products were measured up to 1.
MAX_LEAN_DEG = 6.5
# A camera that looks down makes verticals beside the image's middle lean outwards, by atan(sin(pitch) * x / f).
# Granted is a pitch of 20 degrees at a field of view of 58 degrees (f = .9 image widths). Together with the lean that
# passes anywhere this covers pitches of up to 30 degrees; granting 30 as well let a bottle at the side lean by 17.
PERSPECTIVE_LEAN = math.sin(math.radians(20)) / 0.9
# Least share of the match's box that is verified; below, all of the match counts.
MIN_VERIFIED = 0.02


def product_upright(inspection: Inspection) -> Check:
    """How far the product leans from the photograph's own upright, in degrees: 180 is upside down."""
    match, placement = inspection.product.match, inspection.product.placement
    if inspection.crop.touches_border:
        return not_applicable("the picture's border cuts the product")
    lean = None if match is None else lean_deg(match)
    if lean is None and placement is not None:
        lean = placement.lean_deg
    if lean is None:
        body = remove_shadow(inspection.crop)
        lean = edge_lean_deg(inspection.product.photograph, body, body.product_mask > 0.5)
        if lean is None and inspection.outline is not None:
            lean = inspection.outline.lean_deg
    if lean is None:
        said = "Not measured: neither its photograph nor upright edges were found."
        return not_measured("degrees", said, passed=True)
    x, _, width, _ = inspection.crop.box if match is None else match.box
    aside = (x + width / 2) / inspection.product.mask.shape[1] - 0.5
    granted = math.degrees(math.atan(PERSPECTIVE_LEAN * abs(aside))) if lean * aside > 0 else 0.0
    return at_most(
        abs(lean),
        round(MAX_LEAN_DEG + granted, 1),
        "degrees",
        good="The product stands upright.",
        bad="The product leans, lies or stands on its head, unlike on its photograph.",
    )


def lean_deg(match: ProductMatch) -> float | None:
    """Degrees -180..180 by which the photograph's verticals lean in the generated image, their tops to the right where
    positive; None where too little of it was verified.

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
    # The way across the image along which u stays and v grows, which is the photograph's way down.
    sign = 1.0 if u_x * v_y - u_y * v_x > 0 else -1.0
    return math.degrees(math.atan2(u_y * sign, u_x * sign))


SPEC = CheckSpec(
    name="product_upright",
    lesson="The product leaned or stood on its head. It stands upright on its base, as in [2].",
    needs_product=True,
    measure=product_upright,
    limits=(max_limit("lean, degrees", MAX_LEAN_DEG, "degrees"),),
    poses=frozenset({"stand"}),
)
