"""A place that is known beforehand: where the product's photograph is composited upright into a scene.

It is the box of the photograph's silhouette, in shares 0..1 of the scene, so that it holds at any resolution, and is
rounded to a pixel of what the model sees, so that a repeated request is the same. From it follow the mapping of pixels
to the photograph and a `ProductMatch` like that of a found product.

In: alpha (ph, pw) uint8, sizes (width, height). Out: `Place`; mapping (h, w, 2) float32, shares of the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox
from function.matching.match import ProductMatch

# Places are rounded to this share of the scene's sides, a pixel of what the model sees: a request that is repeated
# after a crash is the same even where another processor rounds the last digits otherwise.
STEP = 1 / 1024
# Least share of a place inside the scene: below, the border cuts it.
MIN_INSIDE = 0.98
# The box in the generated image has room for a soft outline (pixels).
PADDING_PX = 3


@dataclass(frozen=True)
class Place:
    """The box of the product's outline in shares 0..1 of the scene's width and height."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def standing(
        cls, foot_x: float, foot_y: float, height: float, outline: PixelBox, scene_size: tuple[int, int]
    ) -> Place:
        """The place of a product that stands with the middle of its base at (foot_x, foot_y) and is `height` tall, all
        in shares of the scene; its width follows from the `outline` box of its photograph. Rounded to `STEP`."""
        foot_x, foot_y, height = (round(value / STEP) * STEP for value in (foot_x, foot_y, height))
        width = height * scene_size[1] / scene_size[0] * outline[2] / outline[3]
        return cls(foot_x - width / 2, foot_y - height, width, height)

    def pixels(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """(x, y, width, height) in an image of the scene of `size` (width, height)."""
        return self.left * size[0], self.top * size[1], self.width * size[0], self.height * size[1]

    def inside_share(self) -> float:
        """Share 0..1 of the box that lies inside the scene."""
        across = max(0.0, min(1.0, self.left + self.width) - max(0.0, self.left))
        down = max(0.0, min(1.0, self.top + self.height) - max(0.0, self.top))
        return across * down / max(1e-9, self.width * self.height)

    @property
    def is_whole(self) -> bool:
        """Whether the scene's border does not cut it off."""
        return self.inside_share() >= MIN_INSIDE


def outline_box(alpha: np.ndarray) -> PixelBox:
    """The box (x, y, width, height) of what `alpha` (h, w) uint8 covers; sides of 0 where that is nothing."""
    x, y, width, height = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    return x, y, width, height


def place_mapping(alpha: np.ndarray, place: Place, size: tuple[int, int], box: PixelBox) -> np.ndarray:
    """(h, w, 2) float32: relative place 0..1 in the photograph, whose coverage is `alpha` (ph, pw) uint8, of each pixel
    of `box` in an image of `size`."""
    outline = outline_box(alpha)
    x, y, width, height = place.pixels(size)
    across = (np.arange(box[2]) + box[0] + 0.5 - x) / width * outline[2] + outline[0]
    down = (np.arange(box[3]) + box[1] + 0.5 - y) / height * outline[3] + outline[1]
    u, v = np.meshgrid(across / alpha.shape[1], down / alpha.shape[0])
    return np.dstack([u, v]).astype(np.float32)


def match_at(place: Place, alpha: np.ndarray, coverage: np.ndarray, correlation: float) -> ProductMatch:
    """The match of a photograph with coverage `alpha` (ph, pw) uint8 that was composited at `place`; `coverage` (h, w)
    uint8 is what it covers there. `correlation` 0..1 as in `ProductMatch`."""
    size = coverage.shape[1], coverage.shape[0]
    x, y, width, height = place.pixels(size)
    left, top = max(0, int(x) - PADDING_PX), max(0, int(y) - PADDING_PX)
    right, bottom = min(size[0], int(x + width) + PADDING_PX + 1), min(size[1], int(y + height) + PADDING_PX + 1)
    box = left, top, right - left, bottom - top
    return ProductMatch(
        kind="laid",
        correlation=correlation,
        mirrored=False,
        instances=1,
        box=box,
        coverage=coverage,
        mapping=place_mapping(alpha, place, size, box),
        weight=np.ascontiguousarray(coverage[top:bottom, left:right]),
    )
