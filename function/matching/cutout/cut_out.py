"""Cuts the product out of its photograph, and says what cannot be told from the backdrop.

A photograph with transparency keeps its alpha, less a baked drop shadow. Otherwise a smooth backdrop is fitted and
removed with the soft shadow on it and through openings (`backdrop.py`, `regions.py`), and the silhouette is matted at
full size (`matte.py`). Before anything busier all of the photograph counts as product.

In: (h, w, 3 or 4) uint8. Out: a `CutOut`. `python -m tests.bench.photographs` measures it on drawn packshots.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.matching.cutout.backdrop import fit_backdrop
from function.matching.cutout.drop_shadow import remove_drop_shadow
from function.matching.cutout.matte import refine_matte
from function.matching.cutout.regions import find_regions

# A photograph is a cut-out from this share of (nearly) transparent pixels on: a scan has a few stray ones.
MIN_TRANSPARENT_SHARE = 0.01
# Longest side at which the silhouette is estimated, px.
ESTIMATE_PX = 600
# Range of the covered share in which a photograph shows a silhouette.
MAX_COVERED, MIN_COVERED = 0.98, 0.002
# Share of the image's border that is backdrop, and in how many pieces: less or more is a room, a pattern, or light
# and shade that cannot be told apart. A chair that is cut off stands on four legs.
MIN_ON_BORDER, MAX_PIECES = 0.7, 6
# Largest alpha of glass, 0..255: how much exactly cannot be told.
GLASS_ALPHA = 96
# Largest unknown share of the product in a cut-out that is sure.
MAX_UNKNOWN = 0.01


@dataclass(frozen=True)
class CutOut:
    """The product alone.

    rgba     (h, w, 4) uint8, its colours and its coverage
    unknown  (h, w) bool: may be product or backdrop, or is seen through; neither is checked nor copied
    is_sure  whether the outline is known, as far as it matters for showing the product alone
    shadow   (h, w) uint8, alpha of a drop shadow that was baked into the photograph; None without one
    """

    rgba: np.ndarray
    unknown: np.ndarray
    is_sure: bool
    shadow: np.ndarray | None = None

    @property
    def alpha(self) -> np.ndarray:
        """(h, w) uint8."""
        return self.rgba[..., 3]


def cut_out(product: np.ndarray) -> CutOut:
    """Of a product photograph (h, w, 3 or 4) uint8.

    A cut-out keeps its own alpha, without a drop shadow in it. Otherwise a smooth backdrop is removed wherever it
    shows, with the soft shadow on it. Without either, all is product.
    """
    if product.shape[2] == 4:
        alpha = cv2.extractChannel(product, 3)
        if cv2.countNonZero(cv2.inRange(alpha, 0, 15)) >= MIN_TRANSPARENT_SHARE * alpha.size:
            bare = remove_drop_shadow(product)
            own, shadow = (product, None) if bare is None else bare
            return CutOut(own, np.zeros(alpha.shape, bool), True, shadow)
    rgb = np.ascontiguousarray(product[..., :3])
    height, width = rgb.shape[:2]
    whole = CutOut(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), np.zeros((height, width), bool), is_sure=False)
    scale = min(1.0, ESTIMATE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = rgb if scale == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    backdrop = fit_backdrop(small)
    if backdrop is None:
        return whole
    regions = find_regions(small, backdrop)
    if not _has_clean_border(regions.outside):
        return whole
    if not MIN_COVERED <= 1 - regions.outside.mean() <= MAX_COVERED:
        return whole
    rgba = refine_matte(rgb, small, regions.outside)
    unclear, glass = (
        cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
        for mask in (regions.unknown, regions.glass)
    )
    unknown, alpha = unclear | glass, rgba[..., 3]
    alpha[unclear] = 0
    alpha[glass] = np.minimum(alpha[glass], GLASS_ALPHA)
    covered = cv2.countNonZero(cv2.inRange(alpha, 128, 255))
    lost = np.count_nonzero(unknown)
    return CutOut(rgba, unknown, is_sure=bool(lost <= MAX_UNKNOWN * (covered + lost)))


def _has_clean_border(outside: np.ndarray) -> bool:
    """Whether most of the border of `outside` (h, w) bool is set, and the rest in few pieces."""
    border = np.concatenate([outside[0], outside[1:, -1], outside[-1, -2::-1], outside[-2:0:-1, 0]])
    pieces = np.count_nonzero(border & ~np.roll(border, 1))
    return bool(border.mean() >= MIN_ON_BORDER and pieces <= MAX_PIECES)
