"""Removes the shadow from a product whose silhouette is not known: all that is known is what was inserted.

A cast shadow darkens the scene evenly in all channels; what does so and is wider than a dark rim is opened away, and
the largest connected component of the rest is the product. A dark product darkens evenly too: where too little would
remain, nothing is removed. In and out: `ProductCrop` (h, w).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from function.imaging.array_ops import largest_component
from function.judging.product_crop import ProductCrop
from function.restoration.shading import SHADOW_STOPS

# A dark rim of the product is narrower than a shadow.
MIN_SHADOW_WIDTH_PX = 5
# Least share of what was inserted that has to remain.
MIN_REMAINING = 0.4


def remove_shadow(crop: ProductCrop) -> ProductCrop:
    """`crop` without the shadow in its product mask; itself where the silhouette is the photograph's."""
    solid = crop.product_mask > 0.5
    if crop.fitted or not solid.any():
        return crop
    wide = np.ones((MIN_SHADOW_WIDTH_PX, MIN_SHADOW_WIDTH_PX), np.uint8)
    darker = ((crop.even_darkening > SHADOW_STOPS) & solid).astype(np.uint8)
    shadow = cv2.morphologyEx(darker, cv2.MORPH_OPEN, wide) > 0
    left = largest_component(cv2.morphologyEx((solid & ~shadow).astype(np.uint8), cv2.MORPH_OPEN, wide) > 0)
    if left is None or left[0].sum() < MIN_REMAINING * solid.sum():
        return crop
    body, (_, _, _, height) = left
    return replace(crop, product_mask=body.astype(np.float32), height=float(height))
