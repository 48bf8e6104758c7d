"""Fine texture repainted: as strong as it was, of the same kind, and only partly the same.

Of fourteen real edits the texture's energy was 1.00 of the scene's (median; .93 to 1.12), and its correlation with the
scene's .82 (median; .27 to .92), whatever was warped. Edges and print stay: what stands out of its surroundings is no
texture.
"""

from __future__ import annotations

import cv2
import numpy as np

FINE_SIGMA = 3.0  # px; texture is finer than this
# A place's usual strength of detail is the lesser median of every fourth pixel's, over so many of those: print and
# edges are few in one of the two. Detail stronger than so many times that is an edge, and where more than this share
# (over so many samples) is, nothing is repainted: a letter's second outline would be half there.
SAMPLED, SAMPLES, STANDS_OUT = 4, (9, 31), 4.5
EDGES, EDGES_SAMPLES = 0.1, 7
SCALE = 4  # strengths are bytes, in quarters of a grey level
# Texture is taken from so far away: farther than it resembles itself, near enough to be of the same kind.
AWAY_PX, WANDER_PX, WANDER_SIGMA = 7.0, 3.0, 14.0


def texture_change(picture: np.ndarray, likeness: float, rng: np.random.Generator) -> np.ndarray:
    """What to add to `picture` (h, w, 3) float32 RGB 0..255 so that its texture is new: (h, w, 1) float32 grey levels.

    The texture then correlates with what it was by `likeness` (0..1); measured with edges in it, by more.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), FINE_SIGMA)
    strength = cv2.convertScaleAbs(np.ascontiguousarray(fine[::SAMPLED, ::SAMPLED]), alpha=SCALE)
    usual = cv2.min(*(cv2.medianBlur(strength, samples) for samples in SAMPLES))
    most = STANDS_OUT * usual.astype(np.float32)
    edges = cv2.blur((strength > most).astype(np.float32), (EDGES_SAMPLES, EDGES_SAMPLES))
    limit = cv2.GaussianBlur(most * np.maximum(1 - edges / np.float32(EDGES), 0), (0, 0), 1.5)
    most = cv2.resize(limit * np.float32(1 / SCALE), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    texture = cv2.max(cv2.min(fine, most), -most)
    angle = rng.uniform(0, 2 * np.pi)
    xs, ys = np.meshgrid(
        np.arange(grey.shape[1], dtype=np.float32) + np.float32(AWAY_PX * np.cos(angle)),
        np.arange(grey.shape[0], dtype=np.float32) + np.float32(AWAY_PX * np.sin(angle)),
    )
    xs += smooth_field(rng, grey.shape, WANDER_SIGMA, WANDER_PX)
    ys += smooth_field(rng, grey.shape, WANDER_SIGMA, WANDER_PX)
    other = cv2.remap(texture, xs, ys, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
    return (np.float32(likeness - 1) * texture + np.float32(np.sqrt(1 - likeness**2)) * other)[..., None]


def smooth_field(rng: np.random.Generator, shape: tuple[int, ...], sigma: float, rms: float) -> np.ndarray:
    """A smooth random field of `shape` (h, w), float32: `sigma` px smooth, `rms` its root mean square."""
    step = max(1, int(sigma / 3))  # drawn coarse and enlarged
    drawn = rng.standard_normal((shape[0] // step + 3, shape[1] // step + 3), dtype=np.float32)
    coarse = cv2.GaussianBlur(drawn, (0, 0), sigma / step)
    field = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) if step > 1 else coarse
    field = field[: shape[0], : shape[1]]
    return field * np.float32(rms / (coarse.std() + 1e-9))
