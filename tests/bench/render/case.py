"""One case: the set without and with the product, where it is, and its studio photograph."""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from tests.bench.render import products_built, products_round
from tests.bench.render.picture import area, camera, empty, prepare, sky, take, take_mask
from tests.bench.render.sets import SETS
from tests.bench.render.settling import Window, settled

PRODUCTS: dict[str, Callable[[], None]] = {
    "jar": products_round.jar,
    "tube": products_round.tube_of_cream,
    "glass": products_round.wine_glass,
    "kettle": products_round.kettle,
    "pump": products_round.pump_dispenser,
    "pale_box": products_round.pale_box,
    "bag": products_built.bag,
    "lamp": products_built.lamp,
    "chair": products_built.chair,
    "shoe": products_built.shoe,
    "toy": products_built.soft_toy,
    "plant": products_built.plant,
}
# Half of the products, of every kind of surface, are had as shops have them too.
ON_WHITE = ("jar", "kettle", "pale_box", "bag", "chair", "toy")
SIZES = ((800, 450), (720, 540), (660, 660), (540, 720))
PHOTO_PX, PHOTO_SAMPLES = 760, 12
PHOTO_JPEG = 92
# Where the product, its shadow and its reflection are rendered: its box and so much of its longer side around it.
ROOM = {"side": 1.3, "above": 0.2, "below": 0.7}
LENS_MM, SENSOR_MM = 45.0, 36.0
# The studio's camera looks down by this much (radians).
STUDIO_UP = 0.14


@dataclass(frozen=True)
class Plan:
    """What one case shows: `yaw` in degrees, `tall` the product's share of the picture's height; `frontal`: seen as
    on its photograph."""

    product: str
    set_name: str
    seed: int
    size: tuple[int, int]
    yaw: float
    tall: float
    frontal: bool = False

    @property
    def name(self) -> str:
        return f"{self.product}-{self.set_name}"


def plans(*, frontal: bool = False) -> list[Plan]:
    """Every product in every set, set after set in an order in which all products come early."""
    found = []
    for turn in range(len(SETS)):
        for number, product in enumerate(PRODUCTS):
            seed = 1000 * turn + number
            rng = random.Random(seed)
            set_name = list(SETS)[(turn + number) % len(SETS)]
            size = SIZES[(number + 2 * turn) % len(SIZES)]
            yaw, tall = rng.uniform(-24, 24), rng.uniform(0.36, 0.5)
            found.append(Plan(product, set_name, seed, size, 0.0 if frontal else yaw, tall, frontal))
    return found


def photograph(product: str, path: Path) -> None:
    """The frontal studio photograph, cut out."""
    empty()
    prepare((PHOTO_PX, PHOTO_PX), PHOTO_SAMPLES, transparent=True)
    PRODUCTS[product]()
    low, high = _extent(list(bpy.data.objects))
    middle = (low + high) / 2
    span = 1.2 * max(high.x - low.x, high.z - low.z)
    sky((1, 1, 1), 0.55)
    for at, size, watts in (((-0.9, -0.75, 0.75), 0.8, 13), ((1.0, -0.6, 0.6), 0.6, 8), ((0.1, 0.5, 1.1), 0.7, 7)):
        area(at, size, watts, target=(0, 0, middle.z))
    distance, up = 1.35, STUDIO_UP
    at = (middle.x, -distance * math.cos(up), middle.z + distance * math.sin(up))
    camera(at, (middle.x, 0, middle.z), SENSOR_MM * distance / span)
    take(path)


def on_white(cut_out: Path, path: Path) -> None:
    """The same photograph on a white sheet with a faint shadow, as JPEG."""
    rgba = cv2.imread(str(cut_out), cv2.IMREAD_UNCHANGED).astype(np.float32)
    alpha = rgba[..., 3:] / 255
    rows = np.where(rgba[..., 3].max(axis=1) > 127)[0]
    foot = np.zeros(rgba.shape[:2], np.float32)
    columns = np.where(rgba[rows[-1] - 6, :, 3] > 127)[0]
    centre = (int(columns.mean()), int(rows[-1]) - 4)
    cv2.ellipse(foot, centre, (int(0.62 * np.ptp(columns)) + 8, 12), 0, 0, 360, 1.0, -1)
    sheet = 253 - 38 * cv2.GaussianBlur(foot, (0, 0), 9)[..., None]
    picture = rgba[..., :3] * alpha + sheet * (1 - alpha)
    cv2.imwrite(str(path), np.clip(picture + 0.5, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, PHOTO_JPEG])


