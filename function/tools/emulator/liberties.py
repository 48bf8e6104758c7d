"""Liberties that real models take: what they add, remove, turn, redraw, replace and relight, drawn well."""

from __future__ import annotations

import cv2
import numpy as np

from function.tools.emulator.compositing import Light, stand
from function.tools.emulator.placement import Spot
from function.tools.emulator.repainting import smooth_field
from function.tools.emulator.scene_renderer import plain_scene

PRODUCT_LIBERTIES = frozenset({"turned_product", "redrawn_product"})
SCENE_LIBERTIES = frozenset({"thing_added", "thing_removed", "background_replaced"})
WHOLE_LIBERTIES = frozenset({"scene_relit", "cropped_and_extended"})
LIBERTIES = PRODUCT_LIBERTIES | SCENE_LIBERTIES | WHOLE_LIBERTIES

TURNED = (0.06, 0.14)  # share of its height by which the far edge is shorter, of its width by which it is narrower
# Print moved to and fro, as shares of the product's height: capitals over 12 px in the answer are still read.
REDRAWN, REDRAWN_WIDTH = 0.0022, 0.008
REDRAWN_INSET = 15  # px of the photograph inside its outline, where the drawing begins to depart
VASE_HEIGHT = 0.6  # of the product's
VASE_COLOUR, BAND_COLOUR = (38, 128, 66), (150, 205, 120)
REMOVED = (0.18, 0.34)  # share of the picture's width and height in which something is painted over
SMALL = 4  # what is painted over is looked for at this part of the size
OTHER_WALL = "terracotta wall, warm light from the right"
HORIZON = 0.55  # of the product's height up from its foot, where the new wall ends
SUNSET = (1.06, 0.84, 0.66)  # gains of red, green and blue
DUSK = (1.08, 0.72)  # brightness from the sun's side to the other
SQUARE = 1.2  # a picture less oblong than this gets an oblong answer, others a square one
OBLONG = 1.5  # width to height
SIDE_STEP = 32  # px; sides of native sizes are multiples of this


