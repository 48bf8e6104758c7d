"""The product photograph, made ready to be found: cut out, cropped, shrunk, filled behind its outline."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import to_bytes, to_three_channels

# A photograph counts as cut out when at least this share of its pixels is (nearly) transparent: a few stray
# transparent pixels in a scan do not make a cut-out.
MIN_TRANSPARENT_SHARE = 0.01
# The border ring inspected for a uniform background, as a share of the shorter side.
BORDER_SHARE = 0.02
# A background is uniform when this share of the border lies within the tolerance of its median colour.
UNIFORM_BORDER_SHARE = 0.8
# Largest difference of any channel (0..255) from the median that still counts as background: JPEG noise and
# the slight fall-off of a studio sweep, not a pale product.
BACKGROUND_TOLERANCE = 14
# A shadow on the background: channels that differ by no more than this share of it, and change by no more than that
# share a pixel at about the size that shadows are looked at (longest side, px).
SHADOW_CHROMA, SHADOW_STEP, SHADOW_SIDE_PX = 0.04, 0.02, 1024
# Where more than the rest of this share of what is no background would go, it is not all shadow: a grey product with
# soft edges, the pale sole of a shoe. Shadows of packshots take 5 to 15 %.
LEAST_UNSHADOWED = 0.8
# A photograph of which more than this share is covered shows no outline.
MOST_COVERED = 0.98
# Alpha from which a pixel's colour is the product's own and not mixed with what lies behind it.
SOLID_ALPHA = 250


@dataclass(frozen=True)
class Photograph:
    """The product alone. `rgb` (h, w, 3) uint8 with the product's colours continued beyond its outline,
    `alpha` (h, w) uint8. Pixel (x, y) here is relative place ((x + .5) * step + origin) of the whole
    photograph, where 0..1 spans its width and its height.
    """

    rgb: np.ndarray
    alpha: np.ndarray
    origin: tuple[float, float]
    step: tuple[float, float]

    def shrunk(self, max_px: float) -> Photograph:
        """The same with its longest side at most `max_px`."""
        height, width = self.alpha.shape
        scale = min(1.0, max_px / max(height, width))
        size = max(8, round(width * scale)), max(8, round(height * scale))
        if size == (width, height):
            return self
        rgb, alpha = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (self.rgb, self.alpha))
        return Photograph(rgb, alpha, self.origin, (self.step[0] * width / size[0], self.step[1] * height / size[1]))

    def mirrored(self) -> Photograph:
        """Left and right exchanged, in the photograph and in its relative places."""
        origin = 1 - self.origin[0] - self.step[0] * self.alpha.shape[1], self.origin[1]
        rgb, alpha = (np.ascontiguousarray(picture[:, ::-1]) for picture in (self.rgb, self.alpha))
        return Photograph(rgb, alpha, origin, self.step)


def photograph_alpha(product: np.ndarray) -> np.ndarray:
    """Coverage (h, w) uint8 of a product photograph given as (h, w, 3 or 4) uint8.

    A cut-out keeps its own alpha. Otherwise a background of one colour that touches the border is removed;
    the white of a label inside the product stays, as it does not touch the border. With neither, all is
    product.
    """
    if product.shape[2] == 4:
        alpha = cv2.extractChannel(product, 3)
        if cv2.countNonZero(cv2.inRange(alpha, 0, 15)) >= MIN_TRANSPARENT_SHARE * alpha.size:
            return alpha
    rgb = np.ascontiguousarray(product[..., :3])
    height, width = rgb.shape[:2]
    whole = np.full((height, width), 255, np.uint8)
    ring = max(1, round(BORDER_SHARE * min(height, width)))
    if min(height, width) < 8 * ring:
        return whole
    border = np.ones((height, width), bool)
    border[ring:-ring, ring:-ring] = False
    median = np.median(rgb[border], axis=0)
    far = np.abs(rgb.astype(np.int16) - median.astype(np.int16)).max(axis=2)
    if np.mean(far[border] <= BACKGROUND_TOLERANCE) < UNIFORM_BORDER_SHARE:
        return whole
    _, labels = cv2.connectedComponents((far <= BACKGROUND_TOLERANCE).astype(np.uint8), connectivity=4)
    touching = np.unique(labels[border & (labels > 0)])
    keep = np.ones(labels.max() + 1, np.uint8)
    keep[touching] = 0
    inside = _without_shadow(rgb, median, keep[labels])
    if not 0.01 <= inside.mean() <= MOST_COVERED:
        return whole
    # One pixel in and softened: the rim of an opaque photograph is mixed with its background.
    inside = cv2.erode(inside * 255, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(inside, (0, 0), 0.8)


def has_outline(alpha: np.ndarray) -> bool:
    """Whether `alpha` (h, w) uint8 tells the product from what lies behind it: a photograph on a busy or uneven
    background counts as product from edge to edge."""
    return cv2.countNonZero(cv2.inRange(alpha, 128, 255)) <= MOST_COVERED * alpha.size


def _without_shadow(rgb: np.ndarray, background: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """`inside` (h, w) uint8 0/1 without the soft shadow that the product throws on its even `background` (3,).

    Shadow is background made darker evenly in all colours, goes over into it without an edge, and is the smaller part
    of what is inside.
    """
    height, width = inside.shape
    step = math.ceil(max(height, width) / SHADOW_SIDE_PX)
    size = max(1, width // step), max(1, height // step)
    small, covered = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (rgb, inside * 255))
    channels = cv2.split(cv2.blur(small, (3, 3)).astype(np.float32) / np.maximum(background, 1).astype(np.float32))
    brightest, darkest = np.maximum.reduce(channels), np.minimum.reduce(channels)
    tone = cv2.GaussianBlur(brightest, (0, 0), 1.5)
    slopes = [np.abs(cv2.Sobel(tone, cv2.CV_32F, *order, scale=1 / 8)) for order in ((1, 0), (0, 1))]
    shadow = (brightest - darkest < SHADOW_CHROMA) & (brightest < 1.02) & (np.maximum(*slopes) < SHADOW_STEP)
    outside = covered < 128
    _, labels = cv2.connectedComponents((outside | shadow).astype(np.uint8), connectivity=4)
    joins = np.zeros(labels.max() + 1, bool)
    joins[labels[outside]] = True
    joins[0] = False
    # What the shadow's own edge at the product leaves is thin.
    product = cv2.morphologyEx((~outside & ~joins[labels]).astype(np.uint8), cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    if product.sum() < LEAST_UNSHADOWED * np.count_nonzero(~outside):
        return inside
    gone = cv2.resize((~outside & (product == 0)).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return inside & (gone == 0)


def prepare_photograph(product: np.ndarray, max_px: float = math.inf, pace: float = 1.0) -> Photograph | None:
    """Crop `product` ((h, w, 3 or 4) uint8) to its coverage and shrink it: by `pace`, a factor of 1 or more, and until
    its longest side is at most `max_px`.

    None when nothing is covered.
    """
    alpha = photograph_alpha(product)
    height, width = alpha.shape
    x0, y0, columns, rows = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    if columns < 8 or rows < 8:
        return None
    x1, y1 = x0 + columns, y0 + rows
    scale = min(1.0, 1 / pace, max_px / max(x1 - x0, y1 - y0))
    size = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
    crop = alpha[y0:y1, x0:x1]
    rgb = continue_colours(product[y0:y1, x0:x1], crop, size)
    step = (x1 - x0) / size[0] / width, (y1 - y0) / size[1] / height
    return Photograph(rgb, cv2.resize(crop, size, interpolation=cv2.INTER_AREA), (x0 / width, y0 / height), step)


def continue_colours(product: np.ndarray, alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`product` (h, w, 3 or 4) uint8 shrunk to `size`, the colours of its covered part carried on outside `alpha`
    (h, w): (h', w', 3) uint8.

    What a cut-out hides in its transparent pixels, often white, would otherwise bleed into the rim. Filled
    from ever coarser means of the covered pixels (push-pull; Gortler et al., The Lumigraph, 1996).
    """
    # Glass may have no solid pixel at all.
    solid = cv2.inRange(alpha, min(SOLID_ALPHA, int(alpha.max())), 255)
    rgb = cv2.cvtColor(product, cv2.COLOR_RGBA2RGB) if product.shape[2] == 4 else product
    # Shrunk as bytes, which is several times faster; half a grey level is lost where the colours are carried on.
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
