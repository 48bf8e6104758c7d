"""Liberties that models take with a product, drawn into a case's truth: each gives the case as the model draws it.

The product is lifted off the truth, and what it covered filled with the scene under the truth's light, so that it can
be drawn elsewhere, in another shape, or anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.tools.emulator.repainting import smooth_field, texture_change
from tests.cases.cases import Case

# Soft edge that is lifted off with the product (pixels), and the width that the light is carried on over.
EDGE_PX, LIGHT_SIGMA = 3, 9.0
LETTERS, LETTERS_WIDTH = 0.012, 0.012  # how far print is moved to and fro, and how narrowly; shares of the height
LIKENESS = 0.3  # of repainted texture
RESHAPED, MOVED = (0.03, 0.05), 0.03
TURNED, BULGE = 0.87, 0.16  # cos 30 degrees; how far the middle of a turned front lies to the side, of its width
ELSEWHERE = 0.3  # of the picture's width


@dataclass(frozen=True)
class Drawn:
    """A case's truth in two layers: `ground` (H, W, 3) float32 without the product, and its coverage (H, W) 0..1."""

    case: Case
    ground: np.ndarray
    coverage: np.ndarray

    @classmethod
    def of(cls, case: Case) -> Drawn:
        mask = cv2.dilate(case.product_mask, np.ones((2 * EDGE_PX + 1,) * 2, np.uint8))
        seen = (mask == 0).astype(np.float32)
        scene, truth = case.scene.astype(np.float32) + 4, case.truth.astype(np.float32) + 4
        ratio = np.log(truth / scene) * seen[..., None]
        light, weight = np.zeros_like(ratio), np.zeros_like(seen)
        for sigma, share in ((LIGHT_SIGMA, 1.0), (6 * LIGHT_SIGMA, 1e-3)):
            light += share * cv2.GaussianBlur(ratio, (0, 0), sigma)
            weight += share * cv2.GaussianBlur(seen, (0, 0), sigma)
        filled = scene * np.exp(light / (weight[..., None] + 1e-6)) - 4
        ground = np.where(seen[..., None] > 0, case.truth, filled).astype(np.float32)
        return cls(case, np.clip(ground, 0, 255), case.product_mask.astype(np.float32) / 255)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height of the product."""
        x, y, width, height = cv2.boundingRect((self.coverage > 0.5).astype(np.uint8))
        return x, y, width, height

    def with_product(self, rgb: np.ndarray, coverage: np.ndarray) -> Case:
        """The case with the product drawn as `rgb` (H, W, 3) over the ground."""
        share = coverage[..., None]
        truth = np.clip(self.ground * (1 - share) + rgb * share + 0.5, 0, 255).astype(np.uint8)
        mask = np.clip(255 * coverage + 0.5, 0, 255).astype(np.uint8)
        return replace(self.case, truth=truth, product_mask=mask)

    def sampled(self, xs: np.ndarray, ys: np.ndarray) -> Case:
        """With the product's pixels taken from (`xs`, `ys`)."""
        xs, ys = xs.astype(np.float32), ys.astype(np.float32)
        rgb = cv2.remap(self.case.truth.astype(np.float32), xs, ys, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return self.with_product(rgb, cv2.remap(self.coverage, xs, ys, cv2.INTER_LINEAR))

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of each pixel, float32."""
        height, width = self.coverage.shape
        xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        return xs, ys


def kept(drawn: Drawn, rng: np.random.Generator) -> Case:
    """Drawn as it is, but for what the manner of answering does to its print."""
    return drawn.case


def repainted(drawn: Drawn, rng: np.random.Generator) -> Case:
    """Texture repainted and letters wrong."""
    xs, ys = drawn.grid()
    height = drawn.box[3]
    shape = drawn.coverage.shape
    wrong = [smooth_field(rng, shape, LETTERS_WIDTH * height, LETTERS * height) for _ in range(2)]
    inner = cv2.GaussianBlur(cv2.erode(drawn.coverage, np.ones((9, 9), np.uint8)), (0, 0), 2)
    xs, ys = xs + inner * wrong[0], ys + inner * wrong[1]
    case = drawn.case
    rgb = cv2.remap(case.truth.astype(np.float32), xs, ys, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return drawn.with_product(rgb + texture_change(rgb, LIKENESS, rng), drawn.coverage)


def misshapen(drawn: Drawn, rng: np.random.Generator) -> Case:
    """Its shape off by 3 to 5 %, and up to 3 % away."""
    x, y, width, height = drawn.box
    wider, taller = (1 + rng.choice([-1, 1]) * rng.uniform(*RESHAPED) for _ in range(2))
    away = rng.uniform(-MOVED, MOVED) * height, rng.uniform(-MOVED / 3, MOVED / 3) * height
    xs, ys = drawn.grid()
    xs = (xs - x - width / 2 - away[0]) / wider + x + width / 2
    ys = (ys - y - height - away[1]) / taller + y + height
    return drawn.sampled(xs, ys)


def turned(drawn: Drawn, rng: np.random.Generator) -> Case:
    """By 30 degrees about its upright."""
    x, _, width, _ = drawn.box
    xs, ys = drawn.grid()
    narrow = TURNED * width
    across = (xs - x - (width - narrow) / 2) / narrow
    side = rng.choice([-1, 1])
    source = across + side * BULGE * np.sin(np.pi * np.clip(across, 0, 1))
    inside = (across >= 0) & (across <= 1)
    case = drawn.sampled(np.where(inside, x + source * width, xs), ys)
    coverage = case.product_mask.astype(np.float32) / 255 * inside
    return drawn.with_product(case.truth.astype(np.float32), coverage)


def ignored(drawn: Drawn, rng: np.random.Generator) -> Case:
    """Another product of its kind, elsewhere."""
    case = repainted(Drawn.of(turned(drawn, rng)), rng)
    x, _, width, _ = drawn.box
    total = drawn.coverage.shape[1]
    side = 1 if x + width / 2 < total / 2 else -1
    away = min(ELSEWHERE * total, 0.95 * (total - x - width if side > 0 else x))
    shift = np.array([[1, 0, side * away], [0, 1, 0]], np.float32)
    size = total, drawn.coverage.shape[0]
    rgb, mask = (cv2.warpAffine(p, shift, size) for p in (case.truth, case.product_mask))
    return drawn.with_product(rgb.astype(np.float32), mask.astype(np.float32) / 255)


LIBERTIES: dict[str, Callable[[Drawn, np.random.Generator], Case]] = {
    "kept": kept,
    "repainted": repainted,
    "misshapen": misshapen,
    "turned": turned,
    "ignored": ignored,
}
