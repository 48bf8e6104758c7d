"""The emulated model's picture (first simple version)."""

from __future__ import annotations

import math

import cv2
import numpy as np

from function.local.gemini_protocol import GenerateRequest


def draw(request: GenerateRequest, fault: str | None, drift: float) -> np.ndarray:
    """The picture for a request, uint8 RGB at the model's native size."""
    sizes = request.model.native_sizes
    if request.aspect_ratio:
        size = sizes[request.aspect_ratio]
    else:
        h, w = request.images[-1].pixels.shape[:2] if request.images else (1, 1)
        size = min(sizes.values(), key=lambda s: abs(math.log(s[0] / s[1]) - math.log(w / h)))
    if not request.images:
        return np.full((size[1], size[0], 3), 180, np.uint8)
    scene = cv2.resize(request.images[0].pixels[..., :3], size, interpolation=cv2.INTER_CUBIC)
    if len(request.images) < 2 or fault == "product_missing":
        return scene
    product = request.images[1].pixels
    if product.shape[2] == 3:
        product = np.dstack([product, np.full(product.shape[:2], 255, np.uint8)])
    ys, xs = np.nonzero(product[..., 3] > 8)
    product = product[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    height = int(size[1] * 0.4)
    product = cv2.resize(product, (max(1, round(product.shape[1] * height / product.shape[0])), height))
    x, y = (size[0] - product.shape[1]) // 2, int(size[1] * 0.85) - height
    alpha = product[..., 3:] / 255.0
    part = scene[y : y + height, x : x + product.shape[1]]
    part[:] = (product[..., :3] * alpha + part * (1 - alpha)).astype(np.uint8)
    return scene
