"""What a generative model does to a picture it was told to keep: a little zoom, shift, warp, softness and colour.

Amplitudes follow what people report of gemini-2.5-flash-image: it "shifts globally" by about a pixel, zooms by
some tenths of a per cent and redraws fine texture. Scaled by `amount`.
"""

from __future__ import annotations

import cv2
import numpy as np

ZOOM = 0.003  # share of the picture's size
SHIFT_PX = 1.0
WARP_PX, WARP_SIGMA = 0.45, 90.0  # root mean square and smoothness of the slow warp, px
WOBBLE_PX, WOBBLE_SIGMA = 0.09, 6.0  # the same of redrawn texture
SOFT_PX = 0.45  # standard deviation of the softness
GAIN = 0.010  # per channel
GAMMA_DRIFT = 0.012
PATCHES, PATCH_SIGMA = 0.007, 200.0  # slow brightness differences
GRAIN = 0.8  # grey levels, standard deviation


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
        wobble = _field(rng, (height, width), WARP_SIGMA, amount * WARP_PX)
        wobble += _field(rng, (height, width), WOBBLE_SIGMA, amount * WOBBLE_PX)
        moved.append((grid - np.float32(middle)) / np.float32(zoom) + np.float32(middle - move) + wobble)
    out = cv2.remap(picture, moved[0], moved[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    out = cv2.GaussianBlur(out, (0, 0), SOFT_PX * min(1.0, amount))
    out = np.clip(out, 0, 255) / 255
    gamma = 1 + amount * GAMMA_DRIFT * _signed(rng)
    gain = (1 + amount * GAIN * rng.uniform(-1, 1, 3)).astype(np.float32)
    patches = 1 + _field(rng, (height, width), PATCH_SIGMA, amount * PATCHES)
    out = cv2.pow(out, gamma) * gain * patches[..., None] * 255
    out += _field(rng, (height, width), 0.7, amount * GRAIN)[..., None]
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def _signed(rng: np.random.Generator) -> float:
    """A number of magnitude 0.4..1: never nearly nothing."""
    return float(rng.uniform(0.4, 1.0) * rng.choice([-1, 1]))


def _field(rng: np.random.Generator, shape: tuple[int, int], sigma: float, rms: float) -> np.ndarray:
    """A smooth random field of `shape` (h, w), float32: `sigma` px smooth, `rms` its root mean square."""
    step = max(1, int(sigma / 3))  # drawn coarse and enlarged
    drawn = rng.standard_normal((shape[0] // step + 3, shape[1] // step + 3), dtype=np.float32)
    coarse = cv2.GaussianBlur(drawn, (0, 0), sigma / step)
    field = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) if step > 1 else coarse
    field = field[: shape[0], : shape[1]]
    return field * np.float32(rms / (coarse.std() + 1e-9))
