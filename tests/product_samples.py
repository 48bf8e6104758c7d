"""Photographs of one product from several sides, and pairs that show them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from PIL import Image

from function.tools.emulator.render_faults import spoil_product
from tests.support import DATA, Cloud, png, product_array, scene_array

SIDE_PX = 900
DETAIL = np.s_[300:700, 250:650]  # of the front: a part of its label
SCENE_SIZE = (1344, 756)


@cache
def views() -> dict[str, np.ndarray]:
    """(h, w, 4) uint8 by name: its front, its back with other print, and a close-up of the front."""
    front = product_array(SIDE_PX)
    return {
        "front.png": front,
        "back.png": spoil_product(front, "other_label"),
        "detail.png": np.ascontiguousarray(front[DETAIL]),
    }


@cache
def view_png(name: str) -> bytes:
    """One of them, encoded once."""
    return png(views()[name])


@cache
def large_scene_png() -> bytes:
    """A scene that is large enough for every check to measure."""
    return png(scene_array(*SCENE_SIZE))


def put_views(cloud: Cloud, names: list[str], **fields):
    """Upload a pair with these photographs of its product → the manifest's resource."""
    cloud.put("scene.png", large_scene_png())
    for name in names:
        cloud.put(name, view_png(name))
    seed = int(cloud.prefix[1:-1], 16) % 2**30
    return cloud.put("pair.json", {"scene": "scene.png", "product": names, "seed": seed, **fields})


@cache
def other_product_png(name: str) -> bytes:
    """Another product of the cases (can, mug, box), or the bottle of the demo; encoded once."""
    if name == "bottle":
        return view_png("front.png")
    return png(np.asarray(Image.open(DATA / "cases" / name / "product.webp").convert("RGBA")))


def put_products(cloud: Cloud, asked: Mapping[str, str | dict | None], **fields):
    """Upload a pair with these products, each with its placement → the manifest's resource."""
    cloud.put("scene.png", large_scene_png())
    for name in asked:
        cloud.put(f"{name}.png", other_product_png(name))
    products = [{"name": name, "product": f"{name}.png", "placement": place} for name, place in asked.items()]
    seed = int(cloud.prefix[1:-1] or "0", 16) % 2**30
    return cloud.put("pair.json", {"scene": "scene.png", "products": products, "seed": seed, **fields})
