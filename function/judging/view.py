"""The product in the answer beside what its photograph leads one to expect there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.fidelity.analysis import Analysis
from function.fidelity.change import largest
from function.fidelity.photograph import photograph_alpha

# Below this height (analysis pixels) letters are blots and a contact shadow is a few pixels: products of 145 px and
# less were often not found by their print in good pictures, those of 160 px always.
SMALL_PX = 155
# Room kept around the product, as a share of its longer side: for rims, bases and shadows.
MARGIN = 0.15
# The silhouette is fitted at this size (longest side, pixels) when the photograph was not found by its print.
FIT_PX = 96
# Sizes tried then, as shares of what was put in: a dark shadow may have been taken for product.
FIT_SIZES = np.linspace(0.6, 1.04, 12)
# What only darkens the scene by so many stops, evenly in all colours (greatest difference between them, stops), may be
# shadow: it speaks this much against the outline instead of for it, unless most of what was put in is like that.
SHADOW_STOPS, EVEN_STOPS, SHADOW_WEIGHT, MOST_SHADOW = 0.1, 0.25, -0.3, 0.6
# A white product before a light scene reads as light: what is brighter than the scene by so many stops counts too.
BRIGHTER_STOPS = 0.1
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8.0
LOGS = np.log2(np.arange(256, dtype=np.float32) + DARK_OFFSET)


@dataclass(frozen=True)
class View:
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

    box: tuple[int, int, int, int]
    answer: np.ndarray
    scene: np.ndarray
    cover: np.ndarray
    put_in: np.ndarray
    expected: np.ndarray
    known: np.ndarray
    seen: np.ndarray
    found: bool
    height: float


def view_product(analysis: Analysis) -> View | None:
    """None when nothing was put in."""
    photograph, alpha = analysis.product[..., :3], photograph_alpha(analysis.product)
    if analysis.match is not None:
        cover = analysis.match.coverage
        placed = cv2.boundingRect((cover > 127).astype(np.uint8))
        if min(placed[2:]) < 4:
            return None
        box = _grown(placed, cover.shape)
        mapping = np.full((box[3], box[2], 2), -1, np.float32)
        x, y, width, height = analysis.match.box
        mapping[y - box[1] : y - box[1] + height, x - box[0] : x - box[0] + width] = analysis.match.mapping
    else:
        fitted = _fit_outline(analysis, alpha)
        if fitted is None:
            return None
        placed = tuple(round(v) for v in fitted)
        box = _grown(placed, analysis.product_mask.shape)
        mapping = _box_mapping(fitted, box, alpha)
        cover = None
    size = np.float32([alpha.shape[1], alpha.shape[0]])
    at = mapping * size - 0.5
    step = max(1.0, float(np.sqrt(np.count_nonzero(alpha > 127) / max(1, placed[2] * placed[3]))))
    soft = cv2.GaussianBlur(photograph, (0, 0), 0.45 * step) if step > 1.2 else photograph
    expected = cv2.remap(soft, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    known = cv2.remap(alpha, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    known = known.astype(np.float32) / 255
    inner = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    if cover is not None:
        known = np.minimum(known, cover[inner].astype(np.float32) / 255)
    return View(
        box,
        analysis.answer[inner],
        analysis.scene[inner],
        known if cover is None else cover[inner].astype(np.float32) / 255,
        analysis.product_mask[inner].astype(np.float32) / 255,
        expected,
        known,
        known * _regular(at, known),
        analysis.match is not None,
        float(placed[3]),
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


def _grown(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    pad = round(MARGIN * max(box[2:])) + 8
    left, top = max(0, box[0] - pad), max(0, box[1] - pad)
    right, bottom = min(shape[1], box[0] + box[2] + pad), min(shape[0], box[1] + box[3] + pad)
    return left, top, right - left, bottom - top


def main_blob(mask: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int]] | None:
    """The largest piece of `mask` (h, w) uint8, as bool, and its box; None when there is none."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 127).astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    box = tuple(int(v) for v in stats[best, :4])
    return (labels == best, box) if min(box[2:]) >= 4 else None


