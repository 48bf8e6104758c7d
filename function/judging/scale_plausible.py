"""Checks the product's size in the scene, and its proportions."""

from __future__ import annotations

import numpy as np

from function.judging.check import Check, CheckSpec, at_least, at_most
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit
from function.restoration.analysis import ProductAnalysis

# Range of the product's height as a share of the image's.
MIN_HEIGHT, MAX_HEIGHT = 0.07, 0.68
# The upper end where the silhouette is not known: it may be a garment on a person, with the shadow.
MAX_PIECE_HEIGHT = 0.9
# The lower end there: a redrawn corner of the scene had .077 in an image without the product.
MIN_PIECE_HEIGHT = 0.1
# Range of the aspect against the photograph's that rotation and a camera from above explain.
MIN_ASPECT, MAX_ASPECT = 0.84, 1.2
# The match is read where its weight (0..255) exceeds this, in so many pixels at least.
SURE_WEIGHT, MIN_SURE = 200, 50


def scale_plausible(inspection: Inspection) -> Check:
    """The product's size fits the scene, and its proportions are the photograph's."""
    aspect = aspect_change(inspection.product)
    if aspect is None and not inspection.crop.touches_border:
        aspect = None if inspection.outline is None else inspection.outline.aspect_change
    if aspect is not None and not MIN_ASPECT <= aspect <= MAX_ASPECT:
        limit = MIN_ASPECT if aspect < MIN_ASPECT else MAX_ASPECT
        wrong = "narrow and tall" if aspect < MIN_ASPECT else "wide and flat"
        return Check(
            round(aspect, 3), limit, False, "of the photograph's width to height", f"The product is drawn too {wrong}."
        )
    share = inspection.crop.height / inspection.scene.change.shape[0]
    if share < MIN_HEIGHT:
        return at_least(share, MIN_HEIGHT, "share of the height", good="", bad="The product is far too small.")
    recognised = inspection.crop.fitted or inspection.crop.matched
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
        max_limit("height", MAX_HEIGHT, "share of the height"),
        max_limit("height of a piece", MAX_PIECE_HEIGHT, "share of the height"),
        min_limit("height, small", MIN_HEIGHT, "share of the height"),
        min_limit("height of a piece, small", MIN_PIECE_HEIGHT, "share of the height"),
        max_limit("width to height, wide", MAX_ASPECT, "of the photograph's width to height"),
        min_limit("width to height, tall", MIN_ASPECT, "of the photograph's width to height"),
    ),
)


def aspect_change(product: ProductAnalysis) -> float | None:
    """Aspect (width over height) in the product's own axes, as a ratio to the photograph's; None where the product was
    not matched."""
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
