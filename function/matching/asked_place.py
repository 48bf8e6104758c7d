"""The place that a manifest asks for, and how far a product is from it.

A place is a box, or a mask (ground) in which the middle of the product's base may be, with a height. Of a mask the best
point is the most interior one, by the distance transform; where many are nearly as deep, the one nearest to their
centroid. For the prompt the mask's largest areas become polygons (Douglas and Peucker, "Algorithms for the reduction of
the number of points required to represent a digitized line or its caricature", Cartographica 10, 1973).

In: shares 0..1 of the scene, ground (h, w) uint8, boxes in px. Out: a `Place` for compositing, a `Deviation` in shares
of the product's size. `python -m tests.bench.placement`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox
from function.matching.place import Place

WHITE = 128  # a mask's grey from which on it says yes
# Points at least this deep, as a share of the deepest one, count: of a long strip the deepest one may lie at its end.
DEPTH_TOLERANCE = 0.9
# The model is told areas as polygons: at most so many, corners of each, and their tolerance as a share of the image.
MAX_AREAS, MAX_CORNERS, POLYGON_TOLERANCE = 3, 12, 0.005

Point = tuple[float, float]


@dataclass(frozen=True)
class AskedPlace:
    """What is asked of a product's place; shares are those 0..1 of the scene's width and height.

    box        left, top, width, height, that it fills from the middle of its base up
    ground     (h, w) uint8, an image of the scene's shape: white where the middle of its base may stand
    height     of the product; None where the box says it, or nothing does
    hangs      it is held at its top, which stands for its base everywhere
    tolerance  how far it may be off, as a share of its size; None: as the judge thinks
    mark       the colour (r, g, b) in which box or ground are outlined for the model; None where it is told in words
    """

    box: tuple[float, float, float, float] | None = None
    ground: np.ndarray | None = None
    height: float | None = None
    hangs: bool = False
    tolerance: float | None = None
    mark: tuple[int, int, int] | None = None

    def outline(self, size: tuple[int, int], thickness: int) -> np.ndarray:
        """(h, w) uint8 of `size`: 255 on a line of this `thickness` (pixels) around box or ground, else 0."""
        drawn = np.zeros(size[::-1], np.uint8)
        if self.box is not None:
            left, top, width, height = self._box_pixels(size)
            # Along the pixels that hold the box's edges; at the scene's border the last ones.
            last = min(int(left + width), size[0] - 1), min(int(top + height), size[1] - 1)
            cv2.rectangle(drawn, (int(left), int(top)), last, 255, thickness)
        elif self.ground is not None:
            ground = _white(cv2.resize(self.ground, size, interpolation=cv2.INTER_AREA))
            contours, _ = cv2.findContours(ground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(drawn, contours, -1, 255, thickness)
        return drawn

    def place(self, outline: PixelBox, scene_size: tuple[int, int]) -> Place | None:
        """Where a photograph of this `outline` box is to be composited; None where place or size are left to others, or
        the scene's border would cut it off."""
        if self.box is not None:
            left, top, width, height = self.box
            fitted = min(height, width * scene_size[0] / scene_size[1] * outline[3] / outline[2])
            held = left + width / 2, top if self.hangs else top + height
        elif self.ground is not None and self.height is not None:
            fitted, held = self.height, best_point(self.ground)
        else:
            return None
        tall = self.height or fitted
        place = Place.standing(held[0], held[1] + tall * self.hangs, tall, outline, scene_size)
        return place if place.is_whole else None

    def deviation(self, found: tuple[float, float, float, float], size: tuple[int, int]) -> Deviation:
        """How far a product is off that fills the box `found` (x, y, width, height), in pixels of an image of the
        scene of `size`."""
        x, y, wide, tall = found
        held_x, held_y = x + wide / 2, y if self.hangs else y + tall
        grown = 1.0 if self.height is None else tall / (self.height * size[1])
        if self.box is not None:
            left, top, width, height = self._box_pixels(size)
            if self.height is None:
                grown = max(tall / height, wide / width)
            down = held_y - (top if self.hangs else top + height)
            aside = held_x - (left + width / 2)
            return Deviation(down / (tall / grown), aside / (max(tall, wide) / grown), 0.0, grown)
        outside = 0.0 if self.ground is None else _distance(self.ground, held_x / size[0], held_y / size[1], size)
        return Deviation(0.0, 0.0, outside / (tall / grown), grown)

    def _box_pixels(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        left, top, width, height = self.box or (0.0, 0.0, 1.0, 1.0)
        return left * size[0], top * size[1], width * size[0], height * size[1]


@dataclass(frozen=True)
class Deviation:
    """How far a product is from where it was asked to be.

    down     its base is below the one asked for (above, where negative), share of the height asked for
    aside    its middle is to the right (left, where negative), share of the longer side asked for
    outside  the middle of its base is so far from the white of the mask, share of its height
    grown    its size over the one asked for
    """

    down: float
    aside: float
    outside: float
    grown: float

    @property
    def resized(self) -> float:
        """0 where the size is right, .25 for a quarter too large, or as much too small."""
        return max(self.grown, 1 / self.grown) - 1

    @property
    def worst(self) -> float:
        """The largest of them."""
        return max(abs(self.down), abs(self.aside), self.outside, self.resized)


def best_point(ground: np.ndarray) -> Point:
    """(x, y) in shares of the image: deep inside the white of `ground` (h, w) uint8, which has some."""
    depth = cv2.distanceTransform(cv2.copyMakeBorder(_white(ground), 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    rows, columns = np.nonzero(depth >= DEPTH_TOLERANCE * depth.max())
    nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    return float(columns[nearest] - 0.5) / ground.shape[1], float(rows[nearest] - 0.5) / ground.shape[0]


def areas(ground: np.ndarray) -> tuple[tuple[Point, ...], ...]:
    """The largest white areas of `ground` (h, w) uint8 as polygons of (x, y) in shares of the image."""
    contours, _ = cv2.findContours(_white(ground), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = sorted(contours, key=cv2.contourArea, reverse=True)[:MAX_AREAS]
    height, width = ground.shape
    return tuple(
        tuple(
            ((x + 0.5) / width, (y + 0.5) / height)
            for x, y in _few_corners(contour, POLYGON_TOLERANCE * max(width, height))
        )
        for contour in largest
    )


def _few_corners(contour: np.ndarray, step: float) -> list[tuple[int, int]]:
    corners = cv2.approxPolyDP(contour, step, True)
    while len(corners) > MAX_CORNERS:
        step *= 1.5
        corners = cv2.approxPolyDP(contour, step, True)
    return [(int(x), int(y)) for x, y in corners[:, 0]]


def _white(ground: np.ndarray) -> np.ndarray:
    white: np.ndarray = (ground >= WHITE).astype(np.uint8)
    return white


def _distance(ground: np.ndarray, x: float, y: float, size: tuple[int, int]) -> float:
    """Pixels of an image of `size` from the point (x, y), in shares of it, to the nearest white."""
    rows, columns = np.nonzero(_white(ground))
    across = (np.maximum(np.abs((columns + 0.5) / ground.shape[1] - x) - 0.5 / ground.shape[1], 0)) * size[0]
    down = (np.maximum(np.abs((rows + 0.5) / ground.shape[0] - y) - 0.5 / ground.shape[0], 0)) * size[1]
    return float(np.hypot(across, down).min()) if len(rows) else float(max(size))
