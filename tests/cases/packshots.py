"""Product photographs as shops have them, drawn: the truth of outline, openings and backdrop is known.

Eight products before six backdrops, as cut-outs and with a drop shadow baked into their alpha, each with the right
answer of a model and with wrong ones. They test outlines, openings and backdrops, not materials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from tests.cases.drawing import SIDE, Drawing, box, line, oval, poly

SCENE_SIZE, ANSWER_SIZE = (1600, 1200), (1184, 864)
# A drop shadow as an image editor exports it: opacity, offset and standard deviation in px.
DROP_OPACITY, DROP_OFFSET, DROP_SIGMA = 0.55, (20, 24), 14
JPEG_QUALITY = 93
# Openings that take less of the picture are not worth a plugged answer.
MIN_OPENINGS = 0.004


@dataclass(frozen=True)
class Packshot:
    """One photograph (h, w, 3 or 4) uint8, its true cut-out (h, w, 4), and the cut-outs that wrong answers show."""

    product: str
    backdrop: str
    photograph: np.ndarray
    truth: np.ndarray
    wrong: dict[str, np.ndarray]


def tea() -> np.ndarray:
    drawing = Drawing(1).add(box(250, 200, 650, 800), (80, 110, 60)).add(box(275, 230, 625, 330), (238, 232, 214))
    drawing.text("FJELL", (330, 300), 2.4, (60, 80, 50), 4).text("organic tea", (310, 500), 1.8, (240, 236, 220), 3)
    return drawing.text("20 bags  100 g", (325, 560), 1.2, (240, 236, 220), 2).done()


def bag() -> np.ndarray:
    drawing = Drawing(2).add(oval(450, 430, 200, 290, (180, 360), 40), (62, 52, 60))
    drawing.add(poly(150, 420, 750, 420, 720, 820, 180, 820), (74, 84, 150)).add(box(180, 500, 720, 512), (40, 46, 90))
    drawing.text("FJORD", (330, 690), 3, (228, 224, 210), 5)
    return drawing.text("weekend bag 32 l", (345, 750), 1, (228, 224, 210), 2).done()


def mug() -> np.ndarray:
    drawing = Drawing(3).add(oval(690, 480, 110, 150, width=44), (226, 222, 214))
    drawing.add(box(230, 250, 670, 760), (226, 222, 214)).add(oval(450, 760, 220, 40), (226, 222, 214))
    drawing.add(oval(450, 250, 220, 42), (196, 190, 180)).text("good", (300, 480), 4, (176, 84, 52), 7)
    return drawing.text("morning", (275, 580), 3, (70, 60, 60), 5).done(grain=3)


def lamp() -> np.ndarray:
    drawing = Drawing(4).add(line(450, 840, 450, 250, 4), (40, 38, 40)).add(oval(450, 850, 150, 26), (40, 38, 40))
    return drawing.add(poly(340, 80, 560, 80, 640, 260, 260, 260), (214, 196, 160)).done()


def pale_lamp() -> np.ndarray:
    drawing = (
        Drawing(5).add(line(450, 840, 450, 250, 10), (206, 198, 186)).add(oval(450, 850, 150, 30), (214, 208, 198))
    )
    return drawing.add(poly(330, 80, 570, 80, 660, 330, 240, 330), (243, 240, 232)).done(grain=2)


def necklace() -> np.ndarray:
    drawing = Drawing(6).add(oval(450, 380, 300, 330, width=7), (212, 175, 85)).cut(box(400, 0, 500, 70))
    return drawing.add(oval(450, 735, 36, 44), (170, 60, 70)).done(grain=10)


def glass() -> np.ndarray:
    drawing = Drawing(7).add(box(300, 200, 600, 800), (214, 227, 231), 0.32)
    drawing.add(box(300, 200, 314, 800), (196, 212, 218), 0.75).add(box(586, 200, 600, 800), (196, 212, 218), 0.75)
    drawing.add(box(300, 762, 600, 800), (200, 214, 219), 0.8).add(box(345, 240, 364, 740), (255, 255, 255), 0.8)
    return drawing.text("KLAR", (365, 520), 2.4, (60, 90, 60), 5).done(grain=2)


def chair() -> np.ndarray:
    wood = 120, 84, 52
    drawing = Drawing(8).add(line(250, 500, 230, 860, 16), wood).add(line(620, 500, 640, 860, 16), wood)
    drawing.add(line(330, 500, 340, 800, 12), (96, 66, 40)).add(line(560, 500, 550, 800, 12), (96, 66, 40))
    drawing.add(line(238, 720, 632, 720, 9), wood).add(poly(230, 470, 650, 470, 680, 525, 200, 525), (150, 150, 144))
    drawing.add(line(270, 470, 250, 110, 14), wood).add(line(610, 470, 630, 110, 14), wood)
    return drawing.add(box(258, 130, 622, 170), wood).add(box(262, 230, 618, 262), wood).done()


PRODUCTS: dict[str, Callable[[], np.ndarray]] = {
    draw.__name__: draw for draw in (tea, bag, mug, lamp, pale_lamp, necklace, glass, chair)
}


def _flat(*rgb: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), rgb, np.float32)


def _vignette() -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) - SIDE / 2
    return (252 - 48 * (x * x + y * y) / (SIDE / 2) ** 2 / 2)[..., None] * np.ones(3, np.float32)


def _gradient() -> np.ndarray:
    return np.linspace(255, 205, SIDE, dtype=np.float32)[:, None, None] * np.ones((1, SIDE, 3), np.float32)


def _sweep() -> np.ndarray:
    level = np.where(np.arange(SIDE) < 620, 238, 208).astype(np.float32)
    return cv2.GaussianBlur(level[:, None, None] * np.ones((SIDE, SIDE, 3), np.float32), (0, 0), 12)


# Each with the depth of the shadow at the product's foot.
BACKDROPS: dict[str, tuple[Callable[[], np.ndarray], float]] = {
    "white": (lambda: _flat(255, 255, 255), 0.0),
    "offwhite": (lambda: _flat(243, 242, 239), 0.0),
    "gradient": (_gradient, 0.0),
    "vignette": (_vignette, 0.0),
    "sweep": (_sweep, 0.35),
    "paper": (lambda: _flat(226, 196, 190), 0.35),
}


def packshots(only: str = "") -> Iterator[Packshot]:
    """Every product before every backdrop, cut out, and with a baked shadow; `only` whose product or backdrop, or both
    joined by a hyphen, is that."""
    for name in PRODUCTS:
        wanted = [
            backdrop
            for backdrop in (*BACKDROPS, "cutout", "baked")
            if not only or only in (name, backdrop, f"{name}-{backdrop}")
        ]
        cut = _drawn(name).copy() if wanted else np.zeros(0)
        for backdrop in wanted:
            if backdrop == "cutout":
                yield Packshot(name, backdrop, cut, cut, {})
            elif backdrop == "baked":
                shadowed = with_drop_shadow(cut)
                yield Packshot(name, backdrop, shadowed, cut, {"floating-shadow": shadowed})
            else:
                yield photographed(name, cut, backdrop)


@cache
def _drawn(name: str) -> np.ndarray:
    return PRODUCTS[name]()


def photographed(name: str, cut: np.ndarray, backdrop: str) -> Packshot:
    """The cut-out (h, w, 4) photographed before a backdrop, as a JPEG brings it."""
    make, shadow = BACKDROPS[backdrop]
    behind = make()
    photo = before(cut, behind, shadow)
    wrong = {"card": np.dstack([photo, np.full((SIDE, SIDE), 255, np.uint8)])}
    opened = openings(cut[..., 3])
    if opened.mean() > MIN_OPENINGS:
        wrong["plugged"] = cut.copy()
        wrong["plugged"][opened] = np.dstack([behind, np.full((SIDE, SIDE), 255)])[opened].astype(np.uint8)
    encoded = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return Packshot(name, backdrop, cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1].copy(), cut, wrong)


def before(cut: np.ndarray, backdrop: np.ndarray, shadow: float) -> np.ndarray:
    """The cut-out (h, w, 4) before a backdrop (h, w, 3) float32, with a soft shadow at its foot; uint8 RGB."""
    alpha = cut[..., 3:].astype(np.float32) / 255
    behind = backdrop.copy()
    if shadow:
        foot = np.zeros((SIDE, SIDE), np.float32)
        rows, columns = np.nonzero(cut[..., 3] > 128)
        base = columns[rows > rows.max() - 60]
        middle = int(base.mean()) + 20, int(rows.max()) + 4
        cv2.ellipse(foot, middle, (int(np.ptp(base) / 2) + 34, 22), 0, 0, 360, 1, -1)
        behind *= 1 - shadow * cv2.GaussianBlur(foot, (0, 0), 13)[..., None]
    return np.clip(cut[..., :3] * alpha + behind * (1 - alpha) + 0.5, 0, 255).astype(np.uint8)


def with_drop_shadow(cut: np.ndarray) -> np.ndarray:
    """The cut-out (h, w, 4) with a drop shadow in its alpha."""
    alpha = cut[..., 3].astype(np.float32) / 255
    shadow = cv2.GaussianBlur(np.roll(alpha, DROP_OFFSET[::-1], (0, 1)), (0, 0), DROP_SIGMA) * DROP_OPACITY
    both = alpha + shadow * (1 - alpha)
    return np.dstack([cut[..., :3] * (alpha / np.maximum(both, 1e-6))[..., None], both * 255]).astype(np.uint8)


@cache
def shelf(seed: int = 9) -> np.ndarray:
    """A shelf of planks before a plaster wall: (h, w, 3) uint8 of `SCENE_SIZE`."""
    width, height = SCENE_SIZE
    rng = np.random.default_rng(seed)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    wall = np.float32([198, 190, 176]) * (1.04 - 0.12 * y)
    planks = np.float32([128, 98, 70]) * (1 + 0.25 * (y - 0.55))
    picture = np.where(y < 0.55, wall, planks) * np.ones((1, width, 1), np.float32)
    for sigma, strength in ((2.5, 5), (30, 4)):
        noise = rng.normal(0, 1, (height, width)).astype(np.float32)
        picture += (cv2.GaussianBlur(noise, (0, 0), sigma) * sigma * strength)[..., None]
    for x in range(0, width, 130):
        picture[int(height * 0.55) :, x : x + 3] *= 0.78
    cv2.circle(picture, (260, 560), 120, (150, 160, 140), -1, cv2.LINE_AA)
    cv2.rectangle(picture, (1230, 430), (1420, 700), (92, 104, 122), -1)
    return np.clip(picture * np.linspace(1.06, 0.92, width, dtype=np.float32)[None, :, None], 0, 255).astype(np.uint8)


def answer(scene: np.ndarray, cut: np.ndarray, seed: int = 1) -> np.ndarray:
    """The cut-out (h, w, 4) standing in the scene with a contact shadow and grain: (h, w, 3) uint8 of `ANSWER_SIZE`."""
    width, height = ANSWER_SIZE
    picture = cv2.resize(scene, ANSWER_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    rows, columns = np.nonzero(cut[..., 3] > 8)
    sprite = cut[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.float32)
    scale = min(0.45 * height / sprite.shape[0], 0.6 * width / sprite.shape[1])
    wide, tall = max(2, round(sprite.shape[1] * scale)), max(2, round(sprite.shape[0] * scale))
    sprite[..., :3] *= sprite[..., 3:] / 255
    sprite = cv2.resize(sprite, (wide, tall), interpolation=cv2.INTER_AREA)
    alpha = sprite[..., 3:] / 255
    x, y = round(0.5 * width - wide / 2), round(0.9 * height - tall)
    base = np.flatnonzero(alpha[int(tall * 0.93) :, :, 0].max(0) > 0.5)
    left, right = (int(base.min()), int(base.max())) if len(base) else (0, wide)
    dark = np.zeros((height, width), np.float32)
    middle = x + (left + right) // 2 + wide // 16, y + tall - 2
    axes = max(4, (right - left) // 2 + wide // 10), max(3, wide // 12)
    cv2.ellipse(dark, middle, axes, 0, 0, 360, 1, -1)
    picture *= 1 - 0.5 * cv2.GaussianBlur(dark, (0, 0), max(2, wide / 40))[..., None]
    inner = np.s_[y : y + tall, x : x + wide]
    picture[inner] = picture[inner] * (1 - alpha) + sprite[..., :3]
    grain = np.random.default_rng(seed).normal(0, 0.8, (height, width, 1))
    return np.clip(picture + grain + 0.5, 0, 255).astype(np.uint8)


def openings(alpha: np.ndarray) -> np.ndarray:
    """Where a backdrop shows through a product of `alpha` (h, w) uint8 without touching the border: bool (h, w)."""
    outside = (alpha < 128).astype(np.uint8)
    cv2.floodFill(outside, None, (0, 0), 2)  # type: ignore[call-overload]
    return outside == 1
