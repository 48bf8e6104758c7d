"""Checks that the label shows what the photograph shows."""

from __future__ import annotations

from function.imaging.array_ops import largest_component
from function.judging.check import Check, CheckSpec, at_least, at_most, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit
from function.judging.print_correlation import (
    MIN_PATTERN_CORRELATION,
    MIN_PRINT_CORRELATION,
    mismatched_share,
    pattern_correlation,
)
from function.judging.product_crop import MIN_LEGIBLE_PX
from function.matching.print_detection import has_print
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
