"""Products drawn as colour times coverage, several times too large and shrunk by area: their true alpha is known."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

SIDE, FINE = 900, 3  # of the picture, px; drawn so many times larger
Shape = Callable[[np.ndarray], object]  # draws 255 into a mask (h, w) uint8


class Drawing:
    """Colour times coverage, and coverage, `FINE` times too large."""

    def __init__(self, seed: int):
        fine = SIDE * FINE
        self.ink, self.cover = np.zeros((fine, fine, 3), np.float32), np.zeros((fine, fine), np.float32)
        self.rng = np.random.default_rng(seed)

    def add(self, shape: Shape, colour: tuple[int, int, int], opacity: float = 1.0) -> Drawing:
        """Lays a shape over what is there."""
        inner, mask = self._mask(shape)
        share = mask.astype(np.float32) / 255 * opacity
        self.ink[inner] = self.ink[inner] * (1 - share[..., None]) + np.float32(colour) * share[..., None]
        self.cover[inner] = self.cover[inner] * (1 - share) + share
        return self

    def cut(self, shape: Shape) -> Drawing:
        """Takes a shape away."""
        inner, mask = self._mask(shape)
        self.ink[inner][mask > 0], self.cover[inner][mask > 0] = 0, 0
        return self

    def text(self, words: str, at: tuple[int, int], size: float, colour: tuple[int, int, int], thick: int) -> Drawing:
        corner, font = (at[0] * FINE, at[1] * FINE), cv2.FONT_HERSHEY_DUPLEX
        ink = lambda m: cv2.putText(m, words, corner, font, size * FINE, 255, thick * FINE, cv2.LINE_AA)  # noqa: E731
        return self.add(ink, colour)

    def done(self, grain: float = 6) -> np.ndarray:
        """(SIDE, SIDE, 4) uint8 RGBA, lit from the left, with a grain of that standard deviation before shrinking."""
        fine = self.cover.shape[0]
        shade = np.linspace(1.08, 0.86, fine, dtype=np.float32)[None, :, None]
        noise = cv2.GaussianBlur(self.rng.normal(0, 1, (fine, fine)).astype(np.float32), (0, 0), FINE * 1.1)[..., None]
        ink = np.clip(self.ink * shade + noise * (grain / float(noise.std())) * self.cover[..., None], 0, 255)
        ink, cover = (cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in (ink, self.cover))
        colour = ink / np.maximum(cover[..., None], 1e-3)
        return np.dstack([np.clip(colour, 0, 255), np.clip(cover * 255 + 0.5, 0, 255)]).astype(np.uint8)

    def _mask(self, shape: Shape) -> tuple[tuple[slice, slice], np.ndarray]:
        """The box that a shape takes, and its mask (h, w) uint8 there."""
        mask = np.zeros(self.cover.shape, np.uint8)
        shape(mask)
        x, y, width, height = cv2.boundingRect(mask)
        inner = slice(y, y + height), slice(x, x + width)
        return inner, mask[inner]


def poly(*xy: int) -> Shape:
    return lambda m: cv2.fillPoly(m, [np.array(xy, np.int32).reshape(-1, 2) * FINE], (255,))


def box(left: int, top: int, right: int, bottom: int) -> Shape:
    return lambda m: cv2.rectangle(m, (left * FINE, top * FINE), (right * FINE, bottom * FINE), 255, -1)


def oval(x: int, y: int, rx: int, ry: int, arc: tuple[int, int] = (0, 360), width: int = 0) -> Shape:
    """Filled without a `width`, else a line of that many px."""
    thick = width * FINE if width else -1
    return lambda m: cv2.ellipse(m, (x * FINE, y * FINE), (rx * FINE, ry * FINE), 0, *arc, 255, thick)


def line(x: int, y: int, x2: int, y2: int, width: int) -> Shape:
    return lambda m: cv2.line(m, (x * FINE, y * FINE), (x2 * FINE, y2 * FINE), 255, width * FINE)
