"""The shadow where the product stands."""

from __future__ import annotations

import cv2
import numpy as np

from function.fidelity.analysis import Analysis
from function.judging.check import Check, at_least, unmeasured
from function.judging.view import View

# The base is the lowest part of the outline, as a share of the product's height.
BASE_SHARE = 0.2
# Contact is looked for within this distance of the outline, as a share of the product's height.
REACH_SHARE, LEAST_REACH_PX = 0.06, 6.0
# The outermost pixels of the rim are mixed with the product.
RIM_PX = 2.0
# A shadow falls to one side: this quantile of the darkening around the base counts.
DARKEST = 0.85
# Stops by which the surface at the base must be darker than in the scene.
LEAST_DARKENING = 0.07


def contact_shadow(analysis: Analysis, view: View) -> Check:
    """A shadow is there, and it begins where the product stands."""
    unit = "stops"
    darkening = contact_darkening(analysis, view)
    if darkening is None:
        return unmeasured(unit, "The product's base lies outside the picture.", passed=False)
    return at_least(
        darkening,
        LEAST_DARKENING,
        unit,
        good="The surface darkens where the product stands on it.",
        bad="There is no contact shadow: the product seems to float or to be pasted on.",
    )


def shadow_stops(analysis: Analysis, view: View) -> np.ndarray:
    """(h, w) float32 on the view: stops by which the answer's light is below the scene's, smooth."""
    x, y, width, height = view.box
    size = analysis.change.shape[1], analysis.change.shape[0]
    stops = cv2.resize(analysis.light.mean(axis=2) / -np.log(2), size, interpolation=cv2.INTER_LINEAR)
    return stops[y : y + height, x : x + width]


def contact_darkening(analysis: Analysis, view: View) -> float | None:
    """Stops by which the surface around the product's base is darker than in the scene."""
    solid = (view.cover > 0.5).astype(np.uint8)
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows):
        return None
    distance = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    ring = (distance > RIM_PX) & (distance <= max(LEAST_REACH_PX, REACH_SHARE * view.height))
    ring[: max(0, int(rows[-1] - BASE_SHARE * view.height))] = False
    if ring.sum() < 20:
        return None
    return float(np.quantile(shadow_stops(analysis, view)[ring], DARKEST))
