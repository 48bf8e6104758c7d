"""Whether the label shows what the photograph shows."""

from __future__ import annotations

from function.imaging.array_ops import largest_component
from function.judging.check import Check, CheckSpec, at_least, at_most, unmeasured
from function.judging.inspection import Inspection
from function.judging.limit import least, most
from function.judging.print_agreement import MIN_AGREEMENT, MIN_PATTERN, pattern_agreement, replaced_share
from function.judging.product_view import SMALL_PX
from function.matching.print_detection import has_print
from function.restoration.silhouette import MIN_SIDE_PX

# Share of the print, weighed by its contrast, that may show something else: part of a label was replaced.
MAX_REPLACED = 0.18
NO_PRINT = unmeasured("correlation", "The product carries no print to compare.", passed=True)


def label_kept(inspection: Inspection) -> Check:
    """The print is that of the photograph, each part at its place; a product without print has none to keep."""
    check = _found_label(inspection) if inspection.product.match is not None else _unfound_label(inspection)
    # Looked for last: most labels are kept.
    return check if check.passed or has_print(inspection.product.photograph) else NO_PRINT


SPEC = CheckSpec(
    name="label_kept",
    lesson="The label was not preserved. Copy every word, letter and mark of [2] exactly, and invent none.",
    needs_product=True,
    measure=label_kept,
    limits=(
        least("label agreement", MIN_AGREEMENT, "correlation"),
        most("label replaced", MAX_REPLACED, "share of the print"),
        least("pattern agreement", MIN_PATTERN, "correlation"),
    ),
)


def _found_label(inspection: Inspection) -> Check:
    """For a product that was found by its print."""
    match = inspection.product.match
    assert match is not None
    replaced = replaced_share(inspection.view)
    if replaced > MAX_REPLACED:
        return at_most(
            replaced,
            MAX_REPLACED,
            "share of the print",
            good="",
            bad="Parts of the label are not what the photograph shows: text or marks differ.",
        )
    return at_least(
        float(match.correlation),
        MIN_AGREEMENT,
        "correlation",
        good="The label shows what the photograph shows.",
        bad="The label is not what the photograph shows: its text or marks are garbled.",
    )


def _unfound_label(inspection: Inspection) -> Check:
    """For a product that was not found by its print."""
    piece = largest_component(inspection.product.mask > 127, MIN_SIDE_PX)
    if inspection.view.fitted and max(inspection.view.height, piece[1][3] if piece else 0) < SMALL_PX:
        return unmeasured("correlation", "The product is too small in this scene to compare its label.", passed=True)
    agreement = pattern_agreement(inspection.view)
    if agreement >= MIN_PATTERN:
        return at_least(
            agreement, MIN_PATTERN, "correlation", good="The product's pattern is that of its photograph.", bad=""
        )
    return unmeasured(
        "correlation",
        "The label was not compared: it could not be found again on the product. Please check its text and marks.",
        passed=False,
    )
