"""The layer of the result that the model drew: product and content, at full resolution.

The generated image is resampled once, sharpened as much as makes it as sharp as the scene (`scene_sharpness.py`), and
its silhouette steepened (`edge_warp.py`); the photograph's verified detail is composited on it (`detail_transfer.py`).
Its mask is extended to the ground under the product, for a pale base on a pale floor reads as floor under a shadow, and
is narrowed along silhouettes (`matte_refinement.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox
from function.restoration.analysis import Analysis
from function.restoration.compositing import alpha_composite, apply_shading, enlarge_crop, mask_tiles, upscaled_box
from function.restoration.detail_transfer import transfer_detail
from function.restoration.edge_warp import MAX_GAIN, edge_warp, warp_box
from function.restoration.matte_refinement import outline_part, refined_alpha
from function.restoration.resampled_image import ResampledImage
from function.restoration.scene_sharpness import detailed_blocks, sharpening_strength
from function.restoration.sharpening import is_softened, sharpening_margin

# Below its base the product's mask is carried on by this share of the product's height.
GROUND_EXTENSION = 0.025
# The base is this share of the height.
BASE_SHARE = 0.25
# With strength 1 the outline's slope is raised by this much for each enlargement above one. It starts out softer than
# the enlargement alone makes it: the model's own pixel at an outline is a blend as well.
OUTLINE_GAIN = 2.5


def extend_mask_to_ground(mask: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The product's `mask` (h, w) uint8, carried on below its base as far as there is `change` (h, w) uint8.

    A pale base on a pale floor reads as floor under a shadow, and the photograph shows less of a base than a camera
    that looks down on it: a product whose lower edge is missing does not stand. Of the floor under it a narrow strip
    is the model's.
    """
    _, top, _, height = cv2.boundingRect(cv2.inRange(mask, 128, 255))
    reach = round(GROUND_EXTENSION * height)
    if reach < 1:
        return mask
    below = cv2.dilate(mask, np.ones((reach + 1, 1), np.uint8), anchor=(0, reach))
    below[: top + round((1 - BASE_SHARE) * height)] = 0
    below = cv2.min(cv2.blur(below, (1, reach)), change)
    return cv2.max(mask, below)


def unchanged_blocks(image: np.ndarray, analysis: Analysis) -> list[tuple[PixelBox, np.ndarray]]:
    """Boxes at full resolution in which the generated image shows the scene unchanged, and the scene's own pixels
    there.

    They are copies, for the scene is relit in place.
    """
    scene = analysis.scene
    unchanged = (scene.change == 0) & scene.registration.inside
    boxes = detailed_blocks(scene.image, unchanged, analysis.product.mask, (image.shape[1], image.shape[0]))
    return [((x, y, width, height), image[y : y + height, x : x + width].copy()) for x, y, width, height in boxes]


def sharpened_image(
    analysis: Analysis, mask: np.ndarray, full_size: tuple[int, int], blocks: list[tuple[PixelBox, np.ndarray]]
) -> ResampledImage:
    """The generated image at full resolution, as sharp as the scene is in the `blocks`, the outline of the `mask`
    steeper."""
    scene = analysis.scene
    generated = ResampledImage.of(scene.generated_raw, scene.registration.mapping, scene.colours, full_size)
    box = warp_box(mask)
    if not is_softened(generated.enlargement) or box is None:
        return generated
    strongest = generated.sharpened(1.0)
    strength = sharpening_strength(
        [(own, generated.crop(block), strongest.crop(block)) for block, own in blocks],
        sharpening_margin(generated.enlargement),
    )
    x, y, width, height = box
    crop = np.s_[y : y + height, x : x + width]
    gain = min(MAX_GAIN, 1 + strength * OUTLINE_GAIN * (generated.enlargement - 1))
    return generated.sharpened(strength).displaced(edge_warp(scene.generated[crop], mask[crop], gain), (x, y))


def generated_with_detail(
    products: Sequence[np.ndarray],
    analysis: Analysis,
    generated: ResampledImage,
    composited: np.ndarray,
    box: PixelBox,
) -> tuple[np.ndarray, float, float, str]:
    """What belongs into `box` where the mask `composited` (h, w) uint8 has anything, (h', w', 3) uint8; match quality,
    share of the whole result with the photograph's detail, note."""
    matches = [found.match for found in analysis.products]
    patch = generated.crop(box, _with_boxes(composited, [match.box for match in matches if match is not None]))
    small_size = composited.shape[1], composited.shape[0]
    qualities, share = [], 0.0
    for product, match in zip(products, matches, strict=True):
        part = None if match is None else _overlap(box, upscaled_box(match.box, small_size, generated.full_size))
        if match is None or part is None:
            qualities.append(0.0)
            continue
        x, y, width, height = part
        crop = np.s_[y - box[1] : y - box[1] + height, x - box[0] : x - box[0] + width]
        detailed, weight = transfer_detail(product, match, patch[crop], part, generated.full_size)
        patch[crop] = alpha_composite(patch[crop], detailed, weight)
        qualities.append(float(match.correlation))
        share += float(weight.mean()) / 255 * width * height / (generated.full_size[0] * generated.full_size[1])
    missing = qualities.count(0.0)
    several = f"{missing} of {len(qualities)} photographs were not found in the answer"
    note = several if len(qualities) > 1 else "the photograph was not found in the answer"
    return patch, min(qualities), share, note if missing else ""


def _with_boxes(mask: np.ndarray, boxes: Sequence[PixelBox]) -> np.ndarray:
    """The `mask` (h, w) uint8 and all of the `boxes`."""
    filled = mask.copy()
    for x, y, width, height in boxes:
        filled[y : y + height, x : x + width] = 255
    return filled


def _overlap(one: PixelBox, other: PixelBox) -> PixelBox | None:
    """Where two boxes (x, y, width, height) overlap; None where they do not."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right = min(one[0] + one[2], other[0] + other[2])
    bottom = min(one[1] + one[3], other[1] + other[3])
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None


def silhouette_part(mask: np.ndarray, analysis: Analysis) -> np.ndarray:
    """The part (h, w) uint8 of the `mask` of what is drawn that ends in an outline."""
    scene = analysis.scene
    outlined = np.zeros_like(mask)
    box = warp_box(mask)
    if box is not None:
        x, y, width, height = box
        crop = np.s_[y : y + height, x : x + width]
        ratio = cv2.exp(enlarge_crop(scene.light, (mask.shape[1], mask.shape[0]), box))
        outlined[crop] = outline_part(mask[crop], scene.generated[crop], apply_shading(scene.image[crop], ratio))
    return outlined


def composite_generated(
    image: np.ndarray, patch: np.ndarray, mask: np.ndarray, outlined: np.ndarray, box: PixelBox
) -> None:
    """Composites `patch` (h, w, 3), the layer in `box`, into `image` (H, W, 3), in place, by the small `mask` (h', w')
    uint8; its edge is narrow where `outlined` has it."""
    full_size = image.shape[1], image.shape[0]
    for tile in mask_tiles(mask, full_size, box):
        left, top, width, rows = tile
        coverage = refined_alpha(mask, outlined, full_size, tile)
        under = image[top : top + rows, left : left + width]
        y, x = top - box[1], left - box[0]
        under[:] = alpha_composite(under, patch[y : y + rows, x : x + width], coverage)
