"""How far the product's colours are from its photograph's, apart from the scene's light."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from function.imaging.array_ops import blur, max_channel
from function.imaging.photometry import linear_to_srgb, log_ratio, masked_mean, srgb_to_linear
from function.judging.product_view import VISIBLE_LEVELS, ProductView

# Difference in Lab a and b that the product may show; and where only the nearest of the photograph's colours are known,
# which is never far: real answers reached 5.1, hue-turned products begin at 10.
MAX_COLOUR, MAX_PALETTE_COLOUR = 10.5, 7.5
# A scene's light lies between candle light and open shade: red against blue may change by this much, green against
# both by that much (natural logarithm, linear light). Light is hardly ever green or purple; a wrong colour is.
MAX_WARMTH, MAX_TINT = 0.4, 0.15
# Colours are compared over this share of the product's height, and coarser where it was only fitted.
COLOUR_SIGMA, FITTED_COLOUR_SIGMA = 0.012, 0.04
# Fewer pixels of the product tell nothing.
MIN_PIXELS = 60
# Difference in Lab a and b that this share of the product has to keep: lid, side and reflections take the rest.
COLOUR_QUANTILE = 0.85
# Of a piece with another outline than the photograph less has to: it may hold shadow, a hand, scene under a handle.
PIECE_QUANTILE = 0.7
# A place may be this much less or more colourful than expected, by gloss and by bounced light, before it counts.
GLOSS, BOUNCE = 0.5, 1.6
# Keep ratios of dark colours and of dark shades finite, linear light 0..1.
DARK_OFFSET, SHADE_OFFSET = 0.01, 0.005
# Shades of the product against what is expected, as factors: what lies outside of these is no light.
MIN_SHADE, MAX_SHADE = 0.1, 6
# Chroma that even a grey thing shows by noise and bounced light; keeps the quotient of two greys near 1.
GREY_CHROMA = 2.0
# Without a place for each colour: so many pixels of the product are compared, with the photograph's colours under so
# much light each, and this share of the photograph's own must be found again: a turned product hides the rest.
PALETTE_SAMPLE, SHADES, MAIN_COLOURS = 300, (0.4, 0.7, 1.0, 1.5), 0.4
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709


class ColourDifference(NamedTuple):
    """lab: difference in Lab a and b; chroma: mean chroma over what is expected; most: the `lab` that may be shown."""

    lab: float
    chroma: float
    most: float


def colour_difference(view: ProductView) -> ColourDifference | None:
    """Difference in Lab a and b once the scene's light is divided out, and mean chroma over what is expected.

    Place by place where the photograph was found with its outline. Elsewhere the product may be turned, worn or drawn
    anew: it is enough that its colours are colours of the photograph. None where too little of the product is seen.
    """
    placed = _placed_difference(view) if view.fitted or view.found else None
    if (view.found and view.fitted and not view.is_thin) or (placed is not None and placed.lab <= placed.most):
        return placed
    return _palette_difference(view)


def _placed_difference(view: ProductView) -> ColourDifference | None:
    """The photograph's colours against those at the same place of the product."""
    sigma = max(0.8, (COLOUR_SIGMA if view.found else FITTED_COLOUR_SIGMA) * view.height)
    weight = cv2.erode(np.minimum(view.seen, view.cover), np.ones((5, 5), np.uint8))
    solid = weight > 0.9
    if solid.sum() < MIN_PIXELS:
        return None
    mean = masked_mean(weight, lambda image: blur(image, sigma), least=1e-6)
    expected, shown = (mean(srgb_to_linear(p))[solid] for p in (view.expected, view.answer))
    gain = np.median(log_ratio(expected, shown, DARK_OFFSET, np.log), axis=0)
    warmth = np.clip((gain[0] - gain[2]) / 2, -MAX_WARMTH, MAX_WARMTH)
    tint = np.clip((gain[0] + gain[2]) / 2 - gain[1], -MAX_TINT, MAX_TINT)
    lit = expected * np.exp(np.array([tint + warmth, 0, tint - warmth], np.float32))
    # Shading is the scene's own: every place gets the brightness that it shows.
    lit *= np.clip((shown @ LUMA + SHADE_OFFSET) / (lit @ LUMA + SHADE_OFFSET), MIN_SHADE, MAX_SHADE)[:, None]
    ab = [cv2.cvtColor(linear_to_srgb(p)[None], cv2.COLOR_RGB2LAB)[0, :, 1:] for p in (lit, shown)]
    chroma = [float(np.hypot(*p.T).mean()) + GREY_CHROMA for p in ab]
    colourful = np.clip((ab[0] * ab[1]).sum(axis=1) / ((ab[0] ** 2).sum(axis=1) + 1e-6), GLOSS, BOUNCE)
    difference = np.hypot(*(ab[1] - colourful[:, None] * ab[0]).T)
    return ColourDifference(float(np.quantile(difference, COLOUR_QUANTILE)), chroma[1] / chroma[0], MAX_COLOUR)


def _palette_difference(view: ProductView) -> ColourDifference | None:
    """The product's colours against the nearest of the photograph's, under the light that brings them nearest."""
    weight = cv2.erode((view.cover > 0.9).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if view.is_thin:
        weight = (view.cover > 0.9) & (max_channel(cv2.absdiff(view.answer, view.scene)) > VISIBLE_LEVELS)
    if weight.sum() < MIN_PIXELS or len(view.palette) == 0:
        return None
    sigma = 0.8 if view.is_thin else max(0.8, FITTED_COLOUR_SIGMA * view.height / 4)
    smooth = blur(srgb_to_linear(view.answer), sigma)[weight]
    shown = smooth[:: max(1, len(smooth) // PALETTE_SAMPLE)]
    known = srgb_to_linear(view.palette[None])[0]
    level = float(np.median(shown @ LUMA) + SHADE_OFFSET) / float(np.median(known @ LUMA) + SHADE_OFFSET)
    shown_ab = _ab(shown)
    quantile = COLOUR_QUANTILE if view.fitted else PIECE_QUANTILE
    best: ColourDifference | None = None
    for warmth in np.linspace(-MAX_WARMTH, MAX_WARMTH, 7):
        for tint in np.linspace(-MAX_TINT, MAX_TINT, 3):
            lit = known * level * np.exp(np.array([tint + warmth, 0, tint - warmth], np.float32))
            # Each colour may lie in shade or in light.
            expected = np.vstack([_ab(np.clip(lit * shade, 0, 1)) for shade in SHADES])
            distance = np.hypot(*(shown_ab[:, None] - expected[None]).transpose(2, 0, 1))
            value = max(
                float(np.quantile(distance.min(axis=1), quantile)),
                float(np.quantile(distance.reshape(len(shown), len(SHADES), -1).min(axis=(0, 1)), MAIN_COLOURS)),
            )
            if best is None or value < best.lab:
                chroma = [float(np.hypot(*ab.T).mean()) + GREY_CHROMA for ab in (_ab(np.clip(lit, 0, 1)), shown_ab)]
                best = ColourDifference(value, chroma[1] / chroma[0], MAX_PALETTE_COLOUR)
    return best


def _ab(linear: np.ndarray) -> np.ndarray:
    """(n, 2) float32 Lab a and b of linear light (n, 3) 0..1."""
    return cv2.cvtColor(linear_to_srgb(linear)[None], cv2.COLOR_RGB2LAB)[0, :, 1:]
