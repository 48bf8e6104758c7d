"""Whether the label shows what the photograph shows."""

from __future__ import annotations

from function.imaging.array_ops import largest_component
from function.judging.check import Check, CheckSpec, at_least, at_most, unmeasured
from function.judging.inspection import Inspection
from function.judging.print_agreement import (
    LEAST_AGREEMENT,
    LEAST_PATTERN,
    has_print,
    pattern_agreement,
    replaced_share,
)
from function.judging.product_view import SMALL_PX
from function.restoration.silhouette import LEAST_SIDE_PX

# Share of the print, weighed by its contrast, that may show something else: part of a label was replaced.
MOST_REPLACED = 0.18


def label_kept(inspection: Inspection) -> Check:
    """The print is that of the photograph, each part at its place."""
    match = inspection.product.match
    if match is None:
        return _unfound_label(inspection)
    replaced = replaced_share(inspection.view)
    if replaced > MOST_REPLACED:
        return at_most(
            replaced,
            MOST_REPLACED,
            "share of the print",
            good="",
            bad="Parts of the label are not what the photograph shows: text or marks differ.",
        )
    return at_least(
        float(match.correlation),
        LEAST_AGREEMENT,
        "correlation",
        good="The label shows what the photograph shows.",
        bad="The label is not what the photograph shows: its text or marks are garbled.",
    )


SPEC = CheckSpec(
    name="label_kept",
    lesson="The label was not preserved. Copy every word, letter and mark of [2] exactly, and invent none.",
    needs_product=True,
    measure=label_kept,
)


def _unfound_label(inspection: Inspection) -> Check:
    """For a product that was not found by its print."""
    if not has_print(inspection.product.photograph):
        return unmeasured("correlation", "The product carries no print to compare.", passed=True)
    piece = largest_component(inspection.product.mask > 127, LEAST_SIDE_PX)
    if max(inspection.view.height, piece[1][3] if piece else 0) < SMALL_PX:
        return unmeasured("correlation", "The product is too small in this scene to compare its label.", passed=True)
    return at_least(
        pattern_agreement(inspection.view),
        LEAST_PATTERN,
        "correlation",
        good="The product's pattern is that of its photograph.",
        bad="The label of the photograph was not found on the product.",
    )
