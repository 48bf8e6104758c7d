"""The emulated model's picture: the product of image [2] standing in the scene of image [1].

Everything follows from the request's content and its seed, so the same request gives the same picture.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import cv2
import numpy as np

from function.matching.cutout.cut_out import cut_out
from function.tools.emulator.asked_spot import asked_middle, at_asked_spot, missed, states_spot
from function.tools.emulator.compositing import read_light, stand
from function.tools.emulator.drift import drift, repaint
from function.tools.emulator.liberties import alter_picture, alter_scene, redo_product
from function.tools.emulator.marked_spot import read_mark, with_mark
from function.tools.emulator.models import SIZE_FACTORS
from function.tools.emulator.placement import Spot, find_spot
from function.tools.emulator.poses import drawn_pose, posed, posed_spot, throws_contact_shadow
from function.tools.emulator.products import AskedProduct, asked_products, find_spots, twin_of
from function.tools.emulator.protocol import GenerateRequest
from function.tools.emulator.render_faults import FLOAT, spoil_picture, spoil_product, spots
from function.tools.emulator.scene_renderer import plain_scene
from function.tools.emulator.sketches import redraw, sketched_spot
from function.tools.emulator.views import views_drawn

CRISP = 0.35  # unsharp mask on the enlarged scene: models like it crisp
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
    mark = read_mark(request)
    canvas = _enlarged(with_mark(scene, request, rng) if fault == "mark_painted" else scene, size)
    if several := asked_products(request):
        _draw_products(canvas, scene, several, request, fault, rng, drift_amount)
    elif len(request.images) > 1:
        product, *beside = (_trimmed(request.images[image].pixels) for image in views_drawn(fault))
        laid = sketched_spot(request.text, size)
        pose = drawn_pose(request.text, fault) if laid is None else "stand"
        side = _side(_line(request.text, "Placement"))
        if laid is None:
            spot = _enlarged_spot(find_spot(scene, product, rng, side), scene, size)
            spot = posed_spot(spot, product, pose, size[1])
            product, *beside = (posed(one, pose) for one in (product, *beside))
            aspect = product.shape[1] / product.shape[0]
            spot = missed(at_asked_spot(request.text, size, aspect, spot, mark), aspect, size, fault, rng)
        else:
            product, spot = redraw(canvas, product, laid, fault, rng)
        if fault == "scene_replaced":
            canvas = plain_scene(OTHER_SCENE, size, rng)
        light = read_light(scene)
        wide = spot.height * product.shape[1] / product.shape[0]
        alter_scene(canvas, fault, spot, wide, light, rng)
        repaint(canvas, rng, drift_amount)
        drawn = redo_product(spoil_product(product, fault), fault, rng)
        for number, one in enumerate(spots(spot, wide, size, "product_duplicated" if beside else fault)):
            stand(
                canvas,
                beside[0] if number and beside else drawn,
                one,
                light,
                shadow=1.0 if fault != "no_shadow" and throws_contact_shadow(pose) else 0.0,
                lift=FLOAT * spot.height if fault == "floating_product" else 0.0,
            )
    picture = alter_picture(spoil_picture(canvas, fault, rng), fault)
    return drift(picture, rng, 0 if fault == "black_image" else drift_amount)


def _draw_products(
    canvas: np.ndarray,
    scene: np.ndarray,
    asked: Sequence[AskedProduct],
    request: GenerateRequest,
    fault: str | None,
    rng: np.random.Generator,
    drift_amount: float,
) -> None:
    """Stand all products into `canvas` (float32 RGB 0..255), in place, those behind first."""
    sides = [asked_middle(one.placement) or _side(one.placement) for one in asked]
    pose, size = drawn_pose(request.text, fault), (canvas.shape[1], canvas.shape[0])
    upright = [_trimmed(request.images[one.image].pixels) for one in asked]
    products = [posed(one, pose) for one in upright]
    found = [
        posed_spot(_enlarged_spot(spot, scene, size), one, pose, size[1])
        for spot, one in zip(find_spots(scene, upright, sides, rng), upright, strict=True)
    ]
    places = [
        at_asked_spot(one.placement, size, product.shape[1] / product.shape[0], spot)
        for one, product, spot in zip(asked, products, found, strict=True)
    ]
    if stated := [index for index, one in enumerate(asked) if states_spot(one.placement)]:
        first = stated[0]
        places[first] = missed(places[first], products[first].shape[1] / products[first].shape[0], size, fault, rng)
    drawn = [
        (spoil_product(product, "wrong_colour" if fault == "one_recoloured" and not index else fault), spot)
        for index, (product, spot) in enumerate(zip(products, places, strict=True))
    ]
    if fault == "one_left_out":
        drawn.pop()
    if fault == "one_drawn_twice":
        drawn.append((drawn[0][0], twin_of([spot for _, spot in drawn], drawn[0][0], canvas.shape[1])))
    light = read_light(scene)
    repaint(canvas, rng, drift_amount)
    for product, spot in sorted(drawn, key=lambda one: one[1].foot_y):
        shadow = 1.0 if fault != "no_shadow" and throws_contact_shadow(pose) else 0.0
        stand(canvas, redo_product(product, fault, rng), spot, light, shadow=shadow)


def _enlarged_spot(spot: Spot, scene: np.ndarray, size: tuple[int, int]) -> Spot:
    """A spot of the `scene` in a picture of it of `size`."""
    across, down = size[0] / scene.shape[1], size[1] / scene.shape[0]
    return Spot(spot.foot_x * across, spot.foot_y * down, spot.height * down)


def _side(placement: str) -> float | None:
    return next((at for word, at in SIDES.items() if word in placement.lower()), None)


def _trimmed(product: np.ndarray) -> np.ndarray:
    """`product` (uint8 RGB or RGBA) cut out, and trimmed to what it covers: uint8 RGBA."""
    cut = cut_out(product)
    rgba = cut.rgba.copy()
    # An enclosed piece that may be paper or opening is drawn as it was photographed.
    rgba[cut.unknown & (cut.alpha == 0), 3] = 255
    rows, columns = np.nonzero(rgba[..., 3] > 8)
    if rows.size == 0:
        return rgba
    return rgba[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


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
