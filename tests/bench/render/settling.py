"""Two renderings made one: the truth differs from the scene only where the product makes a difference."""

from __future__ import annotations

import cv2
import numpy as np

Window = tuple[int, int, int, int]  # pixels: left, top, right, bottom
# A picture's pixels are the set's own where the smoothed difference is below this, 8-bit levels, and those with the
# product above twice it. Denoised noise reaches 1.5.
NOISE_LEVELS = 2.0


def settled(scene: np.ndarray, truth: np.ndarray, mask: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Truth with the scene's own pixels where only the renderer's noise differs, and the mask of what changed."""
    left, top, right, bottom = window
    rendered, truth = truth, scene.copy()
    truth[top:bottom, left:right] = rendered[top:bottom, left:right]
    sigma = 0.007 * max(scene.shape[:2])
    differ = np.abs(cv2.GaussianBlur(truth.astype(np.float32) - scene, (0, 0), sigma)).max(axis=2)
    near = cv2.dilate((mask > 0).astype(np.float32), np.ones((9, 9), np.uint8))
    share = np.maximum(np.clip((differ - NOISE_LEVELS) / NOISE_LEVELS, 0, 1), near)
    share = np.where(mask > 0, 1, cv2.GaussianBlur(share, (0, 0), sigma / 2) * _inside(window, mask.shape))[..., None]
    share[share < 0.02] = 0
    mixed = np.clip(scene * (1 - share) + truth * share + 0.5, 0, 255).astype(np.uint8)
    return mixed, (share[..., 0] > 0).astype(np.uint8) * 255


def _inside(window: Window, shape: tuple[int, ...]) -> np.ndarray:
    """1 in the window, fading to 0 at those of its sides that are not the picture's own."""
    height, width = shape
    left, top, right, bottom = window
    fade = 0.03 * max(shape)
    across, down = _ramp(left, right, width, fade), _ramp(top, bottom, height, fade)
    return down[:, None] * across[None, :]


def _ramp(low: int, high: int, most: int, fade: float) -> np.ndarray:
    at = np.arange(most, dtype=np.float32)
    rise = np.clip((at - low - 2) / fade, 0, 1) if low > 0 else np.ones_like(at)
    return rise * np.clip((high - 2 - at) / fade, 0, 1) if high < most else rise
