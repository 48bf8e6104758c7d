"""A sketch: the product's photograph composited into the scene at a known place, before any light falls on it."""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.place import Place
from function.restoration.composite_product import composite_product

# Surroundings from which the light of a place is measured, as a share of its longer side.
AROUND = 0.5
# A white thing there would be as bright as this quantile of what is around it; on a studio photograph it has this level
# (8-bit).
WHITE_QUANTILE, STUDIO_WHITE = 0.9, 235.0
# Exposure and white balance are drawn towards the place by these shares of the way: what is around may be dark or
# coloured itself.
EXPOSURE_SHARE, CAST_SHARE = 0.5, 0.35
# No further than this (natural logarithm).
MAX_EXPOSURE, MAX_CAST = 0.6, 0.15


def draw_sketch(scene: np.ndarray, product: np.ndarray, place: Place) -> np.ndarray:
    """(h, w, 3) uint8: `product` (ph, pw, 4) uint8 RGBA at `place` in a copy of `scene` (h, w, 3) uint8, of its
    exposure and white balance."""
    sketch = np.ascontiguousarray(scene).copy()
    size = scene.shape[1], scene.shape[0]
    gain = np.broadcast_to(exposure_at(scene, place), (2, 2, 3)).astype(np.float32)
    composite_product(sketch, product, place, gain, (0, 0), size)
    return sketch


def exposure_at(scene: np.ndarray, place: Place) -> np.ndarray:
    """(3,) float32: log of the factor on each colour that draws a studio photograph to the light at `place`."""
    size = scene.shape[1], scene.shape[0]
    x, y, width, height = place.pixels(size)
    reach = AROUND * max(width, height)
    left, top = (max(0, int(value - reach)) for value in (x, y))
    part = scene[top : max(top + 1, int(y + height + reach)), left : max(left + 1, int(x + width + reach))]
    if part.size == 0:
        return np.zeros(3, np.float32)
    small = cv2.resize(part, (32, 32), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    bright = np.quantile(small, WHITE_QUANTILE, axis=0) + 1
    level = np.clip(EXPOSURE_SHARE * np.log(bright.mean() / STUDIO_WHITE), -MAX_EXPOSURE, 0.0)
    cast = np.clip(CAST_SHARE * np.log(bright / bright.mean()), -MAX_CAST, MAX_CAST)
    result: np.ndarray = (level + cast).astype(np.float32)
    return result
