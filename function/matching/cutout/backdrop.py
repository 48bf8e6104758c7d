"""The backdrop of a photograph, fitted: flat, graded, darker towards the corners, or a sweep from wall to floor.

The four borders are smoothed robustly and interpolated over the image as a Coons patch (Coons, "Surfaces for
computer-aided design of space forms", MIT, 1967): exact for every backdrop that is a function of the row plus one of
the column. Noise is estimated from the border's residual (median absolute deviation), and decides what still is
backdrop. A border that is not smooth, or changes too much along its sides, is a room: no backdrop is fitted.

In: (h, w, 3) uint8 at about 600 px. Out: a `Backdrop`, float32 0..255.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import max_channel, to_three_channels

# Width of the border ring, as a share of the shorter side.
BORDER_SHARE = 0.02
# Window of the median along a border, as a share of its side: wider than grain, narrower than a sweep's bend.
PROFILE_SHARE = 0.08
# A backdrop is smooth: largest step of its profile from pixel to pixel (levels 0..255 at 600 px), distance from it
# that counts as near, and the least share of the border that is near.
MAX_STEP, NEAR_PROFILE, MIN_NEAR = 6.0, 10.0, 0.88
# Largest range of the border along its four sides, levels (5th to 95th percentile): a room has more.
MAX_RANGE = 110.0
# The correction by the image's middle is smooth: it is estimated at this stride.
CORRECTION_STRIDE = 4
# Where a border is darker than the opposite one by more than this (levels) it lies in shadow or behind the product.
DIP_LEVELS = 3.0
# Standard deviations of the border's noise that still are backdrop, and lower bounds in levels (JPEG). Chroma is
# smoother than luma, and a pale product differs in it first.
NOISE_FACTOR, MIN_LUMA, MIN_CHROMA = 3.5, 2.6, 2.2
# More noise than this (levels) is texture and no backdrop.
MAX_LUMA, MAX_CHROMA = 12.0, 8.0


@dataclass(frozen=True)
class Backdrop:
    """What the photograph would show without the product.

    image         (h, w, 3) float32 RGB, 0..255
    luma, chroma  levels by which a pixel may differ from it and still be backdrop
    """

    image: np.ndarray
    luma: float
    chroma: float


def fit_backdrop(rgb: np.ndarray) -> Backdrop | None:
    """Of `rgb` (h, w, 3) uint8; None where the border is not that of a smooth backdrop.

    The four borders are smoothed and carried over the image as a Coons patch (Coons, Surfaces for computer-aided
    design, 1967): exact for every backdrop that is a function of the row plus one of the column.
    """
    height, width = rgb.shape[:2]
    ring = max(2, round(BORDER_SHARE * min(height, width)))
    if min(height, width) < 8 * ring:
        return None
    image = rgb.astype(np.float32)
    strips = (
        image[:ring].transpose(1, 0, 2),
        image[-ring:].transpose(1, 0, 2),
        image[:, :ring],
        image[:, -ring:],
    )
    profiles = [_profile(strip) for strip in strips]
    residual = np.concatenate([(strip - p[:, None]).reshape(-1, 3) for strip, p in zip(strips, profiles, strict=True)])
    smooth = [_without_dips(profiles[side], profiles[side ^ 1]) for side in range(4)]
    near = np.abs(residual).max(axis=1) <= NEAR_PROFILE
    steps = np.concatenate([np.abs(np.diff(profile, axis=0)).max(axis=1) for profile in profiles])
    if near.mean() < MIN_NEAR or np.quantile(steps, 0.99) > MAX_STEP * 600 / max(height, width):
        return None
    if np.ptp(np.quantile(np.concatenate(profiles), (0.05, 0.95), axis=0), axis=0).max() > MAX_RANGE:
        return None
    luma, chroma = _noise(residual[near])
    if luma > MAX_LUMA or chroma > MAX_CHROMA:
        return None
    return Backdrop(_coons(*smooth), luma, chroma)


def refit_backdrop(backdrop: Backdrop, rgb: np.ndarray, visible: np.ndarray) -> Backdrop:
    """`backdrop` corrected by what is `visible` (h, w) bool of it in the middle of the image."""
    height, width = visible.shape
    size = max(1, width // CORRECTION_STRIDE), max(1, height // CORRECTION_STRIDE)
    difference = (rgb.astype(np.float32) - backdrop.image) * to_three_channels(visible.astype(np.float32))
    small, weight = (
        cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (difference, visible.astype(np.float32))
    )
    correction = cv2.GaussianBlur(push_pull(small, weight), (0, 0), 1.0)
    correction = cv2.resize(correction, (width, height), interpolation=cv2.INTER_LINEAR)
    return Backdrop(backdrop.image + correction, backdrop.luma, backdrop.chroma)


def push_pull(colour: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`colour` (h, w, 3) float32, zero without `weight` (h, w) float32, carried on to where there is none.

    From ever coarser means (push-pull; Gortler et al., The Lumigraph, 1996).
    """
    levels = [(colour, weight)]
    while max(weight.shape) > 1:
        size = (weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2
        colour, weight = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (colour, weight))
        levels.append((colour, weight))
    filled: np.ndarray = np.zeros((1, 1, 3), np.float32)
    for colour, weight in reversed(levels):
        filled = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
        # A little of what is known is enough to know it: coarse levels only fill what is empty.
        own = cv2.min(weight * 4, np.ones_like(weight))
        mean = colour / to_three_channels(np.maximum(weight, 1e-6))
        filled = filled.reshape(mean.shape)
        filled = filled + (mean - filled) * to_three_channels(own)
    return filled


