"""Restores the generated image to the scene's full resolution.

Unchanged pixels are the scene's own, bit for bit. Shadows and reflections are the scene times the shading. The product
and other content are the generated image, resampled once, sharpened to the scene's sharpness, its silhouette steepened,
with the photograph's detail where it was verified; or, of a sketch, the photograph itself. Ghosts are replaced last.
What cannot be restored is the plain cubic upscale.

In: scene (H, W, 3), products (h, w, 4) uint8 at full resolution, `Analysis`. Out: `Restored`. `python -m
tests.bench.fidelity` measures it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox
from function.imaging.frame import Frame
from function.restoration.analysis import NUMERIC_ERRORS, Analysis, CompositedProduct, SceneAnalysis
from function.restoration.composite_product import composite_product
from function.restoration.compositing import apply_shading, enlarge_crop, mask_bounding_box, tiles
from function.restoration.generated_layer import (
    composite_generated,
    extend_mask_to_ground,
    generated_with_detail,
    sharpened_image,
    silhouette_part,
    unchanged_blocks,
)
from function.restoration.ghost_detection import find_ghosts
from function.restoration.plain_upscale import plain_upscale
from function.restoration.resampled_image import ResampledImage


@dataclass(frozen=True)
class Restored:
    """The result and what was done for it.

    image           (H, W, 3) uint8 RGB at the scene's full resolution
    restored_share  share 0..1 of the image that carries the scene's own pixels or the photograph's detail
    match_quality   0..1, verified similarity of photograph and product in the generated image; 0 without a match
    note            empty, or why less was restored than asked
    """

    image: np.ndarray
    restored_share: float
    match_quality: float
    note: str


def restore(
    scene: np.ndarray,
    product: np.ndarray,
    analysis: Analysis,
    frame: Frame,
    others: Sequence[np.ndarray] = (),
    *,
    overwrite: bool = False,
) -> Restored:
    """Scene's pixels where nothing changed, scene under the model's light in shadows, the product on top.

    scene (H, W, 3) uint8 RGB at full resolution, used for the result itself with `overwrite`; product (h, w, 4)
    uint8 RGBA at full resolution, and so are the `others` of several products. What cannot be restored is the plain
    upscale, with a note; never raises on image content.
    """
    if not analysis.scene.registration.drift.registered:
        return _plain_upscale(analysis, frame, "the answer could not be registered")
    try:
        restored = _restore(scene if overwrite else scene.copy(), (product, *others), analysis)
    except NUMERIC_ERRORS as fault:
        return _plain_upscale(analysis, frame, f"restoration failed ({type(fault).__name__})")
    notes = [_scene_note(analysis.scene), restored.note]
    return replace(restored, note="; ".join(note for note in notes if note))


def _scene_note(scene: SceneAnalysis) -> str:
    """Why the scene is not shown as it was given; empty where it is."""
    if scene.redrawn:
        return "the scene was redrawn, and is shown as it was drawn"
    return "the scene is shown under the answer's light" if scene.relighting is not None else ""


def _plain_upscale(analysis: Analysis, frame: Frame, note: str) -> Restored:
    image = plain_upscale(analysis.scene.generated_raw, frame, analysis.scene.registration.layout_box)
    return Restored(image, 0.0, 0.0, note + "; plain upscale")


def _restore(image: np.ndarray, products: Sequence[np.ndarray], analysis: Analysis) -> Restored:
    """`image`, the scene at full resolution, becomes the result."""
    if analysis.scene.relighting is not None:
        analysis.scene.relighting.apply(image)
    full_size = image.shape[1], image.shape[0]
    box = mask_bounding_box(analysis.scene.change, full_size)
    if box is None:
        return Restored(image, 1.0, 0.0, "the answer shows no change")
    if analysis.product.composited is not None:
        return _restore_sketch(image, products[0], analysis, analysis.product.composited, box)
    quality, detail_share, note = 0.0, 0.0, ""
    drawn = cv2.max(analysis.product.mask, analysis.scene.content)
    composited = drawn
    for one in analysis.products:
        composited = cv2.max(composited, extend_mask_to_ground(one.mask, analysis.scene.change))
    drawn_box = mask_bounding_box(composited, full_size)
    blocks = unchanged_blocks(image, analysis)
    with ThreadPoolExecutor(max_workers=1) as pool:
        relit = pool.submit(_apply_light, image, analysis, box)
        generated = sharpened_image(analysis, drawn, full_size, blocks)
        if drawn_box is not None:
            patch, quality, detail_share, note = generated_with_detail(
                products, analysis, generated, composited, drawn_box
            )
        relit.result()
    if drawn_box is not None:
        composite_generated(image, patch, composited, silhouette_part(drawn, analysis), drawn_box)
    ghosts = find_ghosts(image, analysis)
    ghost_box = mask_bounding_box(ghosts, full_size)
    if ghost_box is not None:
        composite_generated(image, generated.crop(ghost_box, ghosts), ghosts, np.zeros_like(ghosts), ghost_box)
    covered = float(drawn.mean()) / 255
    return Restored(image, round(1 - covered + detail_share, 4), quality, note)


def _restore_sketch(
    image: np.ndarray, product: np.ndarray, analysis: Analysis, composited: CompositedProduct, box: PixelBox
) -> Restored:
    """Of a generated image to a sketch: its light on the scene, what else it drew, and the photograph itself at its
    place."""
    full_size, scene = (image.shape[1], image.shape[0]), analysis.scene
    _apply_light(image, analysis, box)
    drawn_box = mask_bounding_box(scene.content, full_size)
    if drawn_box is not None:
        generated = ResampledImage.of(scene.generated_raw, scene.registration.mapping, scene.colours, full_size)
        composite_generated(
            image, generated.crop(drawn_box, scene.content), scene.content, np.zeros_like(scene.content), drawn_box
        )
    grid = scene.image.shape[1], scene.image.shape[0]
    composite_product(image, product, composited.place, composited.log_gain, composited.box[:2], grid)
    covered = float(scene.content.mean()) / 255
    return Restored(image, round(1 - covered, 4), float(composited.departure.correlation), "")


def _apply_light(image: np.ndarray, analysis: Analysis, box: PixelBox) -> None:
    """Lays the model's light on the scene, in place."""
    full_size = image.shape[1], image.shape[0]
    ratio = cv2.exp(analysis.scene.light)
    for tile in tiles(box):
        x, y, width, height = tile
        crop = image[y : y + height, x : x + width]
        crop[:] = apply_shading(crop, enlarge_crop(ratio, full_size, tile))
