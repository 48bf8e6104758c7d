"""Removes the shadow from a product whose silhouette is not known: all that is known is what was inserted.

A cast shadow darkens the scene evenly in all channels; what does so and is wider than a dark rim is opened away, and
the largest connected component of the rest is the product. A dark product darkens evenly too: where too little would
remain, nothing is removed. A second thing that a shadow joins to the product is told from it. In and out: `ProductCrop`
(h, w).
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
# What stands beside the product shares at most this part of its own columns with it, and the shadow that joins the two
# is at most so high, as a share of the lower one's height: two bright sleeves beside dark cloth are one product.
MAX_SHARED_COLUMNS, MAX_WAIST = 0.2, 0.35


def remove_shadow(crop: ProductCrop) -> ProductCrop:
    """`crop` without the shadow in its product mask; itself where the silhouette is the photograph's."""
    solid = crop.product_mask > 0.5
    if crop.fitted or not solid.any():
        return crop
    left = largest_component(_without_shadow(crop) > 0)
    if left is None or left[0].sum() < MIN_REMAINING * solid.sum():
        return crop
    body, (_, _, _, height) = left
    return replace(crop, product_mask=body.astype(np.float32), height=float(height))


def share_beside(crop: ProductCrop) -> float:
    """Area of the largest thing that stands beside the product and is joined to it by a shadow alone, as a share of the
    product's; 0 where the silhouette is the photograph's."""
    if crop.fitted:
        return 0.0
    count, _, stats, _ = cv2.connectedComponentsWithStats(_without_shadow(crop), connectivity=8)
    if count < 3:
        return 0.0
    inserted = (crop.product_mask > 0.5).sum(axis=0)
    body, *others = sorted(stats[1:], key=lambda piece: -piece[cv2.CC_STAT_AREA])
    beside = [piece[cv2.CC_STAT_AREA] for piece in others if _stands_beside(piece, body, inserted)]
    return float(max(beside, default=0) / body[cv2.CC_STAT_AREA])


def _stands_beside(piece: np.ndarray, body: np.ndarray, inserted: np.ndarray) -> bool:
    """Whether there are columns between two components, given by their statistics, in which little was `inserted` (w,)
    pixels."""
    (x, _, wide, tall, _), (body_x, _, body_wide, body_tall, _) = piece, body
    shared = min(x + wide, body_x + body_wide) - max(x, body_x)
    if shared > MAX_SHARED_COLUMNS * wide:
        return False
    middles = sorted((x + wide // 2, body_x + body_wide // 2))
    return bool(inserted[middles[0] : middles[1]].min(initial=tall) <= MAX_WAIST * min(tall, body_tall))


def _without_shadow(crop: ProductCrop) -> np.ndarray:
    """(h, w) uint8 0 or 1: what was inserted and is no shadow."""
    solid = crop.product_mask > 0.5
    wide = np.ones((MIN_SHADOW_WIDTH_PX, MIN_SHADOW_WIDTH_PX), np.uint8)
    darker = ((crop.even_darkening > SHADOW_STOPS) & solid).astype(np.uint8)
    shadow = cv2.morphologyEx(darker, cv2.MORPH_OPEN, wide) > 0
    left: np.ndarray = cv2.morphologyEx((solid & ~shadow).astype(np.uint8), cv2.MORPH_OPEN, wide)
    return left
