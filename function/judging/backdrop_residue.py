"""Remains of the photograph's studio in the generated image: backdrop in an opening, a baked drop shadow in thin air.

Models paste what surrounds the product in its photograph along with it. Two measures tell that:
- Backdrop: inside the product's openings, eroded by a rim, the share of pixels that differ from the scene and have the
  colour of the photograph's backdrop under the product's gain in the generated image. Even darkening is shadow.
- Drop shadow: the darkening of the scene around the product, in stops, correlated with the baked shadow's own optical
  density, -log2(1 - alpha), above the base, where the product casts a shadow of its own.

In: a `ProductCrop` (h, w). Out: a share 0..1, and whether the shadow shows. A mug whose handle held white paper was
accepted before. `tests/judging/test_backdrop_residue.py` holds it against the drawn packshots of tests/cases.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import max_channel
from function.judging.product_crop import MIN_VISIBLE_LEVELS, ProductCrop
from function.restoration.analysis import SceneAnalysis
from function.restoration.shading import SHADOW_STOPS, shading_stops

# Openings are eroded by this radius; fewer pixels than the second are not measured.
OPENING_ERODE_PX, MIN_PIXELS = 3, 60
# Distance per channel, 8-bit levels, up to which a pixel has the backdrop's colour under the scene's light.
MAX_BACKDROP_DISTANCE = 45.0
# A baked shadow counts from this density on (stops). It shows where the darkening correlates with it by the second and
# reaches the third as a share of its density.
MIN_BAKED_STOPS, MIN_SHAPE_CORRELATION, MIN_DEPTH_RATIO = 0.15, 0.3, 0.4
# Share of the product's height above its base that is left out: there it casts a shadow of its own.
BASE_SHARE = 0.3
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8


def backdrop_in_openings(crop: ProductCrop) -> float | None:
    """Share 0..1 of the product's openings in which the generated image shows the photograph's backdrop instead of the
    scene; None without openings large enough."""
    inside = cv2.erode((crop.openings > 0.9).astype(np.uint8), np.ones((2 * OPENING_ERODE_PX + 1,) * 2, np.uint8)) > 0
    solid = crop.reference_mask > 0.9
    if inside.sum() < MIN_PIXELS or not solid.any():
        return None
    shown, scene = (cv2.blur(p, (5, 5)) for p in (crop.generated, crop.scene))
    light = (np.median(shown[solid]) + DARK_OFFSET) / (np.median(crop.expected[solid]) + DARK_OFFSET)
    backdrop = np.clip(crop.backdrop.astype(np.float32) * light, 0, 255).astype(np.uint8)
    differs = max_channel(cv2.absdiff(shown, scene)) > MIN_VISIBLE_LEVELS
    is_backdrop = max_channel(cv2.absdiff(shown, backdrop)) < MAX_BACKDROP_DISTANCE
    shaded = crop.even_darkening > SHADOW_STOPS
    return float((differs & is_backdrop & ~shaded)[inside].mean())


def has_baked_shadow(scene: SceneAnalysis, crop: ProductCrop) -> bool:
    """Whether the scene is darkened in the shape of the drop shadow that was baked into the photograph."""
    density = -np.log2(1 - np.clip(crop.drop_shadow, 0, 0.95))
    around = cv2.dilate((crop.product_mask > 0.1).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    rows = np.flatnonzero((crop.product_mask > 0.5).any(axis=1))
    if not len(rows):
        return False
    around[int(rows[-1] - BASE_SHARE * crop.height) :] = False
    if (around & (density > MIN_BAKED_STOPS)).sum() < MIN_PIXELS:
        return False
    darker = np.maximum(-shading_stops(scene.light, crop.box), crop.even_darkening)
    expected, shown = density[around], cv2.blur(darker.astype(np.float32), (5, 5))[around]
    if shown.std() < 1e-3:
        return False
    shape = float(np.corrcoef(expected, shown)[0, 1])
    depth = float(shown[expected > MIN_BAKED_STOPS].mean() / expected[expected > MIN_BAKED_STOPS].mean())
    return shape > MIN_SHAPE_CORRELATION and depth > MIN_DEPTH_RATIO
