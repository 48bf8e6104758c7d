"""Reads the values of a sidecar, each as the type that the page needs.

A sidecar may be of any version, and a person may have edited it: a value of another type counts as missing.
"""

from __future__ import annotations

from typing import Any

JsonDict = dict[str, object]

TEXT_CHARS = 1000  # enough for any message that a person reads on a page


def as_dict(value: object) -> dict[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_number(value: object) -> float | int | None:
    """A number that JSON and JavaScript can hold exactly enough; None for anything else, NaN included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e15 else None


def as_text(value: object) -> str:
    """The value as text of at most TEXT_CHARS characters; empty for null."""
    return "" if value is None else str(value)[:TEXT_CHARS]
