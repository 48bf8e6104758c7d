"""Whether the product has a size one can believe."""

from __future__ import annotations

import numpy as np

from function.judging.body import without_shadow
from function.judging.check import Check, CheckSpec, at_least, at_most
from function.judging.inspection import Inspection
from function.judging.limit import least, most
from function.judging.silhouette_pose import silhouette_pose
from function.restoration.analysis import ProductAnalysis

# Height of the product as a share of the picture's: below, it is lost; above, it is no longer in a scene.
MIN_HEIGHT, MAX_HEIGHT = 0.07, 0.68
# Where only the piece that was put in is known it may be a garment on a person, with the shadow.
MAX_PIECE_HEIGHT = 0.9
# A smaller piece may as well be a corner of the scene that the model drew anew: .077 in a picture without the product.
MIN_PIECE_HEIGHT = 0.1
# Width over height against the photograph's: turning and looking down change it, but not more than this.
MIN_ASPECT, MAX_ASPECT = 0.84, 1.2
# It is read where the match is verified by so much (0..255), in so many pixels at least.
SURE_WEIGHT, MIN_SURE = 200, 50


def scale_plausible(inspection: Inspection) -> Check:
    """The product has a size one can believe and its own proportions."""
    aspect = aspect_change(inspection.product)
    if aspect is None and not inspection.view.touches_border:
        pose = silhouette_pose(inspection.product.photograph, without_shadow(inspection.view))
        aspect = None if pose is None else pose.aspect_change
    if aspect is not None and not MIN_ASPECT <= aspect <= MAX_ASPECT:
        limit = MIN_ASPECT if aspect < MIN_ASPECT else MAX_ASPECT
        wrong = "narrow and tall" if aspect < MIN_ASPECT else "wide and flat"
        return Check(
            round(aspect, 3), limit, False, "of the photograph's width to height", f"The product is drawn too {wrong}."
        )
    share = inspection.view.height / inspection.scene.change.shape[0]
    if share < MIN_HEIGHT:
        return at_least(share, MIN_HEIGHT, "share of the height", good="", bad="The product is far too small.")
    recognised = inspection.view.fitted or inspection.view.found
    if not recognised and share < MIN_PIECE_HEIGHT:
        bad = "What was put in is too small to tell whether it is the product."
        return at_least(share, MIN_PIECE_HEIGHT, "share of the height", good="", bad=bad)
    return at_most(
        share,
        MAX_HEIGHT if recognised else MAX_PIECE_HEIGHT,
        "share of the height",
        good="The product has a believable size.",
        bad="The product is far too large for the scene.",
    )


SPEC = CheckSpec(
    name="scale_plausible",
    lesson="The product's size was not believable. Size it against the objects around it.",
    needs_product=True,
    measure=scale_plausible,
    limits=(
        most("height", MAX_HEIGHT, "share of the height"),
        most("height of a piece", MAX_PIECE_HEIGHT, "share of the height"),
        least("height, small", MIN_HEIGHT, "share of the height"),
        least("height of a piece, small", MIN_PIECE_HEIGHT, "share of the height"),
        most("width to height, wide", MAX_ASPECT, "of the photograph's width to height"),
        least("width to height, tall", MIN_ASPECT, "of the photograph's width to height"),
    ),
)


def aspect_change(product: ProductAnalysis) -> float | None:
    """Width over height in the answer against the photograph, where it was verified, whichever way the product is
    turned: one that lies is not flat. None where it was not found."""
    match = product.match
    if match is None and product.placement is not None:
        return product.placement.aspect_change
    if match is None or (match.weight > SURE_WEIGHT).sum() < MIN_SURE:
        return None
    sure = match.weight > SURE_WEIGHT
    rows, columns = product.photograph.shape[:2]
    across = float(np.median(np.hypot(*np.gradient(match.mapping[..., 0]))[sure])) * columns
    down = float(np.median(np.hypot(*np.gradient(match.mapping[..., 1]))[sure])) * rows
    return down / across if across > 0 else None
