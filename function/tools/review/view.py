"""Which of a product's photographs a pair was compared with, as its sidecar says: the one that the page shows."""

from __future__ import annotations

from typing import Any


def view_of(sidecar: dict[str, Any]) -> tuple[int, int] | None:
    """(which, from 0; of how many); None where there is one photograph, or the sidecar is broken."""
    inputs, view = sidecar.get("inputs"), sidecar.get("view")
    views = inputs.get("views") if isinstance(inputs, dict) else None
    index = view.get("index") if isinstance(view, dict) else None
    if not isinstance(views, list) or type(index) is not int or not 0 <= index < len(views):
        return None
    return index, len(views)


def product_record(sidecar: dict[str, Any]) -> object:
    """What the sidecar says of that photograph's source."""
    inputs = sidecar.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    view = view_of(sidecar)
    return inputs.get("product") if view is None else inputs["views"][view[0]]
