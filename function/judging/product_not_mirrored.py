"""Whether the product stands there the right way round."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.check import Check, CheckSpec, at_least, unmeasured
from function.judging.inspection import Inspection
from function.judging.limit import least
from function.judging.print_agreement import MIN_AGREEMENT
from function.judging.product_view import ProductView
from function.matching import features
from function.matching.photograph import prepare_photograph
from function.matching.print_detection import has_print

# Longest side of the photograph when its marks are counted.
PHOTOGRAPH_PX = 320
# Of the marks found again in the photograph or in its mirror image, the share that must be the photograph's.
# A symmetric ornament is found both ways; lettering is not.
MIN_STRAIGHT = 0.5
# Fewer marks than this say nothing.
MIN_MARKS = 16
MIRRORED = "The product is mirrored: left and right are exchanged, letters read backwards."


def product_not_mirrored(inspection: Inspection) -> Check:
    """The print lies on the photograph's, or more of its marks are found again than of its mirror image's.

    A product without print may be the same from left and right, or be seen from its other side.
    """
    check = _measured(inspection)
    if check.passed or has_print(inspection.product.photograph):
        return check
    return unmeasured(check.unit, "The product carries no print to tell left from right by.", passed=True)


def _measured(inspection: Inspection) -> Check:
    unit, straightened = "share of the marks", "Left and right are as on the photograph."
    match = inspection.product.match
    if match is not None and not match.mirrored and match.correlation >= MIN_AGREEMENT:
        # Lettering that lies on lettering is not mirrored: no need to look for marks.
        return at_least(float(match.correlation), MIN_AGREEMENT, "correlation", good=straightened, bad=MIRRORED)
    straight, mirrored = found_marks(inspection.product.photograph, inspection.view)
    if straight + mirrored < MIN_MARKS:
        if match is not None and match.mirrored:
            return unmeasured(unit, MIRRORED, passed=False)
        return unmeasured(unit, "The product has too few marks to tell left from right.", passed=True)
    return at_least(
        straight / (straight + mirrored),
        MIN_STRAIGHT,
        unit,
        good=straightened,
        bad=MIRRORED,
    )


SPEC = CheckSpec(
    name="product_not_mirrored",
    lesson="The product was mirrored. Keep its left and right as in [2]; letters must read correctly.",
    needs_product=True,
    measure=product_not_mirrored,
    limits=(
        least("label agreement", MIN_AGREEMENT, "correlation"),
        least("straight marks", MIN_STRAIGHT, "share of the marks"),
    ),
)


def found_marks(product: np.ndarray, view: ProductView) -> tuple[int, int]:
    """Marks of the photograph, and of its mirror image, found again in one consistent place each."""
    photograph = prepare_photograph(product, PHOTOGRAPH_PX)
    if photograph is None:
        return 0, 0
    height, width = photograph.alpha.shape
    known = features.detect(cv2.cvtColor(photograph.rgb, cv2.COLOR_RGB2GRAY), cv2.inRange(photograph.alpha, 128, 255))
    seen = features.detect(cv2.cvtColor(view.answer, cv2.COLOR_RGB2GRAY))
    return _marks(known, seen, height), _marks(features.mirrored(known, width), seen, height)


def _marks(known: features.Features, seen: features.Features, height: int) -> int:
    pairs = features.pair_up(known, seen)
    found = features.first_view(known, seen, pairs, height)
    return 0 if found is None else features.places(known.points[pairs[0][found[1]]])
