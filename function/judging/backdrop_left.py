"""What a model pastes along with the product: its photograph's backdrop in an opening, a drop shadow on thin air."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import max_channel
from function.judging.product_view import VISIBLE_LEVELS, ProductView
from function.restoration.analysis import SceneAnalysis
from function.restoration.shading import SHADOW_STOPS, even_darkening, light_stops

# Openings are read inside of their rim, over so many pixels at least.
OPENING_RIM_PX, MIN_PIXELS = 3, 60
# In the scene's light the backdrop's colour may be off by so many levels; what darkens the scene evenly is shadow
# that falls behind the product.
SAME_BACKDROP = 45.0
# A drop shadow of less than this (stops) is not looked for. The answer darkens in its shape when both correlate so
# well, and when it darkens by this share of it.
MIN_DROP, SAME_SHAPE, SAME_DEPTH = 0.15, 0.3, 0.4
# Shadow is read above the product's base, a share of its height, where it throws one of its own.
BASE_SHARE = 0.3
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8


def plugged_share(view: ProductView) -> float | None:
    """Share 0..1 of the product's openings in which the answer shows the photograph's backdrop instead of the scene;
    None without openings of note."""
    inside = cv2.erode((view.openings > 0.9).astype(np.uint8), np.ones((2 * OPENING_RIM_PX + 1,) * 2, np.uint8)) > 0
    solid = view.known > 0.9
    if inside.sum() < MIN_PIXELS or not solid.any():
        return None
    shown, scene = (cv2.blur(p, (5, 5)) for p in (view.answer, view.scene))
    light = (np.median(shown[solid]) + DARK_OFFSET) / (np.median(view.expected[solid]) + DARK_OFFSET)
    backdrop = np.clip(view.backdrop.astype(np.float32) * light, 0, 255).astype(np.uint8)
    differs = max_channel(cv2.absdiff(shown, scene)) > VISIBLE_LEVELS
    alike = max_channel(cv2.absdiff(shown, backdrop)) < SAME_BACKDROP
    shaded = even_darkening(view.scene, view.answer) > SHADOW_STOPS
    return float((differs & alike & ~shaded)[inside].mean())


def shows_drop_shadow(scene: SceneAnalysis, view: ProductView) -> bool:
    """Whether the scene is darkened in the shape of the drop shadow that was baked into the photograph."""
    thrown = -np.log2(1 - np.clip(view.drop_shadow, 0, 0.95))
    around = cv2.dilate((view.cover > 0.1).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    rows = np.flatnonzero((view.cover > 0.5).any(axis=1))
    if not len(rows):
        return False
    around[int(rows[-1] - BASE_SHARE * view.height) :] = False
    if (around & (thrown > MIN_DROP)).sum() < MIN_PIXELS:
        return False
    darker = np.maximum(-light_stops(scene.light, view.box), even_darkening(view.scene, view.answer))
    expected, shown = thrown[around], cv2.blur(darker.astype(np.float32), (5, 5))[around]
    if shown.std() < 1e-3:
        return False
    shape = float(np.corrcoef(expected, shown)[0, 1])
    depth = float(shown[expected > MIN_DROP].mean() / expected[expected > MIN_DROP].mean())
    return shape > SAME_SHAPE and depth > SAME_DEPTH
