"""How long to wait between two tries of a model call."""

from __future__ import annotations

FIRST_BACKOFF_S, MAX_BACKOFF_S = 0.5, 20.0  # doubled after each try


def backoff_s(number: int) -> float:
    """Seconds to wait after try `number` (from 1)."""
    return min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** (number - 1))
