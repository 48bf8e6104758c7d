"""Selects the one of a product's photographs (its views) that the generated image shows.

Each is matched by itself. A close-up correlates better than a photograph of the whole product, over less of it; what
counts is the verified area times the correlation. The mirror image of one side may be another side: an unmirrored match
comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from function.matching.match import MIN_MIRROR_INLIER_RATIO, ProductMatch, match_product
from function.matching.reference_template import ReferenceTemplate


def match_views(
    views: Sequence[ReferenceTemplate | None],
    generated: np.ndarray,
    prior: np.ndarray | None = None,
    changed: np.ndarray | None = None,
) -> tuple[int, ProductMatch | None]:
    """The view (from 0) that explains most of `generated`, and its match; the leading one and None where none is found.
    `prior` and `changed` as in `match_product`."""
    matches = (match_product(view, generated, prior, changed) for view in views)
    found = {index: match for index, match in enumerate(matches) if match is not None}
    if not found:
        return 0, None
    best = max(found, key=lambda index: (explained_pixels(found[index]), -index))
    return best, found[best]


def explained_pixels(match: ProductMatch) -> float:
    """Verified pixels of the generated image, weighted by the match's correlation."""
    verified = match.correlation * float(match.weight.sum()) / 255
    return verified / MIN_MIRROR_INLIER_RATIO if match.mirrored else verified
