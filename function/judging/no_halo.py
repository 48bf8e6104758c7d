"""Checks the product's matte: no bright fringe, no card around it, no studio backdrop or drop shadow.

The fringe is read on intensity profiles along the normals of the silhouette: the
normals are the gradient of a smoothed signed distance transform. A profile has a fringe where it is brighter by some
levels than its inner and outer ends and than what scene and photograph show there. What a model pastes with the product
is told by `backdrop_residue.py` and `pasted_card.py`.

In: an `Inspection`. Out: a `Check`, as a share 0..1 of the outline. Good images reach .10 (glass), cut-outs start at
.38: `python -m tests.bench.judging`.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.backdrop_residue import backdrop_in_openings, has_baked_shadow
from function.judging.check import Check, CheckSpec, at_most, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit
from function.judging.pasted_card import MAX_RECTANGULARITY, MAX_SURROUNDED, rectangularity, surrounded_share
from function.judging.product_crop import ProductCrop

# Length of a profile inwards and outwards, as a share of the product's height, and in pixels at least.
REACH_SHARE, MIN_REACH_PX = 0.03, 7.0
# A profile counts where the product is at least this deep, as a share of that length.
MIN_DEPTH = 0.6
# Least excess over both ends and over what scene and photograph show there, 8-bit levels.
FRINGE_LEVELS = 22.0
# The top share of the height is left out: seen from above, a lid or a lip is bright there.
TOP_SHARE = 0.15
# Largest share of the profiles with a fringe. Good images reach .1 (glass), cut-outs start at .38.
MAX_FRINGE = 0.15
# Drop shadows of the photograph that may show.
MAX_DROP_SHADOWS = 0
# Fewer profiles inside the crop are not measured.
MIN_POINTS = 24
# Largest share of the openings that shows the photograph's backdrop. Good images show none, filled openings only it.
MAX_BACKDROP_IN_OPENINGS = 0.35
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8


def no_halo(inspection: Inspection) -> Check:
    """No bright fringe around the product, and no backdrop, card or drop shadow of its photograph."""
    plugged = backdrop_in_openings(inspection.crop) if inspection.crop.fitted else None
    if plugged is not None and plugged > MAX_BACKDROP_IN_OPENINGS:
        bad = "The photograph's backdrop shows in an opening of the product instead of the scene."
        return at_most(plugged, MAX_BACKDROP_IN_OPENINGS, "share of the openings", good="", bad=bad)
    if inspection.crop.fitted and has_baked_shadow(inspection.scene, inspection.crop):
        bad = "The drop shadow of the product's photograph hangs in the air behind it."
        return Check(1.0, MAX_DROP_SHADOWS, False, "drop shadows", bad)
    card = _card_check(inspection)
    if card is not None:
        return card
    value = fringe_share(inspection.crop)
    if value is None:
        return not_measured("share of the outline", "The product's edge could not be followed.", passed=True)
    return at_most(
        value,
        MAX_FRINGE,
        "share of the outline",
        good="The product's edge blends into the scene.",
        bad="A bright fringe runs along the product's edge, as around a cut-out.",
    )


def _card_check(inspection: Inspection) -> Check | None:
    """The failed check where a card was pasted with the product; else None."""
    bad = "The product stands on a card: what lies around it was pasted into the scene along with it."
    surrounded = surrounded_share(inspection.crop)
    if surrounded is not None and surrounded > MAX_SURROUNDED:
        return at_most(surrounded, MAX_SURROUNDED, "share of the directions", good="", bad=bad)
    if inspection.crop.matched:
        return None
    product = inspection.product
    rectangular = rectangularity(inspection.scene.generated, product.mask, product.photograph)
    if rectangular > MAX_RECTANGULARITY:
        return at_most(rectangular, MAX_RECTANGULARITY, "share of a rectangle", good="", bad=bad)
    return None


SPEC = CheckSpec(
    name="no_halo",
    lesson="The product had a bright cut-out fringe, or brought its photograph's background or shadow along. "
    "Feather its edge into the scene; leave no halo; show the scene through its openings.",
    needs_product=True,
    measure=no_halo,
    limits=(
        max_limit("fringe", MAX_FRINGE, "share of the outline"),
        max_limit("plugged openings", MAX_BACKDROP_IN_OPENINGS, "share of the openings"),
        max_limit("drop shadows", MAX_DROP_SHADOWS, "drop shadows"),
        max_limit("surrounded", MAX_SURROUNDED, "share of the directions"),
        max_limit("rectangular", MAX_RECTANGULARITY, "share of a rectangle"),
    ),
)


def fringe_share(crop: ProductCrop) -> float | None:
    """Share 0..1 of the profiles that are brighter than their ends and than what belongs there; None without one."""
    profiles = _rim_profiles(crop)
    if profiles is None:
        return None

    def read(picture: np.ndarray) -> np.ndarray:
        return cv2.remap(picture, *profiles, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    shown, scene, expected = (read(_grey(p, 0.7)) for p in (crop.generated, crop.scene, crop.expected))
    known = read(crop.reference_mask) > 0.5
    edge = max(2, shown.shape[1] // 5)
    inner, outer = (side.mean(axis=1, keepdims=True) for side in (shown[:, :edge], shown[:, -edge:]))
    # Gain of the product in the generated image.
    light = 1.0
    if known.any():
        light = (np.median(shown[known]) + DARK_OFFSET) / (np.median(expected[known]) + DARK_OFFSET)
    near = np.ones((5, 5), np.uint8)
    belongs = np.maximum(cv2.dilate(scene, near), cv2.dilate(expected * light * known, near))
    excess = shown - np.maximum(np.maximum(inner, outer), belongs)
    return float((excess[:, edge:-edge].max(axis=1) > FRINGE_LEVELS).mean())


def _rim_profiles(crop: ProductCrop) -> tuple[np.ndarray, np.ndarray] | None:
    """x and y (n, steps) float32 of the profiles' points, along the normals from inside to outside."""
    solid = (crop.product_mask > 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)[:, 0].astype(np.float32)
    top = contour[:, 1].min() + TOP_SHARE * crop.height
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
    reach = max(MIN_REACH_PX, REACH_SHARE * crop.height)
    steps = np.arange(-reach, reach + 0.5, 1.0, dtype=np.float32)
    x = contour[:, :1] + normal[:, :1] * steps
    y = contour[:, 1:] + normal[:, 1:] * steps
    height, width = solid.shape
    # On a thin line the other side would be taken for a fringe.
    deep = cv2.remap(signed, x[:, : len(steps) // 2], y[:, : len(steps) // 2], cv2.INTER_LINEAR).max(axis=1)
    inside = (deep > MIN_DEPTH * reach) & np.all((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1), axis=1)
    return (x[inside], y[inside]) if inside.sum() >= MIN_POINTS else None


def _grey(rgb: np.ndarray, sigma: float) -> np.ndarray:
    """(h, w) float32 luma of (h, w, 3) uint8, smoothed."""
    return cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), sigma).astype(np.float32)
