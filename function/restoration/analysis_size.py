"""The size of the analysis, and images brought to it."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.frame import fit_within

# Longest side of the analysis: that of the 1-megapixel model's 16:9 image. A larger image is analysed at this size
# too; its pixels are taken from the generated image itself.
ANALYSIS_SIDE_PX = 1344


def at_analysis_size(scene: np.ndarray, side_px: int) -> np.ndarray:
    """`scene` with its longest side `side_px`: a small one is enlarged, for the generated image shows the product
    larger."""
    height, width = scene.shape[:2]
    if max(width, height) >= side_px:
        return downscaled(scene, side_px)
    scale = side_px / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(scene, size, interpolation=cv2.INTER_CUBIC)


def downscaled(image: np.ndarray, side_px: int) -> np.ndarray:
    """`image` with its longest side at most `side_px`, by area average; the image itself if it fits."""
    size = fit_within((image.shape[1], image.shape[0]), side_px)
    if size == (image.shape[1], image.shape[0]):
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
