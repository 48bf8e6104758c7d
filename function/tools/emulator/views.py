"""What the emulated model makes of several photographs of one product: it draws the first, unless told otherwise."""

from __future__ import annotations

import re

from function.tools.emulator.protocol import GenerateRequest

VIEW_FAULTS = frozenset(
    {
        "other_view",  # the product from the side that the second photograph shows
        "view_drawn_too",  # what the second photograph shows, as a thing of its own beside the product
    }
)
SEVERAL_VIEWS = re.compile(r"It is one product, photographed (\w+) times")


def has_several_views(request: GenerateRequest) -> bool:
    """Whether the images after the scene are said to be one product."""
    return len(request.images) > 2 and SEVERAL_VIEWS.search(request.text) is not None


def views_drawn(fault: str | None) -> tuple[int, ...]:
    """The images, from 0, whose product is drawn; the second of two beside the first."""
    return {"other_view": (2,), "view_drawn_too": (1, 2)}.get(fault or "", (1,))
