"""The model's answer brought back to the scene's full resolution."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox
from function.imaging.frame import Frame
from function.registration.framings import Box
from function.restoration.analysis import NUMERIC_ERRORS, Analysis, LaidProduct, SceneAnalysis
from function.restoration.compositing import enlarge_crop, full_box, lay_over, mask_strips, relight, strips
from function.restoration.detail_transfer import transfer_detail
from function.restoration.edge_warp import MAX_GAIN, edge_warp, warp_box
from function.restoration.enlarged_answer import EnlargedAnswer, no_finer
from function.restoration.guard import find_ghosts
from function.restoration.laid_product import lay_product
from function.restoration.matte_refinement import along_outlines, refined_coverage
from function.restoration.scene_sharpness import detailed_blocks, sharpening_strength
from function.restoration.sharpening import is_softened, sharpening_margin

# Below its base the product's mask is carried on by this share of the product's height.
BASE_REACH = 0.025
# The base is this share of the height.
BASE_SHARE = 0.25
# With strength 1 the outline's slope is raised by this much for each enlargement above one. It starts out softer than
# the enlargement alone makes it: the model's own pixel at an outline is a blend as well.
OUTLINE_GAIN = 2.5


@dataclass(frozen=True)
class Restored:
    """The result and what was done for it.

    image           (H, W, 3) uint8 RGB at the scene's full resolution
    restored_share  share 0..1 of the picture that carries the scene's own pixels or the photograph's detail
    match_quality   0..1, verified similarity of photograph and product in the answer; 0 without a match
    note            empty, or why less was restored than asked
    """

    image: np.ndarray
    restored_share: float
    match_quality: float
    note: str


def plain_upscale(answer: np.ndarray, frame: Frame, layout_box: Box | None = None) -> np.ndarray:
    """The scene's part of `answer` (h, w, 3) uint8, cubic, at the scene's size; undistorted.

    `layout_box` is the layout that the answer was found to follow; by default the frame's own, or, for an
    answer of another shape than was asked for, the greatest centred part of the scene's shape.
    """
    height, width = answer.shape[:2]
    if layout_box is None:
        asked = frame.sent_size[0] / frame.sent_size[1]
        # Native shapes differ from the nominal ratio by up to two percent; that much is no other shape.
        if abs(width / height / asked - 1) < 0.02:
            layout_box = frame.content_box_in((width, height))
        else:
            scale = min(width / frame.scene_size[0], height / frame.scene_size[1])
            fitted = frame.scene_size[0] * scale, frame.scene_size[1] * scale
            layout_box = ((width - fitted[0]) / 2, (height - fitted[1]) / 2, *fitted)
    x, y, box_width, box_height = layout_box
    full_width, full_height = frame.scene_size
    scale_x, scale_y = box_width / full_width, box_height / full_height
    answer, share = no_finer(answer, min(scale_x, scale_y))
    x, y, scale_x, scale_y = x * share, y * share, scale_x * share, scale_y * share
    matrix = np.array([[scale_x, 0, x + scale_x / 2 - 0.5], [0, scale_y, y + scale_y / 2 - 0.5]])
    return cv2.warpAffine(
        answer,
        matrix,
        frame.scene_size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


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
    upscale, with a note; never raises on picture content.
    """
    if not analysis.scene.registration.drift.registered:
        return _plain(analysis, frame, "the answer could not be registered")
    try:
        restored = _restore(scene if overwrite else scene.copy(), (product, *others), analysis)
    except NUMERIC_ERRORS as fault:
        return _plain(analysis, frame, f"restoration failed ({type(fault).__name__})")
    notes = [_scene_note(analysis.scene), restored.note]
    return replace(restored, note="; ".join(note for note in notes if note))


def _scene_note(scene: SceneAnalysis) -> str:
    """Why the scene is not shown as it was given; empty where it is."""
    if scene.drawn_anew:
        return "the scene was drawn anew, and is shown as it was drawn"
    return "the scene is shown under the answer's light" if scene.relighting is not None else ""


def _plain(analysis: Analysis, frame: Frame, note: str) -> Restored:
    image = plain_upscale(analysis.scene.raw_answer, frame, analysis.scene.registration.layout_box)
    return Restored(image, 0.0, 0.0, note + "; plain upscale")


