"""The emulated model's picture: the product of image [2] standing in the scene of image [1].

Everything follows from the request's content and its seed, so the same request gives the same picture.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

import cv2
import numpy as np

from function.tools.emulator.compositing import read_light, stand
from function.tools.emulator.drift import drift, repaint
from function.tools.emulator.liberties import alter_picture, alter_scene, redo_product
from function.tools.emulator.models import SIZE_FACTORS
from function.tools.emulator.placement import find_spot
from function.tools.emulator.protocol import GenerateRequest
from function.tools.emulator.render_faults import FLOAT, spoil_picture, spoil_product, spots
from function.tools.emulator.scene_renderer import plain_scene

CRISP = 0.35  # unsharp mask on the enlarged scene: models like it crisp
BACKGROUND_STEP = 6  # grey levels up to which a product's backdrop counts as even
LEAST_BACKGROUND = 0.05  # share of a picture that must be backdrop for it to be cut away
SIDES = {"left": 0.28, "right": 0.74, "centre": 0.5, "center": 0.5, "middle": 0.5}  # of the scene's width
OTHER_PICTURE = "walnut table, green wall, warm light from the right"
OTHER_SCENE = "slate, blue wall, cool light from the right"


def draw(request: GenerateRequest, fault: str | None, drift_amount: float) -> np.ndarray:
    """The picture for `request`, uint8 RGB (h, w, 3) at the model's native size for the ratio."""
    seed = 0 if request.seed is None else request.seed & 0xFFFFFFFF
    rng = np.random.default_rng([int(request.digest[:8], 16), seed])
    size = _size(request)
    if not request.images:
        return drift(plain_scene(_line(request.text, "Scene"), size, rng), rng, 0)
    if fault == "other_picture":
        return drift(plain_scene(OTHER_PICTURE, size, rng), rng, 0)
    scene = request.images[0].pixels[..., :3]
    canvas = _enlarged(scene, size)
    if len(request.images) > 1:
        product = cut_out(request.images[1].pixels)
        side = next((at for word, at in SIDES.items() if word in _line(request.text, "Placement").lower()), None)
        spot = find_spot(scene, product, rng, side)
        scale = size[0] / scene.shape[1], size[1] / scene.shape[0]
        spot = replace(
            spot, foot_x=spot.foot_x * scale[0], foot_y=spot.foot_y * scale[1], height=spot.height * scale[1]
        )
        if fault == "scene_replaced":
            canvas = plain_scene(OTHER_SCENE, size, rng)
        light = read_light(scene)
        wide = spot.height * product.shape[1] / product.shape[0]
        alter_scene(canvas, fault, spot, wide, light, rng)
        repaint(canvas, rng, drift_amount)
        drawn = redo_product(spoil_product(product, fault), fault, rng)
        for one in spots(spot, wide, size, fault):
            stand(
                canvas,
                drawn,
                one,
                light,
                shadow=0.0 if fault == "no_shadow" else 1.0,
                lift=FLOAT * spot.height if fault == "floating_product" else 0.0,
            )
    picture = alter_picture(spoil_picture(canvas, fault, rng), fault)
    return drift(picture, rng, 0 if fault == "black_image" else drift_amount)


def cut_out(product: np.ndarray) -> np.ndarray:
    """`product` (uint8 RGB or RGBA) as RGBA trimmed to what it covers; an even backdrop is cut away."""
    if product.shape[2] == 3 or product[..., 3].min() == 255:
        product = np.dstack([product[..., :3], _foreground(product[..., :3])])
    rows, columns = np.nonzero(product[..., 3] > 8)
    if rows.size == 0:
        return product
    return product[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _foreground(rgb: np.ndarray) -> np.ndarray:
    """Alpha (h, w) uint8 of what is not the even backdrop that reaches in from the four corners."""
    height, width = rgb.shape[:2]
    rgb = rgb.copy()  # OpenCV wants to own what it fills, even where it only fills a mask
    mask = np.zeros((height + 2, width + 2), np.uint8)
    step = (BACKGROUND_STEP,) * 3
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (255 << 8)
    for corner in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)):
        if mask[corner[1] + 1, corner[0] + 1] == 0:
            cv2.floodFill(rgb, mask, corner, 0, step, step, flags)
    alpha = 255 - mask[1:-1, 1:-1]
    if not LEAST_BACKGROUND < (alpha == 0).mean() < 1 - LEAST_BACKGROUND / 5:
        return np.full((height, width), 255, np.uint8)
    return cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3), np.uint8)), (0, 0), 0.8)


def _size(request: GenerateRequest) -> tuple[int, int]:
    """The picture's (width, height): of the ratio asked for, else of the one nearest to the last image."""
    sizes = request.model.native_sizes
    size = sizes.get(request.aspect_ratio or "")
    if size is None:
        height, width = request.images[-1].pixels.shape[:2] if request.images else (1, 1)
        size = min(sizes.values(), key=lambda one: abs(math.log(one[0] / one[1] * height / width)))
    factor = SIZE_FACTORS[request.image_size]
    return round(size[0] * factor), round(size[1] * factor)


def _enlarged(scene: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The scene at the picture's size, float32 RGB."""
    canvas = cv2.resize(scene, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.clip(canvas + CRISP * (canvas - cv2.GaussianBlur(canvas, (0, 0), 1.2)), 0, 255)


def _line(text: str, name: str) -> str:
    """What the prompt says after `name:` on a line of its own; without one, nothing of a placement, all of a scene."""
    found = re.search(rf"^{name}: *(.*)$", text, re.MULTILINE)
    return found[1] if found else (text if name == "Scene" else "")
