"""Several products in one emulated picture: each at the side that its placement names, or side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from function.tools.emulator.placement import Spot, find_spot
from function.tools.emulator.protocol import GenerateRequest

PRODUCTS_FAULTS = frozenset(
    {
        "one_left_out",  # the last product
        "one_drawn_twice",  # the first
        "one_recoloured",  # the first
    }
)
PRODUCT = re.compile(r'\[(\d+)\] is the product "([^"]*)"')
EDGES = 0.22, 0.78  # of the scene's width, between which products without a side are spread
GAP = 0.25  # of the wider one's width, between two products at least
MAX_WIDTH = 0.7  # of the scene's: what all products and the gaps between them take at the most


@dataclass(frozen=True)
class AskedProduct:
    """A product of the prompt: the image (from 0) that shows it, and the words of its placement."""

    image: int
    placement: str


def asked_products(request: GenerateRequest) -> list[AskedProduct]:
    """The products that the prompt names; none where it asks for one product."""
    asked = []
    for number, name in PRODUCT.findall(request.text):
        placement = re.search(rf'^Placement of "{re.escape(name)}": *(.*)$', request.text, re.MULTILINE)
        if int(number) <= len(request.images):
            asked.append(AskedProduct(int(number) - 1, placement[1] if placement else ""))
    return asked


def find_spots(
    scene: np.ndarray, products: Sequence[np.ndarray], sides: Sequence[float | None], rng: np.random.Generator
) -> list[Spot]:
    """Where the trimmed `products` (uint8 RGBA) stand in the `scene` (uint8 RGB), in its pixels, none before another.
    `sides`: shares of the width, where some were asked for."""
    width, count = scene.shape[1], len(products)
    spread = np.linspace(*EDGES, count) if count > 1 else [0.5]
    wanted = [float(at) if side is None else side for side, at in zip(sides, spread, strict=True)]
    spots = [find_spot(scene, one, rng, at) for one, at in zip(products, wanted, strict=True)]
    shapes = [one.shape[1] / one.shape[0] for one in products]
    widest = max(spot.height * shape for spot, shape in zip(spots, shapes, strict=True))
    taken = sum(spot.height * shape for spot, shape in zip(spots, shapes, strict=True)) + GAP * widest * (count - 1)
    smaller = min(1.0, MAX_WIDTH * width / taken)
    spots = [replace(spot, height=spot.height * smaller) for spot in spots]
    order = sorted(range(count), key=lambda index: (wanted[index], index))
    left_free = 0.0
    for index in order:  # pushed to the right as far as it takes
        half = spots[index].height * shapes[index] / 2
        spots[index] = replace(spots[index], foot_x=max(spots[index].foot_x, left_free + half))
        left_free = spots[index].foot_x + half + GAP * widest * smaller
    over = left_free - GAP * widest * smaller - 0.97 * width
    return [replace(spot, foot_x=spot.foot_x - max(0.0, over)) for spot in spots]


def twin_of(spots: Sequence[Spot], product: np.ndarray, width: float) -> Spot:
    """Where the first of the `spots` is taken a second time, in a picture so wide: where most room is."""
    half = spots[0].height * product.shape[1] / product.shape[0] / 2
    places = np.linspace(2 * half, width - 2 * half, 25)  # clear of the border
    free = [min(abs(place - spot.foot_x) for spot in spots) for place in places]
    return replace(spots[0], foot_x=float(places[int(np.argmax(free))]))
