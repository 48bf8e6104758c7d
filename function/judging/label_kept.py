"""Checks that the label shows what the photograph shows."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import largest_component, remap
from function.judging.check import Check, CheckSpec, at_least, at_most, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit
from function.judging.print_correlation import (
    MIN_PATTERN_CORRELATION,
    MIN_PRINT_CORRELATION,
    WINDOW_SIGMA,
    mismatched_share,
    pattern_correlation,
)
from function.judging.product_crop import MIN_LEGIBLE_PX
from function.matching.print_detection import has_print, print_mask
from function.restoration.silhouette import MIN_SIDE_PX

# Share of the print, weighed by its contrast, that may show something else: part of a label was replaced.
MAX_MISMATCHED = 0.18
NO_PRINT = not_measured("correlation", "The product carries no print to compare.", passed=True)


def label_kept(inspection: Inspection) -> Check:
    """The print is that of the photograph, each part at its place; a product without print has none to keep."""
    check = _matched_label(inspection) if inspection.product.match is not None else _unmatched_label(inspection)
    # Looked for last: most labels are kept.
    return check if check.passed or has_print(inspection.product.photograph) else NO_PRINT


SPEC = CheckSpec(
    name="label_kept",
    lesson="The label was not preserved. Copy every word, letter and mark of [2] exactly, and invent none.",
    needs_product=True,
    measure=label_kept,
    limits=(
        min_limit("label agreement", MIN_PRINT_CORRELATION, "correlation"),
        max_limit("label replaced", MAX_MISMATCHED, "share of the print"),
        min_limit("pattern agreement", MIN_PATTERN_CORRELATION, "correlation"),
    ),
)


def _matched_label(inspection: Inspection) -> Check:
    """For a product that was found by its print."""
    match = inspection.product.match
    assert match is not None
    mismatched = mismatched_share(inspection.crop)
    if mismatched > MAX_MISMATCHED and (in_crop := _print_in_crop(inspection)).any():
        # Gloss on a lid or a shoulder has contrast too, and lies elsewhere under another light.
        mismatched = mismatched_share(inspection.crop, in_crop)
    if mismatched > MAX_MISMATCHED:
        return at_most(
            mismatched,
            MAX_MISMATCHED,
            "share of the print",
            good="",
            bad="Parts of the label are not what the photograph shows: text or marks differ.",
        )
    return at_least(
        float(match.correlation),
        MIN_PRINT_CORRELATION,
        "correlation",
        good="The label shows what the photograph shows.",
        bad="The label is not what the photograph shows: its text or marks are garbled.",
    )


def _unmatched_label(inspection: Inspection) -> Check:
    """For a product that was not found by its print."""
    piece = largest_component(inspection.product.mask > 127, MIN_SIDE_PX)
    if inspection.crop.fitted and max(inspection.crop.height, piece[1][3] if piece else 0) < MIN_LEGIBLE_PX:
        return not_measured("correlation", "The product is too small in this scene to compare its label.", passed=True)
    agreement = pattern_correlation(inspection.crop)
    if agreement >= MIN_PATTERN_CORRELATION:
        return at_least(
            agreement,
            MIN_PATTERN_CORRELATION,
            "correlation",
            good="The product's pattern is that of its photograph.",
            bad="",
        )
    return not_measured(
        "correlation",
        "The label was not compared: it could not be found again on the product. Please check its text and marks.",
        passed=False,
    )


def _print_in_crop(inspection: Inspection) -> np.ndarray:
    """(h, w) uint8: where the photograph shows print, around it as far as a word is wide."""
    found = remap(print_mask(inspection.product.photograph), inspection.crop.reference_map, border=cv2.BORDER_CONSTANT)
    reach = 2 * round(WINDOW_SIGMA * inspection.crop.height) + 1
    return cv2.dilate(found, np.ones((reach, reach), np.uint8))
