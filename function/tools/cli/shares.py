"""Shares of what was counted, with how far they can be trusted."""

from __future__ import annotations

import math

Z = 1.96  # of the standard normal distribution: 95 % confidence


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson 1927); from 0 to 1 where nothing was counted."""
    if not total:
        return 0.0, 1.0
    share, squared = hits / total, Z * Z / total
    middle = (share + squared / 2) / (1 + squared)
    reach = Z * math.sqrt(share * (1 - share) / total + squared / total / 4) / (1 + squared)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def share(hits: int, total: int) -> str:
    """`9/10 [60..98 %]`, with the 95 % confidence interval; `-` of nothing."""
    if not total:
        return "-"
    low, high = wilson(hits, total)
    return f"{hits:,}/{total:,} [{100 * low:.0f}..{100 * high:.0f} %]"
