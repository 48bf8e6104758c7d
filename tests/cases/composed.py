"""Photographs composed into scenes: good pictures of products and places that no renderer was asked for."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tests.cases.cases import Case


def compose(
    name: str,
    scene_rgb: np.ndarray,
    product: np.ndarray,
    *,
    centre_x: float = 0.5,
    base_y: float = 0.8,
    height: float = 0.35,
    light: tuple[float, float, float] = (0.95, 0.92, 0.88),
    turn: float = 0.06,
    opacity: float = 1.0,
) -> Case:
    """`product` set into `scene_rgb` with a contact and a cast shadow. Places and sizes are shares of the
    scene; `turn` squeezes one side of the photograph, `opacity` below 1 lets the scene through (glass)."""
    rows, width = scene_rgb.shape[:2]
    scene = scene_rgb.astype(np.float32)
    x, y, w, h = cv2.boundingRect((product[..., 3] > 127).astype(np.uint8))
    photo = product[y : y + h, x : x + w].astype(np.float32)
    alpha = photo[..., 3:] / 255
    photo = np.dstack([photo[..., :3] * alpha, photo[..., 3] / 255])
    tall = height * rows
    wide = tall * w / h * (1 - turn / 2)
    left, base = centre_x * width - wide / 2, base_y * rows
    corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
    squeeze = turn * tall * 0.12
    target = np.float32(
        [
            [left, base - tall],
            [left + wide, base - tall + squeeze],
            [left + wide, base - squeeze],
            [left, base],
        ]
    )
    blur = max(0.3, 0.45 * h / tall)
    photo = cv2.GaussianBlur(photo, (0, 0), blur)
    laid = cv2.warpPerspective(photo, cv2.getPerspectiveTransform(corners, target), (width, rows))
    mask = np.clip(laid[..., 3], 0, 1)
    across = np.linspace(1.12, 0.86, width, dtype=np.float32)[None, :, None]
    colour = laid[..., :3] / np.maximum(mask, 1e-3)[..., None] * np.float32(light) * across
    shadow = _shadow(mask, base, left, wide, tall)
    ground = scene * (1 - shadow[..., None])
    cover = (mask * opacity)[..., None]
    truth = ground * (1 - cover) + np.clip(colour, 0, 255) * cover
    change = np.abs(truth - scene).max(axis=2) > 1
    return Case(
        name,
        scene_rgb,
        np.clip(truth + 0.5, 0, 255).astype(np.uint8),
        product,
        (mask * 255).astype(np.uint8),
        change.astype(np.uint8) * 255,
    )


def _shadow(mask: np.ndarray, base: float, left: float, wide: float, tall: float) -> np.ndarray:
    """(h, w) float32 0..1, dark where the product stands and fading to the right."""
    height, width = mask.shape
    contact = np.zeros_like(mask)
    centre = (round(left + wide / 2), round(base - 0.01 * tall))
    cv2.ellipse(contact, centre, (round(0.5 * wide), max(2, round(0.09 * wide))), 0, 0, 360, 1.0, -1)
    near = cv2.GaussianBlur(contact, (0, 0), 0.02 * tall + 0.6)
    skew = np.float32([[1, -0.55, 0.55 * base], [0, 0.28, 0.72 * base]])
    cast = cv2.GaussianBlur(cv2.warpAffine(mask, skew, (width, height)), (0, 0), 0.03 * tall + 1)
    return np.clip(0.55 * near + 0.3 * cast, 0, 0.75)


def tinted(case: Case, light: tuple[float, float, float]) -> Case:
    """The same case under a coloured light: scene and truth alike."""
    scene, truth = (
        np.clip(picture * np.float32(light), 0, 255).astype(np.uint8) for picture in (case.scene, case.truth)
    )
    return replace(case, name=f"{case.name}-tinted", scene=scene, truth=truth)


def blank_product(product: np.ndarray) -> np.ndarray:
    """`product` without print: its colours smoothed over far more than a letter."""
    alpha = product[..., 3:].astype(np.float32) / 255
    sigma = 0.05 * max(product.shape[:2])
    total = cv2.GaussianBlur(alpha, (0, 0), sigma)[..., None] + 1e-3
    smooth = cv2.GaussianBlur(product[..., :3] * alpha, (0, 0), sigma) / total
    return np.dstack([np.clip(smooth, 0, 255).astype(np.uint8), product[..., 3]])


def white_product(product: np.ndarray) -> np.ndarray:
    """A plain white thing of the same outline, shaded like a round body."""
    height, width = product.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    shade = np.broadcast_to(238 - 42 * np.abs(across + 0.25) ** 2, (height, width))
    return np.dstack([np.clip(shade, 0, 255).astype(np.uint8)] * 3 + [product[..., 3]])


def plain_scene(size: tuple[int, int] = (1920, 1080)) -> np.ndarray:
    """A studio sweep without texture, uint8 RGB."""
    width, height = size
    down = np.linspace(205, 182, height, dtype=np.float32)[:, None]
    grey = np.broadcast_to(down, (height, width))
    return np.dstack([grey, grey * 0.985, grey * 0.96]).astype(np.uint8)


def busy_shelf(scene: np.ndarray, product: np.ndarray, hue_steps: tuple[int, ...] = (35, 80, 120, 150)) -> np.ndarray:
    """`scene` with a row of the product's sisters in other colours on it; uint8 RGB."""
    shelf = scene
    for place, hue in zip((0.12, 0.28, 0.72, 0.88), hue_steps, strict=True):
        hsv = cv2.cvtColor(product[..., :3], cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + hue) % 180
        sister = np.dstack([cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), product[..., 3]])
        shelf = compose("sister", shelf, sister, centre_x=place, base_y=0.78, height=0.33).truth
    return shelf