def backdrop_difference(rgb: np.ndarray, backdrop: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How `rgb` (h, w, 3) differs from `backdrop` (h, w, 3) float32, each (h, w) float32: levels of luma, levels
    between its most and its least changed channel, and the ratio of its brightest one, 1 where nothing changed."""
    smooth = cv2.blur(rgb.astype(np.float32), (3, 3))
    ratios = cv2.split(smooth / np.maximum(backdrop, 8))
    most, least = cv2.max(cv2.max(*ratios[:2]), ratios[2]), cv2.min(cv2.min(*ratios[:2]), ratios[2])
    level = max_channel(backdrop)
    luma = (ratios[0] + ratios[1] + ratios[2]) / 3 * level - level
    return luma, (most - least) * level, most


def _profile(strip: np.ndarray) -> np.ndarray:
    """(n, 3) float32 of a border strip (n, ring, 3): its median across, then smoothed along."""
    across = np.median(strip, axis=1)
    size = max(3, round(PROFILE_SHARE * len(across))) | 1
    padded = np.pad(across, ((size // 2, size // 2), (0, 0)), mode="reflect", reflect_type="odd")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, size, axis=0), axis=-1).astype(np.float32)
    result: np.ndarray = cv2.blur(middle, (1, max(3, size // 4)), borderType=cv2.BORDER_REPLICATE)
    return result


def _without_dips(profile: np.ndarray, opposite: np.ndarray) -> np.ndarray:
    """`profile` (n, 3) without what darkens it alone and not its `opposite` (n, 3): a shadow, or a product that reaches
    the border. Both are taken apart from the line between their ends."""
    lines = [_line(p) for p in (profile, opposite)]
    own, other = profile - lines[0], opposite - lines[1]
    dip = (own < other - DIP_LEVELS).any(axis=1)
    return np.where(dip[:, None], lines[0] + other, profile).astype(np.float32)


def _line(profile: np.ndarray) -> np.ndarray:
    """(n, 3) float32: straight between the ends of `profile` (n, 3)."""
    end = max(1, len(profile) // 16)
    first, last = profile[:end].mean(axis=0), profile[-end:].mean(axis=0)
    result: np.ndarray = first + (last - first) * np.linspace(0, 1, len(profile), dtype=np.float32)[:, None]
    return result


def _noise(residual: np.ndarray) -> tuple[float, float]:
    """Levels of luma and of chroma that still count as backdrop, from the border's residual (n, 3)."""
    luma = residual.mean(axis=1)
    chroma = np.ptp(residual, axis=1)
    # 1.4826 times the median absolute deviation is a standard deviation; pixels are looked at averaged over 3x3.
    spreads = (1.4826 * np.median(np.abs(luma - np.median(luma))) / 2, np.median(chroma) / 2)
    return max(MIN_LUMA, NOISE_FACTOR * float(spreads[0])), max(MIN_CHROMA, NOISE_FACTOR * float(spreads[1]))


def _coons(top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 between four borders (w, 3), (w, 3), (h, 3), (h, 3)."""
    down = np.linspace(0, 1, len(left), dtype=np.float32)[:, None, None]
    along = np.linspace(0, 1, len(top), dtype=np.float32)[None, :, None]
    corners = [
        (a + b) / 2 for a, b in ((top[0], left[0]), (top[-1], right[0]), (bottom[0], left[-1]), (bottom[-1], right[-1]))
    ]
    between = (1 - down) * ((1 - along) * corners[0] + along * corners[1]) + down * (
        (1 - along) * corners[2] + along * corners[3]
    )
    ruled = (1 - down) * top[None] + down * bottom[None] + (1 - along) * left[:, None] + along * right[:, None]
    return np.ascontiguousarray(ruled - between, np.float32)
