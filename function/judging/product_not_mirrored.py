"""Checks the product's handedness: left and right as on the photograph.

SIFT keypoints of the photograph and of its mirror image are matched with the generated image, each under one affine
model; lettering agrees with one of them only, symmetric ornament with both. The share of unmirrored matches decides.
Print that correlates with the photograph's needs no matching.

In: an `Inspection`. Out: a `Check`, as a correlation or a share 0..1 of the keypoints. A product without print is not
measured: it may be symmetric, or be seen from its other side.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.check import Check, CheckSpec, at_least, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import min_limit
from function.judging.print_correlation import MIN_PRINT_CORRELATION
from function.judging.product_crop import ProductCrop
from function.matching import features
from function.matching.print_detection import has_print
from function.matching.reference_image import prepare_reference

# Longest side of the photograph when its keypoints are detected.
PHOTOGRAPH_PX = 320
# Least share of the matched keypoints that are the photograph's and not its mirror image's.
MIN_UNMIRRORED = 0.5
# Fewer matches are not measured.
MIN_KEYPOINTS = 16
MIRRORED = "The product is mirrored: left and right are exchanged, letters read backwards."


def product_not_mirrored(inspection: Inspection) -> Check:
    """The print correlates with the photograph's, or more keypoints match it than its mirror image."""
    check = _measured(inspection)
    match = inspection.product.match
    # Small or pale print is not told from texture, but what was matched in the mirror image by enough keypoints differs
    # from left to right.
    if check.passed or (match is not None and match.mirrored and check.value is not None):
        return check
    if has_print(inspection.product.photograph):
        return check
    return not_measured(check.unit, "The product carries no print to tell left from right by.", passed=True)


def _measured(inspection: Inspection) -> Check:
    unit, good = "share of the marks", "Left and right are as on the photograph."
    match = inspection.product.match
    if match is not None and not match.mirrored and match.correlation >= MIN_PRINT_CORRELATION:
        # Lettering that correlates with lettering is not mirrored.
        return at_least(float(match.correlation), MIN_PRINT_CORRELATION, "correlation", good=good, bad=MIRRORED)
    unmirrored, mirrored = matched_keypoints(inspection.product.photograph, inspection.crop)
    if unmirrored + mirrored < MIN_KEYPOINTS:
        if match is not None and match.mirrored:
            return not_measured(unit, MIRRORED, passed=False)
        return not_measured(unit, "The product has too few marks to tell left from right.", passed=True)
    return at_least(
        unmirrored / (unmirrored + mirrored),
        MIN_UNMIRRORED,
        unit,
        good=good,
        bad=MIRRORED,
    )


SPEC = CheckSpec(
    name="product_not_mirrored",
    lesson="The product was mirrored. Keep its left and right as in [2]; letters must read correctly.",
    needs_product=True,
    measure=product_not_mirrored,
    limits=(
        min_limit("label agreement", MIN_PRINT_CORRELATION, "correlation"),
        min_limit("straight marks", MIN_UNMIRRORED, "share of the marks"),
    ),
)


def matched_keypoints(product: np.ndarray, crop: ProductCrop) -> tuple[int, int]:
    """How many keypoints of the photograph, and of its mirror image, match `crop` under one affine model each."""
    photograph = prepare_reference(product, PHOTOGRAPH_PX)
    if photograph is None:
        return 0, 0
    height, width = photograph.alpha.shape
    known = features.detect(cv2.cvtColor(photograph.rgb, cv2.COLOR_RGB2GRAY), cv2.inRange(photograph.alpha, 128, 255))
    seen = features.detect(cv2.cvtColor(crop.generated, cv2.COLOR_RGB2GRAY))
    return _consistent_matches(known, seen, height), _consistent_matches(features.mirrored(known, width), seen, height)


def _consistent_matches(known: features.Features, seen: features.Features, height: int) -> int:
    pairs = features.match_ratio_test(known, seen)
    found = features.estimate_affine(known, seen, pairs, height)
    return 0 if found is None else features.distinct_locations(known.points[pairs[0][found[1]]])
