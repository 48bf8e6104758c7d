"""Crops the product out of the generated image, beside what its photograph leads one to expect there.

The product is localised by the best evidence there is, in this order: a verified placement of the photograph; matched
keypoints; its silhouette, laid over the inserted region; and last, with nothing to compare, the largest connected
component of that region. The photograph is then resampled onto the crop, low-passed first where it is larger.

In: the analyses of scene and product, at analysis size (H, W). Out: a `ProductCrop`, all of its arrays (h, w).
Whether keypoints alone would do was measured: products under 155 px of height were often not matched in good images,
those of 160 px always. `python -m tests.bench.judging` shows all limits beside good and spoiled images.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, fill_holes, largest_component, max_channel, remap
from function.judging.crop_mapping import box_mapping, extrapolate_affine, padded_box, regular_jacobian
from function.judging.product_crop import MIN_VISIBLE_LEVELS, ProductCrop, is_reflection_below
from function.matching.match import ProductMatch
from function.matching.reference_image import has_outline, photograph_alpha
from function.restoration.analysis import ProductAnalysis, SceneAnalysis
from function.restoration.placement import SMOOTHING, warp_coverage
from function.restoration.placement_refinement import Placement
from function.restoration.silhouette import MIN_SIDE_PX, fit_silhouette, largest_inserted_component, warp_silhouette

# A silhouette that overlaps what was inserted by less (intersection over union) is that of another view of the product.
# Plain products that stand as on their photograph reached .82 and more; turned, worn and held ones .73 and less.
MIN_SILHOUETTE_IOU = 0.78
# A second place for the silhouette counts from this overlap and this share of the first one's area on: duplicates
# reached .72 and more, what else lay beside products .63 and less.
MIN_DUPLICATE_IOU, MIN_DUPLICATE_AREA = 0.68, 0.15
# Colours of a photograph are read at about this longest side (px), and so many of them kept.
PALETTE_SIDE_PX, PALETTE_COLOURS = 64, 250


def crop_product(scene: SceneAnalysis, product: ProductAnalysis) -> ProductCrop | None:
    """The crop of `product` in the generated image; None when nothing was inserted."""
    alpha = photograph_alpha(product.photograph)
    if product.placement is not None:
        return _crop_at_placement(scene, product, product.placement, alpha)
    if product.match is not None:
        return _crop_at_match(scene, product, product.match, alpha)
    return _crop_at_silhouette(scene, product, alpha) or _crop_at_component(scene, product, alpha)


def _crop_at_placement(
    scene: SceneAnalysis, product: ProductAnalysis, placement: Placement, alpha: np.ndarray
) -> ProductCrop | None:
    """Where the photograph, composited over the scene, explains the generated image."""
    laid = warp_coverage(alpha, placement, product.mask.shape[::-1])
    left, top, wide, tall = cv2.boundingRect(cv2.inRange(laid, 128, 255))
    bounds = left, top, wide, tall
    if min(wide, tall) < MIN_SIDE_PX:
        return None
    box = padded_box(bounds, product.mask.shape)
    back = cv2.invertAffineTransform(placement.matrix)
    y, x = np.mgrid[box[1] : box[1] + box[3], box[0] : box[0] + box[2]].astype(np.float32)
    mapping = (np.dstack([x, y, np.ones_like(x)]) @ back.T.astype(np.float32) + 0.5) / np.array(
        alpha.shape[::-1], np.float32
    )
    crop = _warped_crop(scene, product, alpha, box, bounds, mapping, laid, fitted=True)
    duplicate = product.match is None and _has_duplicate(scene, product, alpha, laid, bounds)
    return replace(crop, has_duplicate=duplicate, aligned=True)


def _crop_at_match(
    scene: SceneAnalysis, product: ProductAnalysis, match: ProductMatch, alpha: np.ndarray
) -> ProductCrop | None:
    """Where keypoints of the photograph were matched."""
    outlined = has_outline(alpha)
    mask = match.coverage if outlined else _changed_region(scene, match)
    left, top, wide, tall = cv2.boundingRect(cv2.inRange(mask, 128, 255))
    bounds = left, top, wide, tall
    if min(wide, tall) < MIN_SIDE_PX:
        return None
    box = padded_box(bounds, mask.shape)
    mapping = np.full((box[3], box[2], 2), -1, np.float32)
    # The crop need not hold all of the match.
    x, y, width, height = match.box
    left, top = max(x, box[0]), max(y, box[1])
    right, bottom = min(x + width, box[0] + box[2]), min(y + height, box[1] + box[3])
    mapping[top - box[1] : bottom - box[1], left - box[0] : right - box[0]] = match.mapping[
        top - y : bottom - y, left - x : right - x
    ]
    return _warped_crop(scene, product, alpha, box, bounds, mapping, mask, fitted=outlined)


def _crop_at_silhouette(scene: SceneAnalysis, product: ProductAnalysis, alpha: np.ndarray) -> ProductCrop | None:
    """Where the photograph's silhouette covers what was inserted; None where it does not, or is not known."""
    if not has_outline(alpha):
        return None
    fit = fit_silhouette(alpha, product.mask, scene.light, scene.image, scene.generated)
    if fit is None:
        return None
    first = warp_silhouette(alpha, fit, (product.mask.shape[1], product.mask.shape[0]))
    duplicate = _has_duplicate(scene, product, alpha, first, fit.box)
    if fit.overlap < MIN_SILHOUETTE_IOU and not duplicate:
        return None
    left, top, wide, tall = (round(side) for side in fit.box)
    box = padded_box((left, top, wide, tall), product.mask.shape)
    mapping = box_mapping(fit.box, box, alpha)
    crop = _warped_crop(scene, product, alpha, box, (left, top, wide, tall), mapping, None, fitted=True)
    return replace(crop, has_duplicate=duplicate)


