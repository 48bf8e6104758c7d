"""The product's photograph, prepared for matching: cropped to its cut-out, downscaled, its colours extrapolated.

What a cut-out hides in its transparent pixels, often white, would bleed into the silhouette when it is resampled. So
the covered colours are carried on outside by push-pull: a pyramid of weighted means, filled from coarse to fine
(Gortler, Grzeszczuk, Szeliski and Cohen, "The lumigraph", SIGGRAPH 1996, doi:10.1145/237170.237200).

In: (h, w, 3 or 4) uint8. Out: a `ReferenceImage`, rgb and alpha uint8, with its place in the whole photograph.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import to_bytes, to_three_channels
from function.matching.cutout.cut_out import MAX_COVERED, cut_out

# Alpha from which a pixel's colour is the product's own and not mixed with the backdrop's.
OPAQUE_ALPHA = 250


@dataclass(frozen=True)
class ReferenceImage:
    """The product alone.

    rgb           (h, w, 3) uint8, its colours extrapolated beyond its silhouette
    alpha         (h, w) uint8
    origin, step  pixel (x, y) is the place (x + .5, y + .5) * step + origin in the whole photograph, in shares 0..1
    """

    rgb: np.ndarray
    alpha: np.ndarray
    origin: tuple[float, float]
    step: tuple[float, float]

    def downscaled(self, max_px: float) -> ReferenceImage:
        """Its longest side at most `max_px`, by area averaging."""
        height, width = self.alpha.shape
        scale = min(1.0, max_px / max(height, width))
        size = max(8, round(width * scale)), max(8, round(height * scale))
        if size == (width, height):
            return self
        rgb, alpha = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (self.rgb, self.alpha))
        return ReferenceImage(
            rgb, alpha, self.origin, (self.step[0] * width / size[0], self.step[1] * height / size[1])
        )

    def mirrored(self) -> ReferenceImage:
        """Left and right exchanged, in the pixels and in their places."""
        origin = 1 - self.origin[0] - self.step[0] * self.alpha.shape[1], self.origin[1]
        rgb, alpha = (cv2.flip(image, 1) for image in (self.rgb, self.alpha))
        return ReferenceImage(rgb, alpha, origin, self.step)


def photograph_alpha(product: np.ndarray) -> np.ndarray:
    """Coverage (h, w) uint8 of a product photograph given as (h, w, 3 or 4) uint8, see `cut_out`."""
    return cut_out(product).alpha


def has_outline(alpha: np.ndarray) -> bool:
    """Whether `alpha` (h, w) uint8 has a silhouette: before a busy background all of a photograph counts as product."""
    return cv2.countNonZero(cv2.inRange(alpha, 128, 255)) <= MAX_COVERED * alpha.size


def prepare_reference(product: np.ndarray, max_px: float = math.inf, pixel_ratio: float = 1.0) -> ReferenceImage | None:
    """`product` (h, w, 3 or 4) uint8 cropped to its coverage and downscaled by `pixel_ratio`, a factor of 1 or more,
    and until its longest side is at most `max_px`; None when nothing is covered."""
    alpha = photograph_alpha(product)
    height, width = alpha.shape
    x0, y0, columns, rows = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    if columns < 8 or rows < 8:
        return None
    x1, y1 = x0 + columns, y0 + rows
    scale = min(1.0, 1 / pixel_ratio, max_px / max(x1 - x0, y1 - y0))
    size = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
    crop = alpha[y0:y1, x0:x1]
    rgb = extrapolate_colours(product[y0:y1, x0:x1], crop, size)
    step = (x1 - x0) / size[0] / width, (y1 - y0) / size[1] / height
    return ReferenceImage(rgb, cv2.resize(crop, size, interpolation=cv2.INTER_AREA), (x0 / width, y0 / height), step)


def extrapolate_colours(product: np.ndarray, alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h', w', 3) uint8: `product` (h, w, 3 or 4) uint8 downscaled to `size`, the colours that `alpha` (h, w) covers
    extrapolated to where it does not."""
    # Glass may have no opaque pixel.
    solid = cv2.inRange(alpha, min(OPAQUE_ALPHA, int(alpha.max())), 255)
    rgb = cv2.cvtColor(product, cv2.COLOR_RGBA2RGB) if product.shape[2] == 4 else product
    # Downscaled as bytes, which is several times faster; half a grey level is lost where colours are extrapolated.
    colour: np.ndarray = cv2.resize(cv2.bitwise_and(rgb, rgb, mask=solid), size, interpolation=cv2.INTER_AREA)
    colour = colour.astype(np.float32)
    weight: np.ndarray = cv2.resize(solid, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    levels = [(colour, weight)]
    while max(weight.shape) > 1:
        size = (weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        levels.append((colour, weight))
    filled: np.ndarray = np.zeros((1, 1, 3), np.float32)
    for colour, weight in reversed(levels):
        filled = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
        # colour is already multiplied by its weight; what is missing comes from the coarser level.
        filled = colour + filled.reshape(colour.shape) * to_three_channels(1 - weight)
    return to_bytes(filled)
