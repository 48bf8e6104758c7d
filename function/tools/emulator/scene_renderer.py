"""A plain product-photography scene from words: a surface, a wall and a light, rendered without a model."""

from __future__ import annotations

import re

import cv2
import numpy as np

HORIZON = (0.52, 0.62)  # where surface meets wall, of the height
VIEW = 0.28  # foreshortening of the surface: seen from about 16 degrees above
# word → base colour of the surface (sRGB) and how it is drawn
SURFACES: dict[str, tuple[tuple[int, int, int], str]] = {
    "marble": ((226, 224, 221), "veins"),
    "stone": ((168, 164, 158), "veins"),
    "granite": ((122, 120, 118), "veins"),
    "slate": ((74, 78, 82), "veins"),
    "concrete": ((166, 164, 160), "plain"),
    "walnut": ((104, 68, 44), "grain"),
    "oak": ((186, 142, 94), "grain"),
    "wood": ((158, 108, 66), "grain"),
    "table": ((158, 108, 66), "grain"),
    "linen": ((214, 204, 188), "plain"),
}
COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (236, 234, 230),
    "black": (44, 44, 46),
    "grey": (150, 151, 153),
    "gray": (150, 151, 153),
    "beige": (219, 203, 180),
    "pink": (226, 184, 178),
    "green": (122, 146, 126),
    "sage": (158, 170, 146),
    "blue": (118, 146, 176),
    "terracotta": (190, 112, 84),
    "yellow": (226, 194, 112),
}
PLAIN_SURFACE = (200, 194, 186)
PLAIN_WALL = (214, 208, 200)
WARM, COOL = (1.05, 1.0, 0.90), (0.95, 1.0, 1.06)  # per channel


def plain_scene(words: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """An empty scene of `size` (width, height) as `words` describe it, float32 RGB 0..255.

    Read from the words: the surface's material, a colour for the wall, light from the left or the right, and
    warm or cool light. What they do not say is chosen by `rng`.
    """
    words = words.lower()
    width, height = size
    edge = round(height * rng.uniform(*HORIZON))
    named = next((name for name in SURFACES if re.search(rf"\b{name}", words)), None)
    colour, kind = SURFACES[named] if named else (PLAIN_SURFACE, "plain")
    wall = next((COLOURS[name] for name in COLOURS if re.search(rf"\b{name}\b[^,.;]*\b(wall|back)", words)), None)
    wall = wall or PLAIN_WALL
    side = -1.0 if re.search(r"\b(from|on) the right\b|\bright[- ]hand\b", words) else 1.0
    picture = np.empty((height, width, 3), np.float32)
    picture[:edge] = np.array(wall, np.float32) * (1 + 0.005 * _noise(rng, (edge, width), 2.0)[..., None])
    picture[edge:] = _surface(rng, (height - edge, width), colour, kind)
    picture *= _light(size, edge, side)[..., None]
    if re.search(r"\bwarm|\bgolden|\bevening|\bsunset|\bmorning", words):
        picture *= np.array(WARM, np.float32)
    elif re.search(r"\bcool|\bnorth|\bovercast|\bcold", words):
        picture *= np.array(COOL, np.float32)
    soft = cv2.GaussianBlur(picture, (0, 0), 2.2)  # the wall lies behind the plane of focus
    blend = np.clip((np.arange(height) - edge) / (0.1 * height), 0, 1).astype(np.float32)[:, None, None]
    return np.clip(soft * (1 - blend) + picture * blend, 0, 255)


def _light(size: tuple[int, int], edge: int, side: float) -> np.ndarray:
    """Brightness over the picture: falls away from the light, dims in the corner of wall and surface."""
    width, height = size
    across = np.linspace(side, -side, width, dtype=np.float32)[None]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    light = 1 + 0.16 * across - 0.10 * np.abs(across) ** 2 - 0.06 * (1 - down)
    distance = np.abs(np.arange(height, dtype=np.float32) - edge)[:, None] / height
    return light * (1 - 0.14 * np.exp(-distance / 0.035))


def _surface(rng: np.random.Generator, shape: tuple[int, int], colour: tuple[int, int, int], kind: str) -> np.ndarray:
    """The surface's own colours, (h, w, 3) float32, foreshortened towards its far edge."""
    height, width = shape
    top = np.empty((max(8, round(height / VIEW)), width, 3), np.float32)
    if kind == "grain":
        _grain(rng, top, colour)
    else:
        cloud = _noise(rng, top.shape[:2], 60.0)
        top[:] = np.array(colour, np.float32) * (1 + (0.05 if kind == "veins" else 0.025) * cloud)[..., None]
        if kind == "veins":
            bend = _noise(rng, top.shape[:2], 45.0) + 0.5 * _noise(rng, top.shape[:2], 14.0)
            veins = np.exp(-((bend / 0.07) ** 2)) * np.clip(0.5 + _noise(rng, top.shape[:2], 80.0), 0, 1)
            top *= 1 - 0.24 * veins[..., None]
        top *= 1 + 0.01 * _noise(rng, top.shape[:2], 1.0)[..., None]
    far, near = 0.30 * width, 0.0  # the far edge shows more of the surface's width than the near one
    h, w = top.shape[:2]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    target = np.array([[near, 0], [width - near, 0], [width + far, height], [-far, height]], np.float32)
    return cv2.warpPerspective(
        top,
        cv2.getPerspectiveTransform(source, target),
        (width, height),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REFLECT,
    )


def _grain(rng: np.random.Generator, top: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Boards that run from left to right, with grain along them."""
    height, width = top.shape[:2]
    boards = 6
    for index in range(boards):
        rows = slice(height * index // boards, height * (index + 1) // boards)
        count = rows.stop - rows.start
        fine = _noise(rng, (count, max(8, width // 24)), 1.2) + _noise(rng, (count, max(8, width // 24)), 6.0)
        grain = cv2.resize(fine, (width, count), interpolation=cv2.INTER_CUBIC)
        shade = (1 + 0.07 * rng.uniform(-1, 1)) * (1 + 0.085 * grain)
        top[rows] = np.array(colour, np.float32) * shade[..., None]
        top[rows.start : rows.start + 4] *= 0.55


def _noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """Smooth noise of unit standard deviation, float32 (h, w)."""
    step = max(1, int(sigma / 2))
    drawn = rng.standard_normal((shape[0] // step + 2, shape[1] // step + 2), dtype=np.float32)
    coarse = cv2.GaussianBlur(drawn, (0, 0), sigma / step)
    coarse = (coarse - coarse.mean()) / (coarse.std() + 1e-6)
    result: np.ndarray = (
        cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) if step > 1 else coarse[: shape[0], : shape[1]]
    )
    return result