def _has_duplicate(
    scene: SceneAnalysis,
    product: ProductAnalysis,
    alpha: np.ndarray,
    first: np.ndarray,
    box: tuple[float, float, float, float],
) -> bool:
    """Whether the photograph's silhouette fits a second time, beside the `first` one (h, w) uint8 in its `box`: the
    product is there twice."""
    # The rim of the first one is no second one.
    first = cv2.dilate(first, np.ones((9, 9), np.uint8))
    second = fit_silhouette(alpha, product.mask, scene.light, scene.image, scene.generated, without=first)
    if second is None:
        return False
    if is_reflection_below(second.box, box):
        return False
    share = second.box[2] * second.box[3] / (box[2] * box[3])
    return second.overlap >= MIN_DUPLICATE_IOU and share >= MIN_DUPLICATE_AREA


def _crop_at_component(scene: SceneAnalysis, product: ProductAnalysis, alpha: np.ndarray) -> ProductCrop | None:
    """Where neither is known, of a product that is turned, worn or held: the largest component that was inserted."""
    piece = largest_inserted_component(product.mask, scene.light)
    if piece is None:
        return None
    solid, bounds = piece
    box = padded_box(bounds, product.mask.shape)
    nowhere = np.full((box[3], box[2], 2), -1, np.float32)
    return _warped_crop(scene, product, alpha, box, bounds, nowhere, solid.astype(np.uint8) * 255, fitted=False)


def _warped_crop(
    scene: SceneAnalysis,
    product: ProductAnalysis,
    alpha: np.ndarray,
    box: PixelBox,
    bounds: PixelBox,
    mapping: np.ndarray,
    mask: np.ndarray | None,
    *,
    fitted: bool,
) -> ProductCrop:
    """The crop of `box`, in which the product takes `bounds`. `mapping` (h, w, 2) float32 says in shares where in the
    photograph each of its pixels lies; `mask` (H, W) uint8 is the product's silhouette, None where it is the
    photograph's."""
    photograph = cv2.cvtColor(product.photograph, cv2.COLOR_RGBA2RGB)
    size = np.array([alpha.shape[1], alpha.shape[0]], np.float32)
    at = mapping * size - 0.5
    step = max(1.0, float(np.sqrt(np.count_nonzero(alpha > 127) / max(1, bounds[2] * bounds[3]))))
    soft = cv2.GaussianBlur(photograph, (0, 0), SMOOTHING * step) if step > 1.2 else photograph
    known = remap(alpha, at, border=cv2.BORDER_CONSTANT).astype(np.float32) / 255
    inner = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    covered = known if mask is None else mask[inner].astype(np.float32) / 255
    known = np.minimum(known, covered)
    outer = extrapolate_affine(at, known > 0.9)
    through, thrown = _openings_and_shadow(product, alpha)
    return ProductCrop(
        box=box,
        generated=scene.generated[inner],
        scene=scene.image[inner],
        product_mask=covered,
        inserted_mask=product.mask[inner].astype(np.float32) / 255,
        expected=remap(soft, at),
        reference_map=at,
        reference_mask=known,
        visible_mask=known * regular_jacobian(at, known),
        find_palette=partial(_palette, product.photograph, alpha),
        matched=product.match is not None,
        fitted=fitted,
        height=float(bounds[3]),
        openings=remap(through, outer, border=cv2.BORDER_CONSTANT).astype(np.float32) / 255 * (covered < 0.1),
        backdrop=remap(photograph, outer),
        drop_shadow=remap(thrown, outer, border=cv2.BORDER_CONSTANT).astype(np.float32) / 255,
    )


def _openings_and_shadow(product: ProductAnalysis, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(ph, pw) uint8 each: the openings through which the backdrop is seen, and the alpha of a baked drop shadow."""
    through = (fill_holes((alpha > 127).astype(np.uint8)) > 0) & (alpha < 16)
    if product.hidden is None:
        return through.astype(np.uint8) * 255, np.zeros_like(alpha)
    through &= product.hidden[..., 0] == 0
    return through.astype(np.uint8) * 255, np.ascontiguousarray(product.hidden[..., 1])


def _changed_region(scene: SceneAnalysis, match: ProductMatch) -> np.ndarray:
    """(H, W) uint8, for a photograph without a silhouette: where the match is verified or differs from the scene."""
    differs = max_channel(cv2.blur(cv2.absdiff(scene.generated, scene.image), (5, 5))) > MIN_VISIBLE_LEVELS
    x, y, width, height = match.box
    differs[y : y + height, x : x + width] |= match.weight > 127
    inside: np.ndarray = (differs & (match.coverage > 127)).astype(np.uint8)
    inside = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    inside = fill_holes(cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)))
    piece = largest_component(inside > 0, MIN_SIDE_PX)
    return np.zeros_like(inside) if piece is None else piece[0].astype(np.uint8) * 255


def _palette(photograph: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(n, 3) uint8 RGB: colours of the product in its photograph, evenly over its area."""
    step = max(1, max(alpha.shape) // PALETTE_SIDE_PX)
    size = max(1, alpha.shape[1] // step), max(1, alpha.shape[0] // step)
    colours, covered = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (photograph[..., :3], alpha))
    solid = colours[covered > min(200, int(covered.max()) - 1)]
    return solid[:: max(1, len(solid) // PALETTE_COLOURS)]
