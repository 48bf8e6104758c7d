"""The matte at full size: how much of each pixel along the silhouette is product.

Backdrop and product are each extrapolated to a band around the estimated silhouette (a trimap). A pixel in it is their
mixture, and its alpha the projection of its colour onto the line between theirs (the two known colours of Smith and
Blinn, "Blue screen matting", SIGGRAPH 1996, doi:10.1145/237170.237263). Its own colour is what the backdrop leaves of
it. Where both have nearly the same colour the estimate counts. In: (H, W, 3) uint8 and a mask (h, w). Out: (H, W, 4)
uint8.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import remap, to_three_channels
from function.matching.cutout.backdrop import push_pull

# Half width of the band in which alpha is estimated, px of the small image.
BAND_PX = 2
# What is narrower than this (px of the small image) has no interior: its most different pixels show its colour.
NARROW_PX = 7
# Distance of product and backdrop (levels, root of the sum of squares) from which alpha is read at all, and fully.
# Between them it is blended with the estimate.
MIN_CONTRAST, FULL_CONTRAST = 8.0, 24.0
# Alpha this near to 0 or 1 is noise.
NOISE_ALPHA = 0.06
# Below this alpha a mixed pixel does not tell the product's colour.
MIN_COLOUR_ALPHA = 0.3


def refine_matte(rgb: np.ndarray, small: np.ndarray, outside: np.ndarray) -> np.ndarray:
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
    image = small.astype(np.float32)
    behind = _extrapolated(image, near == 0)
    apart = np.sqrt(((image - behind) ** 2).sum(axis=2))
    peaks = (product > 0) & (apart >= 0.9 * cv2.dilate(apart, np.ones((5, 5), np.uint8)))
    front = _extrapolated(image, (deep > 0) | (narrow & peaks))
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
    places = _in_rows(at)
    backs, fronts = (remap(p, places).reshape(-1, 3)[: len(rows)] for p in (behind, front))
    span = fronts - backs
    length = np.einsum("ij,ij->i", span, span)
    pixels = rgb[rows, columns].astype(np.float32)
    share = np.einsum("ij,ij->i", pixels - backs, span) / np.maximum(length, 1)
    share = np.clip((share - NOISE_ALPHA) / (1 - 2 * NOISE_ALPHA), 0, 1)
    clear = np.clip((np.sqrt(length) - MIN_CONTRAST) / (FULL_CONTRAST - MIN_CONTRAST), 0, 1)
    share = share * clear + estimate[rows, columns] / 255 * (1 - clear)
    alpha[rows, columns] = (share * 255 + 0.5).astype(np.uint8)
    rgba = cv2.merge([*cv2.split(rgb), alpha])
    mixed = (share > 0) & (share < 1)
    part = share[mixed, None]
    # Of little product its own colour cannot be read: the product's near it counts.
    own = (pixels[mixed] - (1 - part) * backs[mixed]) / np.maximum(part, MIN_COLOUR_ALPHA)
    colour = np.where(part > MIN_COLOUR_ALPHA, own, fronts[mixed])
    rgba[rows[mixed], columns[mixed], :3] = np.clip(colour + 0.5, 0, 255).astype(np.uint8)
    return rgba


def _extrapolated(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`image` (h, w, 3) float32 where it is `known` (h, w) bool, carried on elsewhere."""
    weight = known.astype(np.float32)
    size = (known.shape[1] + 1) // 2, (known.shape[0] + 1) // 2
    half, halved = (
        cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (image * to_three_channels(weight), weight)
    )
    filled: np.ndarray = cv2.resize(push_pull(half, halved), known.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.copyTo(image, known.astype(np.uint8), filled)


def _in_rows(at: list[np.ndarray]) -> np.ndarray:
    """(m, 1024, 2): places of x and y (1, n) in rows; remap takes no more than 32767 columns."""
    pad = -at[0].shape[1] % 1024
    return np.dstack([np.pad(p, ((0, 0), (0, pad)), mode="edge").reshape(-1, 1024) for p in at])


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
