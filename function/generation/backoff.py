"""How long to wait between two tries of a model call."""

from __future__ import annotations

import random

FIRST_BACKOFF_S, MAX_BACKOFF_S = 0.5, 20.0  # doubled after each try
JITTER = 0.5  # share that is added at random: what was refused at the same moment does not come again at the same one


def backoff_s(number: int) -> float:
    """Seconds to wait after try `number` (from 1)."""
    return with_jitter(min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** (number - 1)))


def with_jitter(seconds: float) -> float:
    """`seconds` and up to JITTER of them more."""
    return seconds * (1 + JITTER * random.random())
