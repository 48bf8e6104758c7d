"""Which of a product's photographs shows it as the answer does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from function.matching.candidate import Sought
from function.matching.match import MIRROR_MAJORITY, ProductMatch, match_product


def match_views(
    views: Sequence[Sought | None], answer: np.ndarray, prior: np.ndarray | None = None
) -> tuple[int, ProductMatch | None]:
    """The view (from 0) that explains most of `answer`, and its match, as `match_product` finds it; the leading one and
    None where none is found.

    A close-up agrees better than the whole product does, over less of it: what counts is how much of the answer is
    verified, and how well. The mirror image of one side may be another side: that one is believed first.
    """
    found = {index: match for index, view in enumerate(views) if (match := match_product(view, answer, prior))}
    if not found:
        return 0, None
    best = max(found, key=lambda index: (explained(found[index]), -index))
    return best, found[best]


def explained(match: ProductMatch) -> float:
    """Verified pixels of the answer, each counted as its match is worth."""
    verified = match.correlation * float(match.weight.sum()) / 255
    return verified / MIRROR_MAJORITY if match.mirrored else verified
