"""What the emulated model does with a sketch: it lights the product that was laid into the scene, well or badly."""

from __future__ import annotations

import re

import cv2
import numpy as np

from function.tools.emulator.liberties import redo_product
from function.tools.emulator.placement import Spot
from function.tools.emulator.render_faults import spoil_product
from function.tools.emulator.repainting import texture_change

SKETCH_MANNERS = frozenset(
    {
        "sketch_repainted",  # its texture is new
        "sketch_letters",  # other words on it
        "sketch_reshaped",  # wider by some percent
        "sketch_moved",
        "sketch_turned",  # about its upright
        "sketch_ignored",  # painted over, and another one drawn elsewhere
    }
)
BOX = re.compile(
    r"between ([\d.]+) and ([\d.]+) percent of the width and between ([\d.]+) and\s+([\d.]+) percent of the height"
)
REPAINTED = 0.3  # likeness of the texture to what it was
RESHAPED = (1.04, 0.97)  # of its width and height
MOVED = (0.025, 0.015)  # of its height: to the side, and down
TURNED = 0.87  # of its width: cos 30 degrees
BULGE = 0.16  # of its width: how far the middle of a turned label lies to the side
ELSEWHERE = 0.28  # of the picture's width
SMALL = 4  # what is painted over is filled in at this part of the size
ROOM = 0.02  # of the product's height: painted over around it


def sketched_spot(text: str, size: tuple[int, int]) -> Spot | None:
    """Where the prompt `text` says that a product was laid, in a picture of `size`; None where it says nothing."""
    found = BOX.search(text)
    if found is None:
        return None
    left, right, top, bottom = (float(number) / 100 for number in found.groups())
    return Spot((left + right) / 2 * size[0], bottom * size[1], (bottom - top) * size[1])


def redraw(
    canvas: np.ndarray, product: np.ndarray, spot: Spot, manner: str | None, rng: np.random.Generator
) -> tuple[np.ndarray, Spot]:
    """The product (uint8 RGBA, trimmed) and the spot at which it is drawn for a `manner`. What it was laid over in
    `canvas` (float32 RGB 0..255) is painted over in place where it will not be covered."""
    if manner == "sketch_repainted":
        rgb = product[..., :3].astype(np.float32)
        rgb += texture_change(rgb, REPAINTED, rng)
        product = np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), product[..., 3]])
        return redo_product(product, "redrawn_product", rng), spot
    if manner == "sketch_letters":
        return spoil_product(product, "other_label"), spot
    if manner not in SKETCH_MANNERS:
        return product, spot
    _paint_over(canvas, product, spot)
    height, width = product.shape[:2]
    if manner == "sketch_reshaped":
        size = round(width * RESHAPED[0] / RESHAPED[1]), height
        wider = cv2.resize(product, size, interpolation=cv2.INTER_AREA)
        return wider, Spot(spot.foot_x, spot.foot_y, spot.height * RESHAPED[1])
    if manner == "sketch_moved":
        x, y = spot.foot_x + MOVED[0] * spot.height, spot.foot_y + MOVED[1] * spot.height
        return product, Spot(x, y, spot.height)
    if manner == "sketch_turned":
        return _turned(product), spot
    drawn = spoil_product(redo_product(product, "turned_product", rng), "other_label")
    side = -1 if spot.foot_x > canvas.shape[1] / 2 else 1
    return drawn, Spot(spot.foot_x + side * ELSEWHERE * canvas.shape[1], spot.foot_y, 0.9 * spot.height)


def _turned(product: np.ndarray) -> np.ndarray:
    """About its upright, as a body whose front bulges: narrower, and what was in the middle lies to the side."""
    height, width = product.shape[:2]
    narrow = round(TURNED * width)
    across = (np.arange(narrow, dtype=np.float32) + 0.5) / narrow
    source = across - BULGE * np.sin(np.pi * across)
    xs, ys = np.meshgrid(source * width - 0.5, np.arange(height, dtype=np.float32))
    return cv2.remap(product, xs.astype(np.float32), ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _paint_over(canvas: np.ndarray, product: np.ndarray, spot: Spot) -> None:
    height, width = canvas.shape[:2]
    small_size = max(8, width // SMALL), max(8, height // SMALL)
    scale = small_size[0] / width, small_size[1] / height
    tall = spot.height
    wide = tall * product.shape[1] / product.shape[0]
    matrix = np.array(
        [
            [wide / product.shape[1] * scale[0], 0, (spot.foot_x - wide / 2) * scale[0]],
            [0, tall / product.shape[0] * scale[1], (spot.foot_y - tall) * scale[1]],
        ],
        np.float32,
    )
    cover = cv2.warpAffine(np.ascontiguousarray(product[..., 3]), matrix, small_size, flags=cv2.INTER_AREA)
    room = 2 * max(1, round(ROOM * tall * scale[1])) + 1
    cover = cv2.dilate(cover, np.ones((room, room), np.uint8))
    small = cv2.resize(np.clip(canvas, 0, 255).astype(np.uint8), small_size, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(small, (cover > 8).astype(np.uint8), 5, cv2.INPAINT_TELEA).astype(np.float32)
    weight = cv2.resize((cover > 8).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    canvas += (cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC) - canvas) * weight
