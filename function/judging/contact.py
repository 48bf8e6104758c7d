"""The shadow where the product stands."""

from __future__ import annotations

import cv2
import numpy as np

from function.fidelity.analysis import Analysis
from function.judging.check import Check, at_least, at_most, unmeasured
from function.judging.view import SMALL_PX, View, even_darkening

# The base is the lowest part of the outline, as a share of the product's height: it is read beside and under it, since
# a shadow falls to one side. Less of it along what was put in, whose outline holds shadow, and less for a dark contact.
BASE_SHARE, OUTER_BASE_SHARE, DARK_BASE_SHARE = 0.2, 0.15, 0.12
# Contact is looked for within this distance of the outline, as a share of the product's height.
REACH_SHARE, LEAST_REACH_PX = 0.06, 6.0
# The outermost pixels of the rim are mixed with the product.
RIM_PX = 2.0
# Of the darkening around the base this quantile counts, of that around the whole product the other one.
AT_BASE, AROUND = 0.85, 0.99
# Stops by which the surface near the product must be darker than in the scene for a shadow to be there.
LEAST_SHADOW = 0.1
# Darkening at the base over the darkest shadow around: a product that stands is darkest where it touches.
# A small product's contact is narrower than what the light is smoothed over: it reads less dark there.
LEAST_ATTACHED, LEAST_ATTACHED_SMALL = 0.4, 0.3
# A dark contact shadow is taken for a part of what was put in, and has no light of its own. It is read from the
# pixels there, this far off the outline (share of the height), where this quantile reaches so many stops.
CLEAR_SHARE, LEAST_CLEAR_PX, AT_DARK_BASE, DARK_CONTACT = 0.02, 3.0, 0.75, 0.2
# Below the base the surface is read down to this share of the product's height. A shadow that is darker there by
# so many stops than right below the base belongs to a product in the air. Reflections stay under a third of it.
DEPTH_SHARE = 0.3
MOST_GAP = 0.35
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 12.0


def contact_shadow(analysis: Analysis, view: View) -> Check:
    """A shadow is there, and it begins where the product stands."""
    measured = shadow(analysis, view)
    if measured is None:
        return unmeasured("stops", "The product's base lies outside the picture.", passed=False)
    strongest, at_base = measured
    if strongest < LEAST_SHADOW:
        return at_least(
            strongest, LEAST_SHADOW, "stops", good="", bad="There is no contact shadow: the product looks pasted on."
        )
    gap = gap_below(view)
    if gap > MOST_GAP:
        return at_most(
            gap, MOST_GAP, "stops", good="", bad="The shadow lies apart below the product: it floats in the air."
        )
    return at_least(
        at_base / strongest,
        LEAST_ATTACHED_SMALL if view.height < SMALL_PX else LEAST_ATTACHED,
        "of the darkest shadow",
        good="The surface darkens where the product stands on it.",
        bad="The shadow does not begin where the product stands: it seems to float.",
    )


def shadow(analysis: Analysis, view: View) -> tuple[float, float] | None:
    """Stops by which the scene is darkened around the product at the most, and right at its base."""
    x, y, width, height = view.box
    size = analysis.change.shape[1], analysis.change.shape[0]
    stops = cv2.resize(analysis.light.mean(axis=2) / -np.log(2), size, interpolation=cv2.INTER_LINEAR)
    stops = stops[y : y + height, x : x + width]
    cover = (view.cover > 0.5).astype(np.uint8)
    # The outline misses the side of a turned box; what was put in holds it, and the darkest shadow with it.
    outer = _largest(np.maximum(cover, (view.put_in > 0.5).astype(np.uint8)))
    rings = _ring(cover, view.height, BASE_SHARE), _ring(outer, view.height, OUTER_BASE_SHARE)
    at_base = [float(np.quantile(stops[ring], AT_BASE)) for ring in rings if ring.sum() >= 20]
    around = cv2.dilate(outer, np.ones((5, 5), np.uint8)) == 0
    if not at_base or not around.any():
        return None
    strongest, contact = float(np.quantile(stops[around], AROUND)), max(at_base)
    dark = _dark_contact(view, cover)
    return max(strongest, dark), max(contact, dark)


def _dark_contact(view: View, cover: np.ndarray) -> float:
    """Stops by which what was put in just off the base only darkens the scene; 0 if hardly."""
    ring = _ring(cover, view.height, DARK_BASE_SHARE, max(LEAST_CLEAR_PX, CLEAR_SHARE * view.height))
    if ring.sum() < 20:
        return 0.0
    darker = even_darkening(view.scene, view.answer) * (view.put_in > 0.5)
    value = float(np.quantile(darker[ring], AT_DARK_BASE))
    return value if value >= DARK_CONTACT else 0.0


def gap_below(view: View) -> float:
    """Stops by which the surface some way below the base is darkened more than right below it."""
    solid = view.cover > 0.5
    columns = np.flatnonzero(solid.any(axis=0))
    if not len(columns):
        return 0.0
    lowest = len(solid) - 1 - solid[::-1, columns].argmax(axis=0)
    base = lowest > lowest.max() - 0.15 * view.height
    columns, lowest = columns[base], lowest[base]
    sixth = len(columns) // 6  # the outer ones slope up, beside the base
    columns, lowest = columns[sixth : len(columns) - sixth], lowest[sixth : len(columns) - sixth]
    darker = _log_grey(view.scene) - _log_grey(view.answer)
    first = int(RIM_PX) + 1
    profile = []
    for depth in range(first, first + int(DEPTH_SHARE * view.height)):
        inside = lowest + depth < len(solid)
        if 2 * inside.sum() < len(columns):
            break
        profile.append(float(np.median(darker[lowest[inside] + depth, columns[inside]])))
    span = max(4, int(0.03 * view.height))
    if len(profile) < 2 * span:
        return 0.0
    smooth = np.convolve(profile, np.full(span, 1 / span), "valid")
    return float(smooth.max() - smooth[0])


def _log_grey(rgb: np.ndarray) -> np.ndarray:
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    return np.log2(grey.astype(np.float32) + DARK_OFFSET)


def _largest(mask: np.ndarray) -> np.ndarray:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return mask if count < 3 else (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)


def _ring(solid: np.ndarray, height: float, base_share: float, from_px: float = RIM_PX) -> np.ndarray:
    """(h, w) bool: just outside `solid`, not above its base."""
    rows = np.flatnonzero(solid.any(axis=1))
    distance = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    ring = (distance > from_px) & (distance <= max(LEAST_REACH_PX, REACH_SHARE * height))
    ring[: max(0, int(rows[-1] - base_share * height)) if len(rows) else 0] = False
    return ring
