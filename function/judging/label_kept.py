"""Whether the product looks as its photograph does: its colours and its print."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import blur, largest_component
from function.imaging.photometry import (
    LocalMoments,
    linear_to_srgb,
    local_correlation,
    log_ratio,
    masked_mean,
    srgb_to_linear,
)
from function.judging.check import Check, at_least, at_most, unmeasured
from function.judging.product_view import SMALL_PX, View
from function.matching.photograph import photograph_alpha
from function.restoration.analysis import Analysis
from function.restoration.silhouette import LEAST_SIDE_PX

# A scene's light lies between candle light and open shade: red against blue may change by this much, green against
# both by that much (natural logarithm, linear light). Light is hardly ever green or purple; a wrong colour is.
MOST_WARMTH, MOST_TINT = 0.4, 0.15
# Colours are compared over this share of the product's height, and coarser where it was only fitted.
COLOUR_SIGMA, FITTED_COLOUR_SIGMA = 0.012, 0.04
# Difference in Lab a and b that this share of the product has to keep: lid, side and reflections take the rest.
COLOUR_QUANTILE = 0.85
MOST_COLOUR = 10.5
# A place may be this much less or more colourful than expected, by gloss and by bounced light, before it counts.
GLOSS, BOUNCE = 0.5, 1.6
# Keeps ratios of dark colours finite, linear light 0..1.
DARK_OFFSET = 0.01
# Colourfulness (mean chroma) against the photograph's under that light.
LEAST_CHROMA = 0.7
# Chroma that even a grey thing shows by noise and bounced light; keeps the quotient of two greys near 1.
GREY_CHROMA = 2.0
# Agreement (correlation) over all of the print: letters that are none still lie where letters lay.
LEAST_AGREEMENT = 0.55
# Share of the print, weighed by its contrast, that may show something else: part of a label was replaced.
MOST_REPLACED = 0.18
# Print is compared at this width, in neighbourhoods of that width (shares of the product's height), off the rim,
# where it is stronger than so many levels; below such a correlation something else stands there.
PRINT_SIGMA, WORD_SIGMA, RIM_SHARE, FAINT_PRINT, SAME_PRINT = 0.01, 0.04, 0.05, 3.0, 0.45
# Added to the product of the two powers (8-bit levels to the fourth): it keeps blank places from counting as unlike.
BLANK_POWER = 4.0
# Agreement of brightness patterns that stands for the print where only the outline could be fitted.
LEAST_PATTERN = 0.6
# A photograph with less contrast inside (8-bit levels) over this share of its area carries no print.
PRINT_LEVELS, PRINT_SHARE = 10.0, 0.04
# Patterns are compared over this share of the product's height, local brightness over five times that.
PATTERN_SIGMA = 0.006


def product_colour(view: View) -> Check:
    """The product's colours are the photograph's, apart from the scene's light."""
    difference = colour_difference(view)
    if difference is None:
        return unmeasured("Lab", "The product is too small for its colours to be compared.", passed=True)
    value, chroma = difference
    if chroma < LEAST_CHROMA:
        return at_least(
            chroma,
            LEAST_CHROMA,
            "of the photograph's chroma",
            good="",
            bad="The product's colours are washed out.",
        )
    return at_most(
        value,
        MOST_COLOUR,
        "Lab",
        good="The product has the colours of its photograph.",
        bad="The product's colours are not those of its photograph.",
    )


def label_kept(analysis: Analysis, view: View) -> Check:
    """The print is that of the photograph, each part at its place."""
    match = analysis.match
    if match is None:
        return _unfound_label(analysis, view)
    replaced = replaced_share(view)
    if replaced > MOST_REPLACED:
        return at_most(
            replaced,
            MOST_REPLACED,
            "share of the print",
            good="",
            bad="Parts of the label are not what the photograph shows: text or marks differ.",
        )
    return at_least(
        float(match.correlation),
        LEAST_AGREEMENT,
        "correlation",
        good="The label shows what the photograph shows.",
        bad="The label is not what the photograph shows: its text or marks are garbled.",
    )


def _unfound_label(analysis: Analysis, view: View) -> Check:
    if not has_print(analysis.product):
        return unmeasured("correlation", "The product carries no print to compare.", passed=True)
    blob = largest_component(analysis.product_mask > 127, LEAST_SIDE_PX)
    if max(view.height, blob[1][3] if blob else 0) < SMALL_PX:
        return unmeasured("correlation", "The product is too small in this scene to compare its label.", passed=True)
    return at_least(
        pattern_agreement(view),
        LEAST_PATTERN,
        "correlation",
        good="The product's pattern is that of its photograph.",
        bad="The label of the photograph was not found on the product.",
    )


