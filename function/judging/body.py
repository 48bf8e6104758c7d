"""The product without its shadow, where its photograph's outline lies nowhere: all that is known is what was put in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from function.imaging.array_ops import largest_component
from function.judging.product_view import ProductView
from function.restoration.shading import SHADOW_STOPS, even_darkening

# What darkens the scene evenly is its shadow where it is wider than so many pixels: a dark rim is not.
NARROW_PX = 5
# Unless less than this share of what was put in were left: a dark product darkens evenly too.
MIN_LEFT = 0.4


def without_shadow(view: ProductView) -> ProductView:
    """`view` with the product's shadow taken out of what covers it; itself where the outline is the photograph's."""
    solid = view.cover > 0.5
    if view.fitted or not solid.any():
        return view
    wide = np.ones((NARROW_PX, NARROW_PX), np.uint8)
    darker = ((even_darkening(view.scene, view.answer) > SHADOW_STOPS) & solid).astype(np.uint8)
    shadow = cv2.morphologyEx(darker, cv2.MORPH_OPEN, wide) > 0
    left = largest_component(cv2.morphologyEx((solid & ~shadow).astype(np.uint8), cv2.MORPH_OPEN, wide) > 0)
    if left is None or left[0].sum() < MIN_LEFT * solid.sum():
        return view
    body, (_, _, _, height) = left
    return replace(view, cover=body.astype(np.float32), height=float(height))
