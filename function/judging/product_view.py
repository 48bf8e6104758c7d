"""The product in the answer beside what its photograph leads one to expect there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, remap
from function.matching.photograph import photograph_alpha
from function.restoration.analysis import ProductAnalysis, SceneAnalysis
from function.restoration.silhouette import LEAST_SIDE_PX, fit_outline

# Below this height (analysis pixels) letters are blots and a contact shadow is a few pixels: products of 145 px and
# less were often not found by their print in good pictures, those of 160 px always.
SMALL_PX = 155
# Room kept around the product, as a share of its longer side: for rims, bases and shadows.
MARGIN = 0.15


@dataclass(frozen=True)
class ProductView:
    """Crops of (h, w) around the product, at analysis size; `box` (x, y, width, height) of the crop.

    answer    (h, w, 3) uint8, colours matched to the scene
    scene     (h, w, 3) uint8
    cover     (h, w) float32 0..1, the product's outline
    put_in    (h, w) float32 0..1, all that the model put in and that is no light
    expected  (h, w, 3) uint8, the photograph as it should lie here
    known     (h, w) float32 0..1, where `expected` shows the product
    seen      (h, w) float32 0..1, the part of `known` where the photograph is seen and not only continued
    found     the photograph was found by its print; otherwise it was only fitted to the outline
    height    of the product, pixels
    """

    box: PixelBox
    answer: np.ndarray
    scene: np.ndarray
    cover: np.ndarray
    put_in: np.ndarray
    expected: np.ndarray
    known: np.ndarray
    seen: np.ndarray
    found: bool
    height: float


def view_product(scene: SceneAnalysis, product: ProductAnalysis) -> ProductView | None:
    """None when nothing was put in."""
    photograph, alpha = cv2.cvtColor(product.photograph, cv2.COLOR_RGBA2RGB), photograph_alpha(product.photograph)
    if product.match is not None:
        cover = product.match.coverage
        left, top, wide, tall = cv2.boundingRect((cover > 127).astype(np.uint8))
        if min(wide, tall) < LEAST_SIDE_PX:
            return None
        box = _grown((left, top, wide, tall), cover.shape)
        mapping = np.full((box[3], box[2], 2), -1, np.float32)
        x, y, width, height = product.match.box
        mapping[y - box[1] : y - box[1] + height, x - box[0] : x - box[0] + width] = product.match.mapping
    else:
        fitted = fit_outline(alpha, product.mask, scene.light, scene.image, scene.answer)
        if fitted is None:
            return None
        left, top, wide, tall = (round(v) for v in fitted)
        box = _grown((left, top, wide, tall), product.mask.shape)
        mapping = _box_mapping(fitted, box, alpha)
        cover = None
    size = np.array([alpha.shape[1], alpha.shape[0]], np.float32)
    at = mapping * size - 0.5
    step = max(1.0, float(np.sqrt(np.count_nonzero(alpha > 127) / max(1, wide * tall))))
    soft = cv2.GaussianBlur(photograph, (0, 0), 0.45 * step) if step > 1.2 else photograph
    expected = remap(soft, at)
    known = remap(alpha, at, border=cv2.BORDER_CONSTANT)
    known = known.astype(np.float32) / 255
    inner = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    if cover is not None:
        known = np.minimum(known, cover[inner].astype(np.float32) / 255)
    return ProductView(
        box,
        scene.answer[inner],
        scene.image[inner],
        known if cover is None else cover[inner].astype(np.float32) / 255,
        product.mask[inner].astype(np.float32) / 255,
        expected,
        known,
        known * _regular(at, known),
        product.match is not None,
        float(tall),
    )


def _regular(at: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w) bool: where `at` (h, w, 2) moves on as it does elsewhere; beyond a round body's visible front it is
    only continued and stands still or jumps."""
    across, down = np.gradient(at, axis=1), np.gradient(at, axis=0)
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    inside = known > 0.9
    typical = float(np.median(area[inside])) if inside.any() else 1.0
    steady = np.abs(area) > 0.3 * abs(typical)
    steady &= np.abs(area) < 3.5 * abs(typical)
    return cv2.erode(steady.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def _grown(box: PixelBox, shape: tuple[int, ...]) -> PixelBox:
    """`box` with room around it, as far as a picture of `shape` (h, w) goes."""
    pad = round(MARGIN * max(box[2:])) + 8
    left, top = max(0, box[0] - pad), max(0, box[1] - pad)
    right, bottom = min(shape[1], box[0] + box[2] + pad), min(shape[0], box[1] + box[3] + pad)
    return left, top, right - left, bottom - top


def _box_mapping(fitted: tuple[float, float, float, float], box: PixelBox, alpha: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32: relative place in the photograph of each pixel of `box`."""
    outline = cv2.boundingRect((alpha > 127).astype(np.uint8))
    across = (np.arange(box[2]) + box[0] + 0.5 - fitted[0]) / fitted[2] * outline[2] + outline[0]
    down = (np.arange(box[3]) + box[1] + 0.5 - fitted[1]) / fitted[3] * outline[3] + outline[1]
    u, v = np.meshgrid(across / alpha.shape[1], down / alpha.shape[0])
    return np.dstack([u, v]).astype(np.float32)
