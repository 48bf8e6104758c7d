"""Checks that nothing was added or altered apart from the product."""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_most
from function.judging.inspection import Inspection
from function.judging.limit import max_limit
from function.judging.outline_painted import outline_painted

# Share of the image that alterations may take which are kept as drawn: any at all is for a person to look at.
MAX_KEPT = 0.0
# Share of the outline that shows the product's place. tests/bench/placement.py --shown both: answers that obey reach
# 0; painted ones, faint ones too, .76 and more (30 of them).
MAX_OUTLINE = 0.1
OF_OUTLINE = "share of the outline"


def nothing_added(inspection: Inspection) -> Check:
    """No change apart from the product was kept, and the outline that shows its place was not painted. What was surely
    foreign is undone already, and does not count."""
    outline = outline_painted(inspection)
    if outline > MAX_OUTLINE:
        return at_most(
            outline, MAX_OUTLINE, OF_OUTLINE, good="", bad="The outline that shows the product's place was painted."
        )
    kept = inspection.scene.kept_alterations
    largest = max(kept, key=lambda one: one.share, default=None)
    where = "" if largest is None else f" ({_place(largest.box)})"
    return at_most(
        float(sum(one.share for one in kept)),
        MAX_KEPT,
        "share of the picture",
        good="Nothing was added or altered apart from the product.",
        bad=f"Something apart from the product was added or altered and is shown as drawn{where}: is it part of it?",
    )


def _place(box: tuple[float, float, float, float]) -> str:
    """`upper left`, `lower centre` … of the middle of a box in shares of the image."""
    across, down = box[0] + box[2] / 2, box[1] + box[3] / 2
    rows, columns = ("upper", "middle", "lower"), ("left", "centre", "right")
    return f"{rows[min(2, int(3 * down))]} {columns[min(2, int(3 * across))]}"


SPEC = CheckSpec(
    name="nothing_added",
    lesson="Things were added or altered that nobody asked for. Change nothing but the product, its shadow and its "
    "reflection.",
    needs_product=False,
    measure=nothing_added,
    limits=(
        max_limit("alterations kept", MAX_KEPT, "share of the picture"),
        max_limit("outline of the place painted", MAX_OUTLINE, OF_OUTLINE),
    ),
)
