"""Where a product stands whose print gives no hold, and one of lines, which a match a few pixels off misses: its
photograph laid over the scene explains the answer there."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, fill_holes, largest_component
from function.matching.reference_image import has_outline
from function.restoration.settle import CLEARLY, Placement, settle
from function.restoration.silhouette import MIN_SIDE_PX, fit_outline

# The photograph laid over the scene stands for the product where it explains so much of what changed there: drawn
# products reached .91 and more, cards of backdrop .72 and less. Openings count from this share of the product on.
MIN_EXPLAINED, MIN_OPENINGS = 0.78, 0.02
# A product of which an erosion by so many pixels leaves less than this share is thin.
THIN_PX, MIN_DEEP = 11, 0.4
# What is shrunk is smoothed first, standard deviation over the step.
SMOOTHING = 0.45

Box = tuple[float, float, float, float]  # x, y, width, height


def place_product(
    photograph: np.ndarray,
    hidden: np.ndarray | None,
    mask: np.ndarray,
    changed: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    answer: np.ndarray,
) -> Placement | None:
    """Where the `photograph` (ph, pw, 4) uint8 stands in the `answer` (h, w, 3); None where it does not explain it.

    hidden as in `ProductAnalysis`; mask (h, w) uint8, what was put in; changed (h', w') bool and light (h', w', 3) at
    half size. It may be laid there with its backdrop in its openings too: where the answer shows that, the product is
    found all the same.
    """
    alpha = photograph[..., 3]
    outline = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    if not has_outline(alpha) or min(outline[2:]) < MIN_SIDE_PX:
        return None
    filled = fill_holes(cv2.inRange(alpha, 128, 255) // 255) * np.uint8(255)
    plugged = cv2.max(alpha, np.where(alpha < 16, filled, 0))
    outlines = (filled, alpha) if _differ(filled, alpha) else (alpha,)
    boxes = _first_boxes(outlines, mask, changed, light, scene, answer)
    x, y, width, height = outline
    firsts = [first_place((x, y, width, height), box) for box in boxes]
    unknown = None if hidden is None else np.ascontiguousarray(hidden[..., 0])
    best: Placement | None = None
    for cover in (alpha, plugged) if _differ(plugged, alpha) else (alpha,):
        placement = settle(np.dstack([photograph[..., :3], cover]), unknown, scene, answer, firsts)
        if placement is not None and (best is None or placement.explained > best.explained):
            best = placement
        if best is not None and best.explained > CLEARLY:
            break
    return best if best is not None and best.explained >= MIN_EXPLAINED else None


def _differ(cover: np.ndarray, alpha: np.ndarray) -> bool:
    """Whether openings or glass are covered in one and not in the other, both (h, w) uint8."""
    differs = cv2.countNonZero(cv2.inRange(cv2.absdiff(cover, alpha), 64, 255))
    return differs > MIN_OPENINGS * cv2.countNonZero(alpha)


def _first_boxes(
    covers: Iterable[np.ndarray],
    mask: np.ndarray,
    changed: np.ndarray,
    light: np.ndarray,
    scene: np.ndarray,
    answer: np.ndarray,
) -> list[Box]:
    """Where the product may stand: its outline, with and without openings, laid over what was put in, and all that
    changed. Lines and pale parts fall out of what was put in, and openings are often filled in it."""
    fits = [fit_outline(cover, mask, light, scene, answer) for cover in covers]
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


def laid_coverage(alpha: np.ndarray, placement: Placement, size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8 of `size`: `alpha` (ph, pw) uint8 at its place, smoothed for being shrunk: lines stay whole."""
    step = 1 / max(1e-3, float(np.sqrt(abs(np.linalg.det(placement.matrix[:, :2])))))
    soft = cv2.GaussianBlur(alpha, (0, 0), SMOOTHING * step) if step > 1.2 else alpha
    return cv2.warpAffine(soft, placement.matrix, size, flags=cv2.INTER_LINEAR)


def first_place(outline: PixelBox, box: Box) -> np.ndarray:
    """(2, 3) float32 that lays `outline` (x, y, width, height) of the photograph on `box` of the answer."""
    across, down = box[2] / outline[2], box[3] / outline[3]
    matrix = np.array([[across, 0, box[0] - outline[0] * across], [0, down, box[1] - outline[1] * down]], np.float32)
    matrix[:, 2] += 0.5 * matrix[:, :2].sum(axis=1) - 0.5
    return matrix
