"""The outline at full size: how much of each pixel along it is product."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import remap, to_three_channels
from function.matching.cutout.backdrop import spread

# The outline is sought so many pixels of the small picture in and out of where it was estimated.
BAND_PX = 2
# What is narrower than this (px of the small picture) has no inside: its most different pixels show its colour.
NARROW_PX = 7
# Product and backdrop that differ by less (levels, root of the sum of squares) leave no matte to be read: what was
# estimated counts, more so the less they differ.
FAINT, CLEAR = 8.0, 24.0
# Mixtures this near to backdrop or product are noise.
NOISE_ALPHA = 0.06
# A mixture with less product than this does not tell the product's colour.
MIN_READ = 0.3


def refine(rgb: np.ndarray, small: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 of `rgb` (H, W, 3) uint8, of which `outside` (h, w) bool of `small` (h, w, 3) is backdrop.

    Backdrop and product are each carried on to the outline; between both a pixel is their mixture, whose share is the
    projection of its colour onto the line between theirs (Smith and Blinn, Blue screen matting, 1996). Its colour is
    what the backdrop leaves of it.
    """
    size = rgb.shape[1], rgb.shape[0]
    product = (~outside).astype(np.uint8)
    near = cv2.dilate(product, _disc(BAND_PX))
    deep = cv2.erode(product, _disc(BAND_PX))
    narrow = (product > 0) & (cv2.morphologyEx(product, cv2.MORPH_OPEN, _disc(NARROW_PX // 2)) == 0)
    picture = small.astype(np.float32)
    behind = _carried(picture, near == 0)
    apart = np.sqrt(((picture - behind) ** 2).sum(axis=2))
    peaks = (product > 0) & (apart >= 0.9 * cv2.dilate(apart, np.ones((5, 5), np.uint8)))
    front = _carried(picture, (deep > 0) | (narrow & peaks))
    band = (near > 0) & ((deep == 0) | narrow)
    estimate = cv2.resize(product * 255, size, interpolation=cv2.INTER_LINEAR)
    alpha = cv2.inRange(estimate, 128, 255)
    inside = cv2.resize(band.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(bool)
    rows, columns = np.divmod(np.flatnonzero(inside), size[0])
    if not len(rows):
        return cv2.merge([*cv2.split(rgb), alpha])
    at = [
        ((p + 0.5) * (n / m) - 0.5).astype(np.float32)[None]
        for p, n, m in zip((columns, rows), small.shape[1::-1], size, strict=True)
    ]
    places = _folded(at)
    backs, fronts = (remap(p, places).reshape(-1, 3)[: len(rows)] for p in (behind, front))
    span = fronts - backs
    length = np.einsum("ij,ij->i", span, span)
    seen = rgb[rows, columns].astype(np.float32)
    share = np.einsum("ij,ij->i", seen - backs, span) / np.maximum(length, 1)
    share = np.clip((share - NOISE_ALPHA) / (1 - 2 * NOISE_ALPHA), 0, 1)
    clear = np.clip((np.sqrt(length) - FAINT) / (CLEAR - FAINT), 0, 1)
    share = share * clear + estimate[rows, columns] / 255 * (1 - clear)
    alpha[rows, columns] = (share * 255 + 0.5).astype(np.uint8)
    rgba = cv2.merge([*cv2.split(rgb), alpha])
    mixed = (share > 0) & (share < 1)
    part = share[mixed, None]
    # Of little product its own colour cannot be read: the product's near it counts.
    own = (seen[mixed] - (1 - part) * backs[mixed]) / np.maximum(part, MIN_READ)
    colour = np.where(part > MIN_READ, own, fronts[mixed])
    rgba[rows[mixed], columns[mixed], :3] = np.clip(colour + 0.5, 0, 255).astype(np.uint8)
    return rgba


def _carried(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`picture` (h, w, 3) float32 where it is `known` (h, w) bool, carried on elsewhere."""
    weight = known.astype(np.float32)
    size = (known.shape[1] + 1) // 2, (known.shape[0] + 1) // 2
    half, halved = (
        cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (picture * to_three_channels(weight), weight)
    )
    filled: np.ndarray = cv2.resize(spread(half, halved), known.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.copyTo(picture, known.astype(np.uint8), filled)


def _folded(at: list[np.ndarray]) -> np.ndarray:
    """(m, 1024, 2): places of x and y (1, n) in rows; remap takes no more than 32767 columns."""
    pad = -at[0].shape[1] % 1024
    return np.dstack([np.pad(p, ((0, 0), (0, pad)), mode="edge").reshape(-1, 1024) for p in at])


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
