"""The product's rim: a bright fringe along it, pieces of the product that are missing."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import max_channel
from function.judging.check import Check, at_most, unmeasured
from function.judging.product_view import View

# The rim is read along its normals this far in and out, as a share of the product's height, at least in pixels.
REACH_SHARE, LEAST_REACH_PX = 0.03, 7.0
# Brightness above both sides, and above what scene and photograph show there, that makes a fringe; 8-bit levels.
FRINGE_LEVELS = 22.0
# The top of a product is left out: seen from above, a lid or a lip is bright there and not on the photograph.
TOP_SHARE = 0.15
# Share of the rim with a fringe that a picture may show. Good ones reach a tenth (glass); cut-outs start at 0.38.
MOST_FRINGE = 0.15
# Missing: the answer is this near to the scene, and this much farther from the photograph; 8-bit levels.
SCENE_LEVELS, FARTHER = 14.0, 12.0
# Width of the missing piece over the product's size (root of its area): lids and turned boxes show thin strips of
# scene where their photograph has product.
MOST_MISSING = 0.1
# Share of a fitted outline where nothing was put in. Good plain products reach .01, one lost in the dark .13.
MOST_HIDDEN = 0.08
# Share of the product's longer side that may lie on the picture's border.
MOST_ON_BORDER = 0.05


def no_halo(view: View) -> Check:
    """No bright fringe around the product."""
    value = fringe_share(view)
    if value is None:
        return unmeasured("share of the outline", "The product's edge could not be followed.", passed=True)
    return at_most(
        value,
        MOST_FRINGE,
        "share of the outline",
        good="The product's edge blends into the scene.",
        bad="A bright fringe runs along the product's edge, as around a cut-out.",
    )


def product_whole(view: View, frame_shape: tuple[int, int]) -> Check:
    """Nothing of the product is cut away, neither by the picture's border nor by its own edge."""
    unit = "share of the product's size"
    border = border_share(view, frame_shape)
    if border > MOST_ON_BORDER:
        return at_most(border, MOST_ON_BORDER, unit, good="", bad="The picture's border cuts the product off.")
    if not view.found:
        # Nothing to compare it with but its outline. A dark product before a dark wall may be lost in it.
        return at_most(
            hidden_share(view),
            MOST_HIDDEN,
            "share of the product",
            good="The product's whole outline was put in.",
            bad="Parts of the product cannot be told from the scene: it may be shown with holes.",
        )
    return at_most(
        missing_width(view),
        MOST_MISSING,
        unit,
        good="The product is shown whole.",
        bad="A piece of the product is missing: the scene shows where the product should be.",
    )


def hidden_share(view: View) -> float:
    """Share 0..1 of the product's fitted outline that does not differ from the scene."""
    outline = view.known > 0.9
    return float((view.put_in[outline] < 0.5).mean()) if outline.any() else 0.0


def fringe_share(view: View) -> float | None:
    """Share 0..1 of the rim that is brighter than both its sides and than what belongs there."""
    profiles = _rim_profiles(view)
    if profiles is None:
        return None
    read = lambda p: cv2.remap(p, *profiles, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # noqa: E731
    shown, scene, expected = (read(_grey(p, 0.7)) for p in (view.answer, view.scene, view.expected))
    known = read(view.known) > 0.5
    edge = max(2, shown.shape[1] // 5)
    inner, outer = (side.mean(axis=1, keepdims=True) for side in (shown[:, :edge], shown[:, -edge:]))
    # What the photograph shows there, at the brightness that the product has here.
    light = (np.median(shown[known]) + 8) / (np.median(expected[known]) + 8) if known.any() else 1.0
    near = np.ones((5, 5), np.uint8)
    belongs = np.maximum(cv2.dilate(scene, near), cv2.dilate(expected * light * known, near))
    excess = shown - np.maximum(np.maximum(inner, outer), belongs)
    return float((excess[:, edge:-edge].max(axis=1) > FRINGE_LEVELS).mean())


def _rim_profiles(view: View) -> tuple[np.ndarray, np.ndarray] | None:
    """x and y (n, steps) float32 of points along the rim's normals, from inside to outside."""
    solid = (view.cover > 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)[:, 0].astype(np.float32)
    top = contour[:, 1].min() + TOP_SHARE * view.height
    contour = contour[contour[:, 1] > top]
    signed = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    signed = cv2.GaussianBlur(signed, (0, 0), 2.0)
    slope = np.dstack([cv2.Sobel(signed, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1))])
    normal = -slope[contour[:, 1].astype(int), contour[:, 0].astype(int)]
    length = np.hypot(*normal.T)
    steep = length > 1e-3
    normal, contour = normal[steep] / length[steep, None], contour[steep]
    reach = max(LEAST_REACH_PX, REACH_SHARE * view.height)
    steps = np.arange(-reach, reach + 0.5, 1.0, dtype=np.float32)
    x = contour[:, :1] + normal[:, :1] * steps
    y = contour[:, 1:] + normal[:, 1:] * steps
    height, width = solid.shape
    inside = np.all((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1), axis=1)
    return (x[inside], y[inside]) if inside.sum() >= 24 else None


def _grey(rgb: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), sigma).astype(np.float32)


def border_share(view: View, frame_shape: tuple[int, int]) -> float:
    """Share of the product's longer side that lies on the border of a picture of `frame_shape` (h, w)."""
    x, y, width, height = view.box
    solid = view.cover > 0.5
    sides = (
        (solid[:, 0], x == 0),
        (solid[0], y == 0),
        (solid[:, -1], x + width == frame_shape[1]),
        (solid[-1], y + height == frame_shape[0]),
    )
    longest = max(cv2.boundingRect(solid.astype(np.uint8))[2:])
    return max((float(line.sum()) / max(1, longest) for line, on_border in sides if on_border), default=0.0)


def missing_width(view: View) -> float:
    """Width of the thickest piece of the product's place where the scene shows, over the product's size."""
    shown, scene, expected = (cv2.GaussianBlur(p, (0, 0), 1.0) for p in (view.answer, view.scene, view.expected))
    solid = np.minimum(view.known, view.cover) > 0.9
    if not solid.any():
        return 0.0
    light = (np.median(shown[solid], axis=0) + 8) / (np.median(expected[solid], axis=0) + 8)
    lit = np.clip(expected * light + 0.5, 0, 255).astype(np.uint8)
    from_scene, from_product = (max_channel(cv2.absdiff(shown, p)).astype(np.float32) for p in (scene, lit))
    gone = solid & (from_scene < SCENE_LEVELS) & (from_product > 2 * from_scene + FARTHER)
    gone = cv2.morphologyEx(gone.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return float(2 * cv2.distanceTransform(gone, cv2.DIST_L2, 5).max() / np.sqrt(solid.sum()))
