"""Finds the product's photograph where its silhouette lies: print and texture whose keypoints do not tell the place.

Few pale lines on a small product, or leather, have too few keypoints. Their place is known from the silhouette to a few
pixels: the photograph is aligned from there, photometrically (`candidate.py`), and so is its mirror image. Either is
believed only where it correlates with the image, and clearly better than the other.

In: a `ReferenceTemplate`, the generated image (H, W, 3) uint8, the silhouette's box. Out: a `ProductMatch`, or None. A
pump dispenser on dark wood correlates at .73 to .78, 1.23 times as well as its mirror image and more, a shoe at .82 to
.9; with a garbled label .30 (of two others .51 and .62), redrawn .24 and less, mirrored 1.02 times. Of products without
texture, lamps reach .61, turned and worn real ones .30. `python -m tests.bench.collection`. Only print is carried over
from the photograph then: a shoe's edges became ragged, which a person saw.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from function.matching.candidate import MatchCandidate, fit_pose
from function.matching.match import ProductMatch, build_match
from function.matching.reference_template import ReferenceTemplate

# Least correlation. Other letters that lie where letters lay reached .62, plain lamps .61.
MIN_CORRELATION = 0.7
# It is so many times as high as that of the other hand. Specks, and symmetric marks, correlate with both.
MIN_RATIO = 1.15
# A product of less height (analysis px) shows no print; specks of 30 px correlate at .9.
MIN_HEIGHT_PX = 100
# The start is said by so many points across and down the photograph, the outermost at these shares of it.
GRID_POINTS, GRID_ENDS = 4, (0.1, 0.9)


def match_at_box(
    template: ReferenceTemplate, generated: np.ndarray, box: tuple[float, float, float, float]
) -> ProductMatch | None:
    """The product of `template`, whose silhouette fills about the `box` (x, y, width, height) of `generated` (H, W, 3)
    uint8; None where its print or texture is not found there."""
    if box[3] < MIN_HEIGHT_PX:
        return None
    straight = _fit(template, generated, box)
    if straight is None or (straight.correlation < MIN_CORRELATION and not template.bears_print):
        return None  # what has no print may be seen from its other side, and is not called mirrored
    mirrored = _fit(template.mirrored(), generated, box)
    if mirrored is None:
        return None
    is_mirrored = mirrored.correlation > straight.correlation
    best, other = (mirrored, straight) if is_mirrored else (straight, mirrored)
    if best.correlation < max(MIN_CORRELATION, MIN_RATIO * other.correlation):
        return None
    match = build_match([best], is_mirrored, generated.shape[:2])
    return None if match is None else replace(match, detail=template.bears_print)


def _fit(
    template: ReferenceTemplate, generated: np.ndarray, box: tuple[float, float, float, float]
) -> MatchCandidate | None:
    x, y, wide, tall = box
    rows = template.height
    columns = template.reference.alpha.shape[1] * rows / template.reference.alpha.shape[0]
    affine = np.array([[wide / columns, 0, x], [0, tall / rows, y]])
    across, down = (np.linspace(*GRID_ENDS, GRID_POINTS) * side for side in (columns, rows))
    points = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    return fit_pose(template, affine, points, points @ affine[:, :2].T + affine[:, 2], generated)
