"""Refines a mask at full resolution: narrow along silhouettes, as soft as it was where it ends on bare scene.

A mask has the analysis' resolution. Enlarged, its edge is several pixels wide: over a silhouette the scene would show
through the product's edge, while on the floor, where image and relit scene differ by little, that blend is not seen.
In: mask (h, w), images (h, w, 3) uint8. Out: alpha (h, w) uint8.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, max_channel
from function.restoration.compositing import enlarge_crop

# An end of the mask is an outline where image and relit scene differ by so much (8-bit levels) within that distance
# (analysis pixels): from the first on in part, from the second altogether. What light leaves over is less.
BARE_DIFFERENCE, OUTLINE_DIFFERENCE = 12.0, 24.0
OUTLINE_PX = 2
# Re-made texture differs from pixel to pixel: differences are smoothed by this (analysis pixels).
SMOOTHING_PX = 0.8
# The share of coverage that stays where it is when an outline is made narrower. In the outer half of a soft outline the
# generated image already shows the scene: cut there, nothing of the product is lost.
OUTLINE_SHARE = 0.25


def outline_part(mask: np.ndarray, generated: np.ndarray, relit: np.ndarray) -> np.ndarray:
    """The part (h, w) uint8 of a `mask` (h, w) uint8 whose end is an outline and not bare scene.

    generated, relit (h, w, 3) uint8, at analysis size: the generated image, and the scene under the generated image's
    light.
    """
    difference = cv2.GaussianBlur(max_channel(cv2.absdiff(generated, relit)), (0, 0), SMOOTHING_PX)
    nearby = cv2.dilate(difference, np.ones((2 * OUTLINE_PX + 1,) * 2, np.uint8))
    gain = 255 / (OUTLINE_DIFFERENCE - BARE_DIFFERENCE)
    share = cv2.LUT(nearby, np.clip((np.arange(256) - BARE_DIFFERENCE) * gain, 0, 255).astype(np.uint8))
    return cv2.multiply(mask, share, scale=1 / 255)


def refined_alpha(mask: np.ndarray, outlined: np.ndarray, full_size: tuple[int, int], box: PixelBox) -> np.ndarray:
    """Coverage (h, w) uint8 in `box` of the result: that of `mask`, and narrow where it is `outlined`, both (h', w')
    uint8 at analysis size.
    """
    soft = enlarge_crop(mask, full_size, box, cv2.INTER_CUBIC)
    narrow = steepened_alpha(enlarge_crop(outlined, full_size, box, cv2.INTER_CUBIC), full_size[0] / mask.shape[1])
    return cv2.max(soft, narrow)


def steepened_alpha(coverage: np.ndarray, enlargement: float) -> np.ndarray:
    """`coverage` (h, w) uint8, enlarged `enlargement` times, with an outline as narrow as before it was; uint8."""
    gain = max(1.0, enlargement)
    levels = (np.arange(256) - OUTLINE_SHARE * 255) * gain + OUTLINE_SHARE * 255
    return cv2.LUT(coverage, np.clip(np.rint(levels), 0, 255).astype(np.uint8))
