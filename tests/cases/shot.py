"""What a perfect model would show of a case, and the tools to spoil it with."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tests.cases.cases import Case


@dataclass(frozen=True)
class Shot:
    """What a perfect model would show. scene, truth (h, w, 3) float32 RGB; mask (h, w) float32 0..1."""

    scene: np.ndarray
    truth: np.ndarray
    mask: np.ndarray

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) of the product, pixels."""
        return cv2.boundingRect((self.mask > 0.5).astype(np.uint8))

    @property
    def light(self) -> np.ndarray:
        """(h, w, 3) float32: what the product's shadow makes of the scene, continued under the product."""
        near = cv2.dilate((self.mask > 0.02).astype(np.uint8), np.ones((9, 9), np.uint8))
        lit = cv2.GaussianBlur(self.truth + 4, (0, 0), 3) / cv2.GaussianBlur(self.scene + 4, (0, 0), 3)
        lit = np.clip(lit * 128, 0, 255).astype(np.uint8)
        return cv2.inpaint(lit, near, 5, cv2.INPAINT_TELEA).astype(np.float32) / 128

    @property
    def shadowed(self) -> np.ndarray:
        """The scene with the product's shadow but without the product."""
        return np.clip(self.scene * self.light, 0, 255)

    def shadow_moved(self, matrix: list[list[float]]) -> np.ndarray:
        """The scene with that shadow elsewhere."""
        size = self.mask.shape[1], self.mask.shape[0]
        return np.clip(self.scene * cv2.warpAffine(self.light, np.float32(matrix), size, borderValue=(1, 1, 1)), 0, 255)


def shot_of(case: Case) -> Shot:
    return Shot(
        case.scene.astype(np.float32),
        case.truth.astype(np.float32),
        case.product_mask.astype(np.float32) / 255,
    )


def _noise_field(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """(h, w) float32 smooth noise of width `sigma`, root mean square 1."""
    step = max(1, int(sigma / 3))
    small = rng.standard_normal((shape[0] // step + 4, shape[1] // step + 4)).astype(np.float32)
    smooth = cv2.GaussianBlur(small, (0, 0), sigma / step)
    smooth = cv2.resize(smooth, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return smooth / (smooth.std() + 1e-9)


def bend(picture: np.ndarray, rng: np.random.Generator, width: float, strength: np.ndarray | float) -> np.ndarray:
    """`picture` displaced by smooth noise of `width` pixels, `strength` pixels root mean square."""
    height, wide = picture.shape[:2]
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(height, dtype=np.float32))
    dx, dy = (strength * _noise_field(rng, (height, wide), width) for _ in range(2))
    return cv2.remap(
        picture,
        (x + dx).astype(np.float32),
        (y + dy).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def laid(under: np.ndarray, over: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return under * (1 - mask[..., None]) + over * mask[..., None]


def shifted(shot: Shot, matrix: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    size = shot.truth.shape[1], shot.truth.shape[0]
    m = np.float32(matrix)
    return (
        cv2.warpAffine(shot.truth, m, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101),
        cv2.warpAffine(shot.mask, m, size),
    )


def about(scale_x: float, scale_y: float, x: float, y: float) -> list[list[float]]:
    return [[scale_x, 0, x - scale_x * x], [0, scale_y, y - scale_y * y]]


def hue_turned(picture: np.ndarray, hue: int) -> np.ndarray:
    hsv = cv2.cvtColor(np.clip(picture, 0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV).astype(int)
    hsv[..., 0] = (hsv[..., 0] + hue) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.2 + 25, 0, 255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)


def inner_part(shot: Shot, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Soft mask of a part of the product's box, kept off its rim."""
    x, y, w, h = shot.box
    part = np.zeros_like(shot.mask)
    part[round(y + top * h) : round(y + bottom * h), round(x + left * w) : round(x + right * w)] = 1
    solid = cv2.erode((shot.mask > 0.98).astype(np.float32), np.ones((5, 5)))
    return cv2.GaussianBlur(part * solid, (0, 0), 1.0)
