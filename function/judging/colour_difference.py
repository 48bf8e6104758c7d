"""The difference of the product's colours from its photograph's, the scene's illumination divided out.

With a mapping, pixel by pixel: both are low-passed in linear light, a gain per channel of limited colour temperature
and tint is divided out, lightness is equalised (shading is the scene's), and what is left is the distance in CIELAB a,
b, after the chroma was scaled within what gloss and bounced light explain. Without one (a product that is turned, worn
or redrawn): the distance of its colours to the nearest of the photograph's palette, under the illumination that brings
both nearest, searched on a grid.

In: `ProductCrop` (h, w), sRGB. Out: distance in Lab, mean chroma as a ratio. The gain is limited because
light is hardly ever green or purple, and a wrong colour is. The limits come from `python -m tests.bench.judging`.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from function.imaging.array_ops import blur, max_channel
from function.imaging.photometry import linear_to_srgb, log_ratio, masked_mean, srgb_to_linear
from function.judging.product_crop import MIN_VISIBLE_LEVELS, ProductCrop
from function.judging.shadow_removal import remove_shadow

# Largest distance in Lab a, b: pixel by pixel, and to the palette, where a near colour is always found (real images
# reached 5.1, hue-turned products begin at 10).
MAX_COLOUR, MAX_PALETTE_COLOUR = 10.5, 7.5
# Illuminants lie between candle light and open shade: red against blue may change by the first, green against both by
# the second (natural logarithm, linear light).
MAX_CCT_SHIFT, MAX_TINT = 0.4, 0.15
# Standard deviation of the low-pass, as a share of the product's height: matched, and only fitted.
COLOUR_SIGMA, FITTED_COLOUR_SIGMA = 0.012, 0.04
# Fewer pixels of the product are not compared.
MIN_PIXELS = 60
# The quantile of the distance that counts: lid, side and reflections take the rest.
COLOUR_QUANTILE = 0.85
# The same of a component with another silhouette than the photograph's: it may hold a hand, and scene in its openings.
PIECE_QUANTILE = 0.7
# Range of chroma against the expected one that gloss and bounced light explain.
MIN_CHROMA_RATIO, MAX_CHROMA_RATIO = 0.5, 1.6
# Keep ratios of dark colours and of dark shades finite, linear light 0..1.
DARK_OFFSET, SHADE_OFFSET = 0.01, 0.005
# Range of lightness against the expected one that shading explains, as factors.
MIN_SHADE, MAX_SHADE = 0.1, 6
# Chroma that even grey shows by noise and bounced light; it keeps the ratio of two greys near 1.
GREY_CHROMA = 2.0
# Palette search: pixels of the product, and shading factors of the palette.
PALETTE_SAMPLE, SHADES = 300, (0.4, 0.7, 1.0, 1.5)
# Share of the palette that must be found on the product (of real ones .8 lay within 3.7, of another article 7.7 and
# more), and on one that is turned to a side of which the photograph shows little.
MAIN_COLOURS, TURNED_COLOURS = 0.8, 0.4
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709


class ColourDifference(NamedTuple):
    """lab: difference in Lab a and b; chroma: mean chroma over what is expected; limit: the `lab` that may be shown;
    turned: the `lab` if the product is turned to a side of which the photograph shows little."""

    lab: float
    chroma: float
    limit: float
    turned: float


def colour_difference(crop: ProductCrop) -> ColourDifference | None:
    """The difference in colour of the product in `crop`; None where too little of it is visible.

    Pixel by pixel where the photograph was matched or fitted. Where that shows a difference and the mapping is not
    certain, and elsewhere, the palette decides.
    """
    placed = _pixelwise_difference(crop) if crop.fitted or crop.matched else None
    if (crop.matched and crop.fitted and not crop.is_thin) or (placed is not None and placed.lab <= placed.limit):
        return placed
    return _palette_difference(crop)


def _pixelwise_difference(crop: ProductCrop) -> ColourDifference | None:
    """Pixel by pixel, under the photograph's mapping."""
    sigma = max(0.8, (COLOUR_SIGMA if crop.matched else FITTED_COLOUR_SIGMA) * crop.height)
    weight = cv2.erode(np.minimum(crop.visible_mask, crop.product_mask), np.ones((5, 5), np.uint8))
    solid = weight > 0.9
    if solid.sum() < MIN_PIXELS:
        return None
    mean = masked_mean(weight, lambda image: blur(image, sigma), least=1e-6)
    expected, shown = (mean(srgb_to_linear(p))[solid] for p in (crop.expected, crop.generated))
    gain = np.median(log_ratio(expected, shown, DARK_OFFSET, np.log), axis=0)
    cct_shift = np.clip((gain[0] - gain[2]) / 2, -MAX_CCT_SHIFT, MAX_CCT_SHIFT)
    tint = np.clip((gain[0] + gain[2]) / 2 - gain[1], -MAX_TINT, MAX_TINT)
    lit = expected * np.exp(np.array([tint + cct_shift, 0, tint - cct_shift], np.float32))
    # Shading is the scene's own: every place gets the brightness that it shows.
    lit *= np.clip((shown @ LUMA + SHADE_OFFSET) / (lit @ LUMA + SHADE_OFFSET), MIN_SHADE, MAX_SHADE)[:, None]
    ab = [cv2.cvtColor(linear_to_srgb(p)[None], cv2.COLOR_RGB2LAB)[0, :, 1:] for p in (lit, shown)]
    chroma = [float(np.hypot(*p.T).mean()) + GREY_CHROMA for p in ab]
    colourful = np.clip(
        (ab[0] * ab[1]).sum(axis=1) / ((ab[0] ** 2).sum(axis=1) + 1e-6), MIN_CHROMA_RATIO, MAX_CHROMA_RATIO
    )
    difference = np.hypot(*(ab[1] - colourful[:, None] * ab[0]).T)
    lab = float(np.quantile(difference, COLOUR_QUANTILE))
    return ColourDifference(lab, chroma[1] / chroma[0], MAX_COLOUR, lab)