def _restore(image: np.ndarray, products: Sequence[np.ndarray], analysis: Analysis) -> Restored:
    """`image`, the scene at full resolution, becomes the result."""
    if analysis.scene.relighting is not None:
        analysis.scene.relighting.apply(image)
    full_size = image.shape[1], image.shape[0]
    box = full_box(analysis.scene.change, full_size)
    if box is None:
        return Restored(image, 1.0, 0.0, "the answer shows no change")
    if analysis.product.laid is not None:
        return _restore_around(image, products[0], analysis, analysis.product.laid, box)
    quality, detail_share, note = 0.0, 0.0, ""
    drawn = cv2.max(analysis.product.mask, analysis.scene.content)
    laid = drawn
    for one in analysis.products:
        laid = cv2.max(laid, down_to_the_floor(one.mask, analysis.scene.change))
    drawn_box = full_box(laid, full_size)
    blocks = _blocks_of_scene(image, analysis)
    with ThreadPoolExecutor(max_workers=1) as pool:
        relit = pool.submit(_relight_scene, image, analysis, box)
        answer = _sharpened_answer(analysis, drawn, full_size, blocks)
        if drawn_box is not None:
            picture, quality, detail_share, note = _drawn_picture(products, analysis, answer, laid, drawn_box)
        relit.result()
    if drawn_box is not None:
        _lay_drawn(image, picture, laid, _outlined(drawn, analysis), drawn_box)
    ghosts = find_ghosts(image, analysis)
    ghost_box = full_box(ghosts, full_size)
    if ghost_box is not None:
        _lay_drawn(image, answer.crop(ghost_box, ghosts), ghosts, np.zeros_like(ghosts), ghost_box)
    covered = float(drawn.mean()) / 255
    return Restored(image, round(1 - covered + detail_share, 4), quality, note)


def _restore_around(
    image: np.ndarray, product: np.ndarray, analysis: Analysis, laid: LaidProduct, box: PixelBox
) -> Restored:
    """Of an answer to a sketch: its light on the scene, what else it drew, and the photograph itself at its place."""
    full_size, scene = (image.shape[1], image.shape[0]), analysis.scene
    _relight_scene(image, analysis, box)
    drawn_box = full_box(scene.content, full_size)
    if drawn_box is not None:
        answer = EnlargedAnswer.of(scene.raw_answer, scene.registration.mapping, scene.colours, full_size)
        _lay_drawn(image, answer.crop(drawn_box, scene.content), scene.content, np.zeros_like(scene.content), drawn_box)
    grid = scene.image.shape[1], scene.image.shape[0]
    lay_product(image, product, laid.place, laid.log_gain, laid.box[:2], grid)
    covered = float(scene.content.mean()) / 255
    return Restored(image, round(1 - covered, 4), float(laid.departure.correlation), "")


def _relight_scene(image: np.ndarray, analysis: Analysis, box: PixelBox) -> None:
    """Lays the model's light on the scene, in place."""
    full_size = image.shape[1], image.shape[0]
    ratio = cv2.exp(analysis.scene.light)
    for strip in strips(box):
        x, y, width, height = strip
        crop = image[y : y + height, x : x + width]
        crop[:] = relight(crop, enlarge_crop(ratio, full_size, strip))