def _fit_outline(analysis: Analysis, alpha: np.ndarray) -> tuple[float, float, float, float] | None:
    """Box (x, y, width, height) in which the photograph's outline covers the largest piece put in best."""
    height, width = analysis.product_mask.shape
    brighter = light_stops(analysis, (0, 0, width, height))
    put_in = np.maximum(analysis.product_mask, (brighter > BRIGHTER_STOPS).astype(np.uint8) * 255)
    blob = main_blob(cv2.morphologyEx(put_in, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)))
    outline = cv2.boundingRect((alpha > 127).astype(np.uint8))
    if blob is None or min(outline[2:]) < 4:
        return None
    piece, (x, y, width, height) = blob
    shape = alpha[outline[1] : outline[1] + outline[3], outline[0] : outline[0] + outline[2]]
    scale = min(1.0, FIT_PX / max(width, height))
    inner = np.s_[y : y + height, x : x + width]
    target = cv2.resize(
        _speaks_for(piece[inner], analysis.scene[inner], analysis.answer[inner]),
        (max(4, round(width * scale)), max(4, round(height * scale))),
        interpolation=cv2.INTER_AREA,
    )
    pad = round(0.1 * max(target.shape)) + 1
    field = cv2.copyMakeBorder(target, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=-1)
    aspect = outline[2] / outline[3]
    best: tuple[float, tuple[float, float, float, float]] | None = None
    for size in FIT_SIZES:
        for squeeze in (0.9, 1.0, 1.1):
            for tall in (size * target.shape[0], size * target.shape[1] / aspect):
                wide = round(tall * aspect * squeeze)
                rows = round(tall)
                if min(wide, rows) < 4 or rows > field.shape[0] or wide > field.shape[1]:
                    continue
                form = cv2.resize(shape, (wide, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
                score = cv2.matchTemplate(field, form, cv2.TM_CCORR)
                _, most, _, (left, top) = cv2.minMaxLoc(score)
                if best is None or most > best[0]:
                    place = (left - pad) / scale + x, (top - pad) / scale + y, wide / scale, rows / scale
                    best = most, place
    return None if best is None else best[1]


def _speaks_for(piece: np.ndarray, scene: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """(h, w) float32: 1 in the `piece`, -1 outside of it, so that the best place covers it and nothing else;
    where the piece may be shadow, `SHADOW_WEIGHT`."""
    shadow = piece & (even_darkening(scene, answer) > SHADOW_STOPS)
    weight = piece.astype(np.float32) * 2 - 1
    if shadow.sum() < MOST_SHADOW * piece.sum():
        weight[shadow] = SHADOW_WEIGHT
    return weight


def even_darkening(scene: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """(h, w) float32: stops by which `answer` is darker than `scene`, as under a shadow; 0 where colours change."""
    logs = [cv2.LUT(cv2.GaussianBlur(p, (0, 0), 1.5), LOGS) for p in (scene, answer)]
    darker = cv2.subtract(*logs)
    most, least = largest(darker), -largest(-darker)
    return np.where(most - least < EVEN_STOPS, np.maximum(least, 0), 0)


def light_stops(analysis: Analysis, box: tuple[int, int, int, int]) -> np.ndarray:
    """(h, w) float32: stops by which the model's light brightens the scene in `box` (x, y, w, h)."""
    x, y, width, height = box
    left, top = x // 2, y // 2
    part = analysis.light[top : (y + height) // 2 + 1, left : (x + width) // 2 + 1]
    mean = cv2.transform(part, np.full((1, 3), 1 / (3 * np.log(2)), np.float32))
    size = 2 * part.shape[1], 2 * part.shape[0]
    return cv2.resize(mean, size, interpolation=cv2.INTER_LINEAR)[y - 2 * top :, x - 2 * left :][:height, :width]


def _box_mapping(
    fitted: tuple[float, float, float, float], box: tuple[int, int, int, int], alpha: np.ndarray
) -> np.ndarray:
    """(h, w, 2) float32: relative place in the photograph of each pixel of `box`."""
    outline = cv2.boundingRect((alpha > 127).astype(np.uint8))
    across = (np.arange(box[2]) + box[0] + 0.5 - fitted[0]) / fitted[2] * outline[2] + outline[0]
    down = (np.arange(box[3]) + box[1] + 0.5 - fitted[1]) / fitted[3] * outline[3] + outline[1]
    u, v = np.meshgrid(across / alpha.shape[1], down / alpha.shape[0])
    return np.dstack([u, v]).astype(np.float32)
