"""Whether a bright fringe runs along the product, as around a cut-out."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.backdrop_left import plugged_share, shows_drop_shadow
from function.judging.check import Check, CheckSpec, at_most, unmeasured
from function.judging.inspection import Inspection
from function.judging.limit import most
from function.judging.pasted_card import MAX_RECTANGULAR, MAX_SURROUNDED, rectangular_share, surrounded_share
from function.judging.product_view import ProductView

# The rim is read along its normals this far in and out, as a share of the product's height, at least in pixels.
REACH_SHARE, MIN_REACH_PX = 0.03, 7.0
# An outline is read where the product goes at least this share of that far in.
MIN_DEPTH = 0.6
# Brightness above both sides, and above what scene and photograph show there, that makes a fringe; 8-bit levels.
FRINGE_LEVELS = 22.0
# The top of a product is left out: seen from above, a lid or a lip is bright there and not on the photograph.
TOP_SHARE = 0.15
# Share of the rim with a fringe that a picture may show. Good ones reach a tenth (glass); cut-outs start at 0.38.
MAX_FRINGE = 0.15
# Drop shadows of the photograph that may hang in the picture.
MAX_DROP_SHADOWS = 0
# Fewer points of the rim inside the crop tell nothing.
MIN_POINTS = 24
# Share of the product's openings that may show the photograph's backdrop: drawn ones showed none, plugged ones only it.
MAX_PLUGGED = 0.35
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8


def no_halo(inspection: Inspection) -> Check:
    """No bright fringe around the product, and nothing of its photograph's backdrop or shadow pasted along."""
    plugged = plugged_share(inspection.view) if inspection.view.fitted else None
    if plugged is not None and plugged > MAX_PLUGGED:
        bad = "The photograph's backdrop shows in an opening of the product instead of the scene."
        return at_most(plugged, MAX_PLUGGED, "share of the openings", good="", bad=bad)
    if inspection.view.fitted and shows_drop_shadow(inspection.scene, inspection.view):
        bad = "The drop shadow of the product's photograph hangs in the air behind it."
        return Check(1.0, MAX_DROP_SHADOWS, False, "drop shadows", bad)
    card = _on_a_card(inspection)
    if card is not None:
        return card
    value = fringe_share(inspection.view)
    if value is None:
        return unmeasured("share of the outline", "The product's edge could not be followed.", passed=True)
    return at_most(
        value,
        MAX_FRINGE,
        "share of the outline",
        good="The product's edge blends into the scene.",
        bad="A bright fringe runs along the product's edge, as around a cut-out.",
    )


def _on_a_card(inspection: Inspection) -> Check | None:
    """The failed check where a card was pasted along with the product; else None."""
    bad = "The product stands on a card: what lies around it was pasted into the scene along with it."
    surrounded = surrounded_share(inspection.view)
    if surrounded is not None and surrounded > MAX_SURROUNDED:
        return at_most(surrounded, MAX_SURROUNDED, "share of the directions", good="", bad=bad)
    if inspection.view.found:
        return None
    product = inspection.product
    rectangular = rectangular_share(inspection.scene.answer, product.mask, product.photograph)
    if rectangular > MAX_RECTANGULAR:
        return at_most(rectangular, MAX_RECTANGULAR, "share of a rectangle", good="", bad=bad)
    return None


SPEC = CheckSpec(
    name="no_halo",
    lesson="The product had a bright cut-out fringe, or brought its photograph's background or shadow along. "
    "Feather its edge into the scene; leave no halo; show the scene through its openings.",
    needs_product=True,
    measure=no_halo,
    limits=(
        most("fringe", MAX_FRINGE, "share of the outline"),
        most("plugged openings", MAX_PLUGGED, "share of the openings"),
        most("drop shadows", MAX_DROP_SHADOWS, "drop shadows"),
        most("surrounded", MAX_SURROUNDED, "share of the directions"),
        most("rectangular", MAX_RECTANGULAR, "share of a rectangle"),
    ),
)


def fringe_share(view: ProductView) -> float | None:
    """Share 0..1 of the rim that is brighter than both its sides and than what belongs there; None without a rim."""
    profiles = _rim_profiles(view)
    if profiles is None:
        return None

    def read(picture: np.ndarray) -> np.ndarray:
        return cv2.remap(picture, *profiles, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    shown, scene, expected = (read(_grey(p, 0.7)) for p in (view.answer, view.scene, view.expected))
    known = read(view.known) > 0.5
    edge = max(2, shown.shape[1] // 5)
    inner, outer = (side.mean(axis=1, keepdims=True) for side in (shown[:, :edge], shown[:, -edge:]))
    # What the photograph shows there, at the brightness that the product has here.
    light = 1.0
    if known.any():
        light = (np.median(shown[known]) + DARK_OFFSET) / (np.median(expected[known]) + DARK_OFFSET)
    near = np.ones((5, 5), np.uint8)
    belongs = np.maximum(cv2.dilate(scene, near), cv2.dilate(expected * light * known, near))
    excess = shown - np.maximum(np.maximum(inner, outer), belongs)
    return float((excess[:, edge:-edge].max(axis=1) > FRINGE_LEVELS).mean())


def _rim_profiles(view: ProductView) -> tuple[np.ndarray, np.ndarray] | None:
    """x and y (n, steps) float32 of points along the rim's normals, from inside to outside."""
    solid = (view.cover > 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)[:, 0].astype(np.float32)
    top = contour[:, 1].min() + TOP_SHARE * view.height
    contour = contour[contour[:, 1] > top]
    signed: np.ndarray = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    signed = cv2.GaussianBlur(signed, (0, 0), 2.0)
    slope = np.dstack([cv2.Sobel(signed, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1))])
    normal = -slope[contour[:, 1].astype(int), contour[:, 0].astype(int)]
    length = np.hypot(*normal.T)
    steep = length > 1e-3
    normal, contour = normal[steep] / length[steep, None], contour[steep]
    if not len(contour):
        return None
    reach = max(MIN_REACH_PX, REACH_SHARE * view.height)
    steps = np.arange(-reach, reach + 0.5, 1.0, dtype=np.float32)
    x = contour[:, :1] + normal[:, :1] * steps
    y = contour[:, 1:] + normal[:, 1:] * steps
    height, width = solid.shape
    # A line has no inside: from there its other side would be taken for a fringe.
    deep = cv2.remap(signed, x[:, : len(steps) // 2], y[:, : len(steps) // 2], cv2.INTER_LINEAR).max(axis=1)
    inside = (deep > MIN_DEPTH * reach) & np.all((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1), axis=1)
    return (x[inside], y[inside]) if inside.sum() >= MIN_POINTS else None


def _grey(rgb: np.ndarray, sigma: float) -> np.ndarray:
    """(h, w) float32 luma of (h, w, 3) uint8, smoothed."""
    return cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), sigma).astype(np.float32)
