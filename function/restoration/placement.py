"""Locates a product that keypoints cannot: where its photograph, composited over the scene, explains the change.

It serves products without print, and thin ones, for which a match a few pixels off misses the product's lines. The
photograph's silhouette, with and without its openings, gives start places (`silhouette.py`), and so does the box of the
change; the best is refined by photometric alignment (`placement_refinement.py`). A place counts by the share of the
change that it explains.

In: photograph (ph, pw, 4), masks and images (h, w). Out: a `Placement`. Drawn products explained .91 and more, cards of
backdrop .72 and less. `python -m tests.bench.photographs`.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, fill_holes, largest_component
from function.matching.reference_image import has_outline
from function.restoration.placement_refinement import SURE_EXPLAINED, Placement, refine_placement
from function.restoration.silhouette import MIN_SIDE_PX, fit_silhouette

# Least explained share of the change: drawn products reached .91 and more, cards of backdrop .72 and less. Openings
# count from this share of the product on.
MIN_EXPLAINED, MIN_OPENINGS = 0.78, 0.02
# A place that covers less than this share of what was inserted around it may be one on a part of the product, and has
# to explain that as well as drawn products do: a bag that was turned by 90 degrees was found in its lower half (.784).
MIN_COVERED, MIN_PART_EXPLAINED = 0.5, 0.9
# A product of which an erosion by this diameter (px) leaves less than this share is thin.
THIN_PX, MIN_DEEP = 11, 0.4
# Standard deviation of the anti-alias blur over the downscaling step.
SMOOTHING = 0.45

Box = tuple[float, float, float, float]  # x, y, width, height


def locate_product(
    photograph: np.ndarray,
    hidden: np.ndarray | None,
    mask: np.ndarray,
    changed: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    generated: np.ndarray,
) -> Placement | None:
    """Where the `photograph` (ph, pw, 4) uint8 stands in the `generated` (h, w, 3); None where it does not explain it.

    hidden as in `ProductAnalysis`; mask (h, w) uint8, what was inserted; changed (h', w') bool and light (h', w', 3) at
    half size. It may be composited there with its backdrop in its openings too: where the generated image shows that,
    the product is found all the same.
    """
    alpha = photograph[..., 3]
    outline = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    if not has_outline(alpha) or min(outline[2:]) < MIN_SIDE_PX:
        return None
    filled = fill_holes(cv2.inRange(alpha, 128, 255) // 255) * np.uint8(255)
    filled_alpha = cv2.max(alpha, np.where(alpha < 16, filled, 0))
    outlines = (filled, alpha) if _differ(filled, alpha) else (alpha,)
    boxes = _start_boxes(outlines, mask, changed, light, scene, generated)
    x, y, width, height = outline
    starts = [box_to_affine((x, y, width, height), box) for box in boxes]
    unknown = None if hidden is None else np.ascontiguousarray(hidden[..., 0])
    best: Placement | None = None
    for cover in (alpha, filled_alpha) if _differ(filled_alpha, alpha) else (alpha,):
        placement = refine_placement(np.dstack([photograph[..., :3], cover]), unknown, scene, generated, starts)
        if placement is not None and (best is None or placement.explained > best.explained):
            best = placement
        if best is not None and best.explained > SURE_EXPLAINED:
            break
    if best is None:
        return None
    covers_all = covered_share(warp_coverage(filled_alpha, best, (mask.shape[1], mask.shape[0])), mask) >= MIN_COVERED
    return best if best.explained >= (MIN_EXPLAINED if covers_all else MIN_PART_EXPLAINED) else None


def covered_share(coverage: np.ndarray, mask: np.ndarray) -> float:
    """Share 0..1 that `coverage` (h, w) uint8 takes of the components of `mask` (h, w) uint8, what was inserted, that
    it lies on."""
    inserted, inside = mask > 127, coverage > 127
    _, labels = cv2.connectedComponents(inserted.astype(np.uint8), connectivity=8)
    touched = np.unique(labels[inside & inserted])
    whole = int(np.isin(labels, touched).sum()) if touched.size else 0
    return float((inside & inserted).sum() / whole) if whole else 1.0


def _differ(cover: np.ndarray, alpha: np.ndarray) -> bool:
    """Whether openings or glass are covered in one and not in the other, both (h, w) uint8."""
    differs = cv2.countNonZero(cv2.inRange(cv2.absdiff(cover, alpha), 64, 255))
    return differs > MIN_OPENINGS * cv2.countNonZero(alpha)


def _start_boxes(
    covers: Iterable[np.ndarray],
    mask: np.ndarray,
    changed: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    generated: np.ndarray,
) -> list[Box]:
    """Where the product may stand: its outline, with and without openings, composited over what was inserted, and all
    that changed. Lines and pale parts fall out of what was inserted, and openings are often filled in it."""
    fits = [fit_silhouette(cover, mask, light, scene, generated) for cover in covers]
    boxes = [fit.box for fit in fits if fit is not None]
    piece = largest_component(changed, MIN_SIDE_PX)
    if piece is not None:
        x, y, width, height = piece[1]
        boxes.append((2.0 * x, 2.0 * y, 2.0 * width, 2.0 * height))
    return boxes


def is_thin(cover: np.ndarray) -> bool:
    """Whether most of the product, `cover` (h, w) uint8, lies so near to its outline that a match which is a few pixels
    off shows scene there."""
    covered = cv2.inRange(cover, 128, 255)
    deep = cv2.erode(covered, np.ones((THIN_PX, THIN_PX), np.uint8))
    return bool(cv2.countNonZero(deep) < MIN_DEEP * cv2.countNonZero(covered))


def warp_coverage(alpha: np.ndarray, placement: Placement, size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8 of `size`: `alpha` (ph, pw) uint8 at its place, smoothed for being shrunk: lines stay whole."""
    step = 1 / max(1e-3, float(np.sqrt(abs(np.linalg.det(placement.matrix[:, :2])))))
    soft = cv2.GaussianBlur(alpha, (0, 0), SMOOTHING * step) if step > 1.2 else alpha
    return cv2.warpAffine(soft, placement.matrix, size, flags=cv2.INTER_LINEAR)


def box_to_affine(outline: PixelBox, box: Box) -> np.ndarray:
    """(2, 3) float32 that lays `outline` (x, y, width, height) of the photograph on `box` of the generated image."""
    across, down = box[2] / outline[2], box[3] / outline[3]
    matrix = np.array([[across, 0, box[0] - outline[0] * across], [0, down, box[1] - outline[1] * down]], np.float32)
    matrix[:, 2] += 0.5 * matrix[:, :2].sum(axis=1) - 0.5
    return matrix