def replaced_share(view: View) -> float:
    """Share 0..1 of the photograph's print, weighed by contrast, where the answer shows something else."""
    known = np.minimum(view.seen, view.cover)
    sigma = max(1.0, PRINT_SIGMA * view.height)
    expected, shown = (
        _pattern(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32), known, sigma)
        for p in (view.expected, view.answer)
    )
    near = lambda p: blur(p, max(2.0, WORD_SIGMA * view.height))  # noqa: E731
    moments = LocalMoments.of_centred(expected, near)
    agreement = local_correlation(moments, LocalMoments.of_centred(shown, near), added=BLANK_POWER)
    rim = 2 * int(RIM_SHARE * view.height) + 1
    inner = cv2.erode((known > 0.9).astype(np.uint8), np.ones((rim, rim), np.uint8)) > 0
    contrast = np.sqrt(moments.variance) * inner
    contrast[contrast < FAINT_PRINT] = 0
    total = float(contrast.sum())
    return float(contrast[agreement < SAME_PRINT].sum()) / total if total > 0 else 0.0


def resembles(analysis: Analysis, view: View) -> bool:
    """Whether what was put in is the product by its print, its pattern or at least its colours."""
    if analysis.match is not None or pattern_agreement(view) >= LEAST_PATTERN:
        return True
    difference = colour_difference(view)
    return difference is None or difference[0] <= 2 * MOST_COLOUR


def colour_difference(view: View) -> tuple[float, float] | None:
    """Difference in Lab a and b once the scene's light is divided out, and mean chroma over what is expected."""
    sigma = max(0.8, (COLOUR_SIGMA if view.found else FITTED_COLOUR_SIGMA) * view.height)
    weight = cv2.erode(np.minimum(view.seen, view.cover), np.ones((5, 5), np.uint8))
    solid = weight > 0.9
    if solid.sum() < 60:
        return None
    mean = masked_mean(weight, lambda image: blur(image, sigma), least=1e-6)
    expected, shown = (mean(srgb_to_linear(p))[solid] for p in (view.expected, view.answer))
    luma = np.float32([0.2126, 0.7152, 0.0722])  # ITU-R BT.709
    gain = np.median(log_ratio(expected, shown, DARK_OFFSET, np.log), axis=0)
    warmth = np.clip((gain[0] - gain[2]) / 2, -MOST_WARMTH, MOST_WARMTH)
    tint = np.clip((gain[0] + gain[2]) / 2 - gain[1], -MOST_TINT, MOST_TINT)
    lit = expected * np.exp(np.float32([tint + warmth, 0, tint - warmth]))
    # Shading is the scene's own: every place gets the brightness that it shows.
    lit *= np.clip((shown @ luma + 0.005) / (lit @ luma + 0.005), 0.1, 6)[:, None]
    ab = [cv2.cvtColor(linear_to_srgb(p)[None], cv2.COLOR_RGB2LAB)[0, :, 1:] for p in (lit, shown)]
    chroma = [float(np.hypot(*p.T).mean()) + GREY_CHROMA for p in ab]
    colourful = np.clip((ab[0] * ab[1]).sum(axis=1) / ((ab[0] ** 2).sum(axis=1) + 1e-6), GLOSS, BOUNCE)
    difference = np.hypot(*(ab[1] - colourful[:, None] * ab[0]).T)
    return float(np.quantile(difference, COLOUR_QUANTILE)), chroma[1] / chroma[0]


def pattern_agreement(view: View) -> float:
    """Correlation -1..1 of the brightness patterns of answer and photograph."""
    known = np.minimum(view.seen, view.cover)
    sigma = max(0.8, PATTERN_SIGMA * view.height)
    expected, shown = (
        _pattern(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32), known, sigma)
        for p in (view.expected, view.answer)
    )
    power = float((expected * expected).sum()) * float((shown * shown).sum())
    return float((expected * shown).sum() / np.sqrt(power)) if power > 1e-6 else 0.0


def _pattern(grey: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    centred = grey - masked_mean(weight, lambda image: blur(image, 5 * sigma), added=1e-3)(grey)
    return cv2.GaussianBlur(centred * weight, (0, 0), sigma)


def has_print(product: np.ndarray) -> bool:
    """Whether the photograph (h, w, 4) uint8 RGBA shows marks inside its outline."""
    scale = min(1.0, 320 / max(product.shape[:2]))
    small = cv2.resize(product, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    alpha = photograph_alpha(small)
    grey = cv2.cvtColor(small, cv2.COLOR_RGBA2GRAY).astype(np.float32)
    inside = cv2.erode((alpha > 200).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    if not inside.any():
        return False
    weight = (alpha > 200).astype(np.float32)
    centred = _pattern(grey, weight, 1.0)
    contrast = np.sqrt(cv2.GaussianBlur(centred * centred, (0, 0), 3))
    return float((contrast[inside] > PRINT_LEVELS).mean()) > PRINT_SHARE