def down_to_the_floor(mask: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The product's `mask` (h, w) uint8, carried on below its base as far as there is `change` (h, w) uint8.

    A pale base on a pale floor reads as floor under a shadow, and the photograph shows less of a base than a camera
    that looks down on it: a product whose lower edge is missing does not stand. Of the floor under it a narrow strip
    is the model's.
    """
    _, top, _, height = cv2.boundingRect(cv2.inRange(mask, 128, 255))
    reach = round(BASE_REACH * height)
    if reach < 1:
        return mask
    below = cv2.dilate(mask, np.ones((reach + 1, 1), np.uint8), anchor=(0, reach))
    below[: top + round((1 - BASE_SHARE) * height)] = 0
    below = cv2.min(cv2.blur(below, (1, reach)), change)
    return cv2.max(mask, below)


def _blocks_of_scene(image: np.ndarray, analysis: Analysis) -> list[tuple[PixelBox, np.ndarray]]:
    """Boxes at full resolution in which the answer shows the scene unchanged, and the scene's own pixels there.

    They are copies, for the scene is relit in place.
    """
    scene = analysis.scene
    unchanged = (scene.change == 0) & scene.registration.inside
    boxes = detailed_blocks(scene.image, unchanged, analysis.product.mask, (image.shape[1], image.shape[0]))
    return [((x, y, width, height), image[y : y + height, x : x + width].copy()) for x, y, width, height in boxes]


def _sharpened_answer(
    analysis: Analysis, mask: np.ndarray, full_size: tuple[int, int], blocks: list[tuple[PixelBox, np.ndarray]]
) -> EnlargedAnswer:
    """The answer at full resolution, as sharp as the scene is in the `blocks`, the outline of the `mask` steeper."""
    scene = analysis.scene
    answer = EnlargedAnswer.of(scene.raw_answer, scene.registration.mapping, scene.colours, full_size)
    box = warp_box(mask)
    if not is_softened(answer.enlargement) or box is None:
        return answer
    strongest = answer.sharpened(1.0)
    strength = sharpening_strength(
        [(own, answer.crop(block), strongest.crop(block)) for block, own in blocks],
        sharpening_margin(answer.enlargement),
    )
    x, y, width, height = box
    crop = np.s_[y : y + height, x : x + width]
    gain = min(MAX_GAIN, 1 + strength * OUTLINE_GAIN * (answer.enlargement - 1))
    return answer.sharpened(strength).displaced(edge_warp(scene.answer[crop], mask[crop], gain), (x, y))


def _drawn_picture(
    products: Sequence[np.ndarray],
    analysis: Analysis,
    answer: EnlargedAnswer,
    laid: np.ndarray,
    box: PixelBox,
) -> tuple[np.ndarray, float, float, str]:
    """What belongs into `box` where the mask `laid` (h, w) uint8 has anything, (h', w', 3) uint8; match quality, share
    of the whole result with the photograph's detail, note."""
    matches = [found.match for found in analysis.products]
    picture = answer.crop(box, _with_boxes(laid, [match.box for match in matches if match is not None]))
    qualities, share = [], 0.0
    for product, match in zip(products, matches, strict=True):
        part = None if match is None else _part_of(box, match.box, laid, answer.full_size)
        if match is None or part is None:
            qualities.append(0.0)
            continue
        x, y, width, height = part
        crop = np.s_[y - box[1] : y - box[1] + height, x - box[0] : x - box[0] + width]
        detailed, weight = transfer_detail(product, match, picture[crop], part, answer.full_size)
        picture[crop] = lay_over(picture[crop], detailed, weight)
        qualities.append(float(match.correlation))
        share += float(weight.mean()) / 255 * width * height / (answer.full_size[0] * answer.full_size[1])
    missing = qualities.count(0.0)
    several = f"{missing} of {len(qualities)} photographs were not found in the answer"
    note = several if len(qualities) > 1 else "the photograph was not found in the answer"
    return picture, min(qualities), share, note if missing else ""


def _with_boxes(mask: np.ndarray, boxes: Sequence[PixelBox]) -> np.ndarray:
    """The `mask` (h, w) uint8 and all of the `boxes`."""
    filled = mask.copy()
    for x, y, width, height in boxes:
        filled[y : y + height, x : x + width] = 255
    return filled


def _part_of(box: PixelBox, small_box: PixelBox, small: np.ndarray, full_size: tuple[int, int]) -> PixelBox | None:
    """Where `box` at `full_size` and a box of the picture `small` overlap, at `full_size`; None where they do not."""
    found = full_box(_with_boxes(np.zeros_like(small), [small_box]), full_size)
    if found is None:
        return None
    left, top = max(box[0], found[0]), max(box[1], found[1])
    right = min(box[0] + box[2], found[0] + found[2])
    bottom = min(box[1] + box[3], found[1] + found[3])
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None


def _outlined(mask: np.ndarray, analysis: Analysis) -> np.ndarray:
    """The part (h, w) uint8 of the `mask` of what is drawn that ends in an outline."""
    scene = analysis.scene
    outlined = np.zeros_like(mask)
    box = warp_box(mask)
    if box is not None:
        x, y, width, height = box
        crop = np.s_[y : y + height, x : x + width]
        ratio = cv2.exp(enlarge_crop(scene.light, (mask.shape[1], mask.shape[0]), box))
        outlined[crop] = along_outlines(mask[crop], scene.answer[crop], relight(scene.image[crop], ratio))
    return outlined


def _lay_drawn(image: np.ndarray, picture: np.ndarray, mask: np.ndarray, outlined: np.ndarray, box: PixelBox) -> None:
    """Lays the `picture` of what is drawn into `box` of `image` where the small `mask` has it, with narrow ends
    where it is `outlined`."""
    full_size = image.shape[1], image.shape[0]
    for strip in mask_strips(mask, full_size, box):
        left, top, width, rows = strip
        coverage = refined_coverage(mask, outlined, full_size, strip)
        under = image[top : top + rows, left : left + width]
        y, x = top - box[1], left - box[0]
        under[:] = lay_over(under, picture[y : y + rows, x : x + width], coverage)