def _palette_difference(crop: ProductCrop) -> ColourDifference | None:
    """To the nearest colours of the palette, under the illuminant that brings them nearest; its shadow is no colour of
    the product."""
    crop = remove_shadow(crop)
    weight = cv2.erode((crop.product_mask > 0.9).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if crop.is_thin:
        weight = (crop.product_mask > 0.9) & (max_channel(cv2.absdiff(crop.generated, crop.scene)) > MIN_VISIBLE_LEVELS)
    if weight.sum() < MIN_PIXELS:
        return None
    palette = crop.find_palette()
    if len(palette) == 0:
        return None
    sigma = 0.8 if crop.is_thin else max(0.8, FITTED_COLOUR_SIGMA * crop.height / 4)
    smooth = blur(srgb_to_linear(crop.generated), sigma)[weight]
    shown = smooth[:: max(1, len(smooth) // PALETTE_SAMPLE)]
    known = srgb_to_linear(palette[None])[0]
    level = float(np.median(shown @ LUMA) + SHADE_OFFSET) / float(np.median(known @ LUMA) + SHADE_OFFSET)
    shown_ab = _ab(shown)
    quantile = COLOUR_QUANTILE if crop.fitted else PIECE_QUANTILE
    best: ColourDifference | None = None
    for cct_shift in np.linspace(-MAX_CCT_SHIFT, MAX_CCT_SHIFT, 7):
        for tint in np.linspace(-MAX_TINT, MAX_TINT, 3):
            lit = known * level * np.exp(np.array([tint + cct_shift, 0, tint - cct_shift], np.float32))
            # Each colour may be shaded.
            expected = np.vstack([_ab(np.clip(lit * shade, 0, 1)) for shade in SHADES])
            across, down = (np.subtract.outer(shown_ab[:, axis], expected[:, axis]) for axis in (0, 1))
            squared = across * across + down * down
            nearest, found = (np.sqrt(part) for part in (squared.min(axis=1), squared.min(axis=0)))
            found = found.reshape(len(SHADES), -1).min(axis=0)
            shown_quantile = float(np.quantile(nearest, quantile))
            value, turned = (
                max(shown_quantile, float(np.quantile(found, part))) for part in (MAIN_COLOURS, TURNED_COLOURS)
            )
            if best is None or value < best.lab:
                chroma = [float(np.hypot(*ab.T).mean()) + GREY_CHROMA for ab in (_ab(np.clip(lit, 0, 1)), shown_ab)]
                best = ColourDifference(value, chroma[1] / chroma[0], MAX_PALETTE_COLOUR, turned)
    return best


def _ab(linear: np.ndarray) -> np.ndarray:
    """(n, 2) float32 Lab a and b of linear light (n, 3) 0..1."""
    return cv2.cvtColor(linear_to_srgb(linear)[None], cv2.COLOR_RGB2LAB)[0, :, 1:]