def make(plan: Plan, photo: Path, root: Path, samples: int) -> None:
    """Render `plan` into a folder under `root`; `photo` is the product's photograph."""
    started, folder = time.monotonic(), root / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    empty()
    prepare(plan.size, samples)
    rng = random.Random(plan.seed)
    SETS[plan.set_name](rng)
    before = set(bpy.data.objects)
    PRODUCTS[plan.product]()
    product = [thing for thing in bpy.data.objects if thing not in before]
    _stand(product, plan.yaw, (rng.uniform(-0.06, 0.06), -0.08, 0.003 if "cloth" in plan.set_name else 0.0))
    _aim(plan, product, rng)
    with tempfile.TemporaryDirectory() as temporary:
        paths = {name: Path(temporary) / f"{name}.png" for name in ("scene", "truth", "mask")}
        _show(product, False)
        take(paths["scene"])
        _show(product, True)
        window = _window(product, plan.size)
        take(paths["truth"], window)
        take_mask(paths["mask"], product, window)
        scene, truth = (cv2.imread(str(paths[name])) for name in ("scene", "truth"))
        mask = cv2.imread(str(paths["mask"]), cv2.IMREAD_GRAYSCALE)
    truth, change = settled(scene, truth, mask, window)
    for name, picture in (("scene", scene), ("truth", truth), ("truth_mask", mask), ("change_mask", change)):
        cv2.imwrite(str(folder / f"{name}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    (folder / "product.png").write_bytes(photo.read_bytes())
    if plan.product in ON_WHITE:
        on_white(photo, folder / "product_on_white.jpg")
    seconds = time.monotonic() - started
    about = {"product": plan.product, "set": plan.set_name, "seed": plan.seed, "yaw_degrees": round(plan.yaw, 1)}
    about |= {
        "size": plan.size,
        "samples": samples,
        "seconds": round(seconds),
    }
    # Last: a folder without it is no case yet.
    (folder / "case.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _window(product: list[Any], size: tuple[int, int]) -> Window:
    """Pixels: left, top, right, bottom."""
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    points = [thing.matrix_world @ corner.co for thing in product for corner in thing.data.vertices]
    seen = [world_to_camera_view(scene, scene.camera, point) for point in points]
    width, height = size
    xs, ys = [width * p.x for p in seen], [height * (1 - p.y) for p in seen]
    room = max(max(xs) - min(xs), max(ys) - min(ys))
    left, top = min(xs) - ROOM["side"] * room, min(ys) - ROOM["above"] * room
    right, bottom = max(xs) + ROOM["side"] * room, max(ys) + ROOM["below"] * room
    return max(0, round(left)), max(0, round(top)), min(width, round(right)), min(height, round(bottom))


def _show(things: list[Any], shown: bool) -> None:
    for thing in things:
        thing.hide_render = not shown


def _extent(things: list[Any]) -> tuple[Vector, Vector]:
    """The least and greatest corner of what `things` fill."""
    bpy.context.view_layer.update()
    points = [
        thing.matrix_world @ corner.co for thing in things if thing.type == "MESH" for corner in thing.data.vertices
    ]
    return tuple(Vector(pick(point[axis] for point in points) for axis in range(3)) for pick in (min, max))


def _stand(product: list[Any], yaw: float, spot: tuple[float, float, float]) -> None:
    """Turn the product about its upright and put it down."""
    holder = bpy.data.objects.new("product", None)
    bpy.context.scene.collection.objects.link(holder)
    for thing in product:
        thing.parent = holder
    holder.location, holder.rotation_euler = spot, (0, 0, math.radians(yaw))


def _aim(plan: Plan, product: list[Any], rng: random.Random) -> None:
    """The camera, so that the product is `tall` of the picture and never wider than that share allows."""
    low, high = _extent(product)
    width, height = plan.size
    tall, wide = high.z - low.z, high.x - low.x
    long_side = max(width, height)
    visible = max(tall / plan.tall * long_side / height, wide / 0.42 * long_side / width)
    distance = visible * LENS_MM / SENSOR_MM
    up, around = rng.uniform(0.14, 0.34), rng.uniform(-0.2, 0.2)
    if plan.frontal:
        up, around = STUDIO_UP, 0.0
    middle = (low + high) / 2
    target = (middle.x + rng.uniform(-0.12, 0.12) * visible * width / long_side, middle.y, middle.z + 0.08 * tall)
    at = (
        target[0] + distance * math.sin(around) * math.cos(up),
        target[1] - distance * math.cos(around) * math.cos(up),
        target[2] + distance * math.sin(up),
    )
    camera(at, target, LENS_MM, f_stop=16)