def redo_product(product: np.ndarray, liberty: str | None, rng: np.random.Generator) -> np.ndarray:
    """`product` (uint8 RGBA, trimmed) turned or redrawn; the same for any other `liberty`."""
    height, width = product.shape[:2]
    if liberty == "turned_product":
        drop, inset = TURNED[0] * height / 2, TURNED[1] * width
        source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        target = source + np.array([[0, 0], [-inset, drop], [-inset, -drop], [0, 0]], np.float32)
        alpha = product[..., 3:].astype(np.float32) / 255
        weighted = np.dstack([product[..., :3] * alpha, product[..., 3]])
        matrix = cv2.getPerspectiveTransform(source, target)
        turned = cv2.warpPerspective(weighted, matrix, (width - round(inset), height), flags=cv2.INTER_AREA)
        colour = turned[..., :3] / np.maximum(turned[..., 3:] / 255, 1 / 255)
        return np.clip(np.dstack([colour, turned[..., 3]]) + 0.5, 0, 255).astype(np.uint8)
    if liberty == "redrawn_product":
        xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        # The outline stays: what is transparent beside it has no colour to bring in.
        inner = cv2.erode(product[..., 3], np.ones((REDRAWN_INSET, REDRAWN_INSET), np.uint8), borderValue=0)
        inner = cv2.blur(inner, (REDRAWN_INSET, REDRAWN_INSET)).astype(np.float32) / 255
        xs += inner * smooth_field(rng, (height, width), REDRAWN_WIDTH * height, REDRAWN * height)
        ys += inner * smooth_field(rng, (height, width), REDRAWN_WIDTH * height, REDRAWN * height)
        drawn = cv2.remap(product[..., :3], xs, ys, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.dstack([drawn, product[..., 3]])
    return product


def alter_scene(
    canvas: np.ndarray, liberty: str | None, spot: Spot, wide: float, light: Light, rng: np.random.Generator
) -> None:
    """Change `canvas` (float32 RGB 0..255) in place, before a product `wide` px wide stands at `spot`."""
    width = canvas.shape[1]
    left, right = spot.foot_x - wide / 2, width - spot.foot_x - wide / 2
    across = left / 2 if left > right else width - right / 2  # the middle of the wider side
    if liberty == "thing_added":
        stand(canvas, vase(), Spot(across, spot.foot_y, VASE_HEIGHT * spot.height), light)
    elif liberty == "thing_removed":
        reach = max(left, right) / 2
        _paint_over(canvas, (round(max(0, across - reach)), round(min(width, across + reach))))
    elif liberty == "background_replaced":
        edge = max(2, round(spot.foot_y - HORIZON * spot.height))
        # Of a scene so tall that its own table begins below the edge.
        canvas[:edge] = plain_scene(OTHER_WALL, (width, 2 * edge), rng)[:edge]


def alter_picture(picture: np.ndarray, liberty: str | None) -> np.ndarray:
    """The finished `picture` (float32 RGB) relit, or of another shape: cropped one way and extended the other."""
    height, width = picture.shape[:2]
    if liberty == "scene_relit":
        dusk = np.linspace(*DUSK, width, dtype=np.float32)[None, :, None]
        return np.clip(picture * dusk * np.array(SUNSET, np.float32), 0, 255)
    if liberty == "cropped_and_extended":
        ratio = 1.0 if max(width / height, height / width) > SQUARE else OBLONG
        area = width * height
        size = tuple(SIDE_STEP * round(np.sqrt(area * r) / SIDE_STEP) for r in (ratio, 1 / ratio))
        scale = float(np.sqrt(size[0] / width * size[1] / height))
        shift = [(side - scale * was) / 2 for side, was in zip(size, (width, height), strict=True)]
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
        return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return picture


def vase() -> np.ndarray:
    """(400, 260, 4) uint8 RGBA: a round green body with bands, a neck and a rim."""
    alpha = np.zeros((400, 260), np.uint8)
    cv2.ellipse(alpha, (130, 259), (118, 140), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(alpha, (90, 20), (170, 180), 255, -1)
    cv2.ellipse(alpha, (130, 20), (60, 16), 0, 0, 360, 255, -1, cv2.LINE_AA)
    colour = np.empty((400, 260, 3), np.float32)
    colour[:] = VASE_COLOUR
    for row in range(40, 400, 60):
        colour[row : row + 14] = BAND_COLOUR
    across = np.linspace(-1, 1, 260, dtype=np.float32)[None, :, None]
    return np.dstack([np.clip(colour * (1.1 - 0.4 * (across + 0.3) ** 2), 0, 255).astype(np.uint8), alpha])


def _paint_over(canvas: np.ndarray, columns: tuple[int, int]) -> None:
    """Paint the calmest part of the same rows over a thing that stands alone in the `columns` (from, to).

    Of a thing larger than that, parts stay.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(canvas[::SMALL, ::SMALL]), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    wide, tall = (max(3, round(share * side)) | 1 for share, side in zip(REMOVED, (width, height), strict=True))
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    busy = cv2.blur(edges, (wide, tall))
    alone = 2 * cv2.blur(edges, (wide * 2 // 3, tall * 2 // 3)) - busy
    whole = np.s_[tall // 2 : height - tall // 2, wide // 2 : width - wide // 2]
    alone, busy = alone[whole], busy[whole]
    first = min(max(0, columns[0] // SMALL - wide // 2), busy.shape[1] - 1)
    last = max(first + 1, columns[1] // SMALL - wide // 2 - wide // 2)
    row, column = np.unravel_index(int(alone[:, first:last].argmax()), alone[:, first:last].shape)
    calm = int(busy[row].argmin())
    cover: np.ndarray = np.zeros((tall * SMALL, wide * SMALL), np.float32)
    cv2.ellipse(
        cover,
        (wide * SMALL // 2, tall * SMALL // 2),
        (round(0.46 * wide * SMALL), round(0.46 * tall * SMALL)),
        0,
        0,
        360,
        1.0,
        -1,
    )
    weight = cv2.GaussianBlur(cover, (0, 0), 0.01 * canvas.shape[0])[..., None]
    top, left, source = int(row) * SMALL, (first + int(column)) * SMALL, calm * SMALL
    over = canvas[top : top + len(weight), left : left + weight.shape[1]]
    calmest = canvas[top : top + len(weight), source : source + weight.shape[1]].copy()
    over += (calmest - over) * weight[: over.shape[0], : over.shape[1]]
