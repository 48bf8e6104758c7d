"""What a generative model does to a picture it was told to keep: a little zoom, shift, warp and colour, new texture.

Amplitudes are those of fourteen real edits that kept their scene's shape, most of them by gemini-2.5-flash-image
(medians: zoom .04 %, shift .27 px, local warp .35 px, colour 1.24 ΔE, gain .99, sharpness as it was, SSIM .92 after
optical flow). `python -m tests.bench.imitations` measures these. Scaled by `amount`.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.tools.emulator.repainting import smooth_field, texture_change

ZOOM = 0.0005  # share of the picture's size
SHIFT_PX = 0.2
WARP_PX, WARP_SIGMA = 0.2, 90.0  # root mean square and smoothness of the slow warp, px
LIKENESS = 0.5  # of the scene's texture to what it was
LEVEL = 0.99  # gain of all channels
GAIN = 0.014  # per channel
GAMMA_DRIFT = 0.014
PATCHES, PATCH_SIGMA = 0.008, 200.0  # slow brightness differences
GRAIN = 0.8  # grey levels, standard deviation


def repaint(scene: np.ndarray, rng: np.random.Generator, amount: float) -> None:
    """New texture for `scene` (float32 RGB 0..255), in place: before the product stands in it."""
    if amount > 0:
        scene += texture_change(scene, max(0.0, 1 - amount * (1 - LIKENESS)), rng)


def drift(picture: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """`picture` (float32 RGB 0..255) as the model gives it back, uint8 RGB of the same size."""
    if amount <= 0:
        return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    height, width = picture.shape[:2]
    zoom = 1 + amount * ZOOM * _signed(rng)
    shift = amount * SHIFT_PX * np.array([_signed(rng), _signed(rng)])
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = []
    for grid, middle, move in ((xs, width / 2, shift[0]), (ys, height / 2, shift[1])):
        warp = smooth_field(rng, (height, width), WARP_SIGMA, amount * WARP_PX)
        moved.append((grid - np.float32(middle)) / np.float32(zoom) + np.float32(middle - move) + warp)
    out = cv2.remap(picture, moved[0], moved[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    out = np.clip(out, 0, 255) / 255
    gamma = 1 + amount * GAMMA_DRIFT * _signed(rng)
    gain = (1 + amount * (LEVEL - 1 + GAIN * rng.uniform(-1, 1, 3))).astype(np.float32)
    patches = 1 + smooth_field(rng, (height, width), PATCH_SIGMA, amount * PATCHES)
    out = cv2.pow(out, gamma) * gain * patches[..., None] * 255
    out += smooth_field(rng, (height, width), 0.7, amount * GRAIN)[..., None]
    result: np.ndarray = np.clip(out + 0.5, 0, 255).astype(np.uint8)
    return result


def _signed(rng: np.random.Generator) -> float:
    """A number of magnitude 0.4..1: never nearly nothing."""
    return float(rng.uniform(0.4, 1.0) * rng.choice([-1, 1]))
