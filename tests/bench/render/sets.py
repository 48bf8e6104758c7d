"""Four sets. The surface is z = 0, the product stands near the origin, the camera looks along +y."""

from __future__ import annotations

import random

from tests.bench.render.labels import cloth, goods, poster
from tests.bench.render.nodes import Material, colour, masonry, plain, printed, stone, wood
from tests.bench.render.picture import area, sky, sun
from tests.bench.render.shapes import Point, ball, box, lathe, leaves, mesh


def dark_wood(rng: random.Random) -> None:
    """A dark table in a study, lit by a window on one side."""
    boards = wood("boards", colour(34, 20, 12), colour(92, 56, 34), 0.13, rough=0.38)
    box((2.4, 1.0, 0.04), (0, 0.15, -0.04), boards, bevel=0.004)
    tone = rng.choice([(74, 92, 84), (120, 92, 80), (150, 142, 130)])
    box((6, 0.04, 3), (0, 1.3, -0.9), plain("wall", colour(*tone), 0.85, grain=0.1), bevel=0)
    frame = wood("frame", colour(60, 38, 24), colour(120, 80, 50), along="z")
    for x in (-0.55, 0.5):
        box((0.5, 0.02, 0.66), (x, 1.27, 0.06), frame, bevel=0.003)
        box((0.46, 0.01, 0.62), (x, 1.255, 0.08), printed("poster", poster(rng.randrange(6))), bevel=0)
    _books((-0.34, 0.26, 0), rng)
    _vase((0.36, 0.3, 0), rng)
    _carton((rng.uniform(0.2, 0.26), 0.1, 0), rng)
    ball(0.03, (-0.24, 0.02, 0.03), plain("ball", colour(196, 96, 60), 0.3, grain=0.1))
    sky((0.8, 0.88, 1.0), 0.3)
    side = rng.choice([-1, 1])
    area((side * 1.7, -0.8, 1.2), 1.0, 60, (1, 0.95, 0.88))
    area((-side * 1.4, -1.6, 1.4), 1.6, 16, (0.86, 0.92, 1))


def glossy_stone(rng: random.Random) -> None:
    """A polished counter that mirrors what stands on it, before a plastered wall with a shelf."""
    dark = rng.random() < 0.5
    base, vein = ((0.045, 0.05, 0.055), (0.55, 0.52, 0.46)) if dark else ((0.78, 0.76, 0.72), (0.2, 0.2, 0.23))
    box((3.2, 0.9, 0.04), (0, 0.05, -0.04), stone("top", base, vein, 0.06), bevel=0.004)
    tones = colour(196, 208, 204), colour(176, 192, 188), colour(226, 222, 214)
    box((3.2, 0.02, 1.2), (0, 0.5, 0), masonry("tiles", *tones, 0.2, 0.1, flat=False), bevel=0)
    board = wood("board", colour(120, 74, 40), colour(214, 164, 110), along="z")
    box((0.24, 0.018, 0.34), (-0.33, 0.45, 0), board, bevel=0.006, turn=(-0.1, 0, 0))
    box((1.3, 0.16, 0.025), (0.35, 0.42, 0.42), board, bevel=0.003)
    for i in range(5):
        _carton((0.02 + 0.16 * i, 0.41, 0.445), rng)
    _bowl((-0.26, 0.08, 0), rng)
    _vase((0.4, 0.22, 0), rng)
    for x, y in ((0.25, 0.02), (0.31, -0.03)):
        ball(0.028, (x, y, 0.026), plain("lemon", colour(236, 188, 50), 0.4, grain=0.12), flat=0.93)
    sky((0.85, 0.92, 1.0), 0.35)
    side = rng.choice([-1, 1])
    area((side * 1.6, -1.0, 1.3), 0.9, 48, (1, 0.98, 0.95))
    area((-side * 1.8, -0.9, 1.0), 1.5, 18, (1, 0.93, 0.84))


def patterned_cloth(rng: random.Random) -> None:
    """A table with a woven cloth, laid with low waves away from the product; a curtain behind."""
    seed = rng.randrange(2)
    _cloth((2.0, 1.3), (0, 0.2), printed("cloth", cloth(seed), 0.9), rng)
    tone = rng.choice([(206, 190, 168), (150, 166, 160), (190, 150, 132)])
    box((6, 0.04, 3), (0, 1.2, -0.9), plain("wall", colour(*tone), 0.85, grain=0.1), bevel=0)
    box((0.5, 0.02, 0.66), (rng.uniform(-0.5, -0.3), 1.17, 0.1), printed("poster", poster(rng.randrange(6))), bevel=0)
    _leafy((0.42, 0.4, 0.003), rng, 50, 0.16)
    _bowl((-0.3, 0.16, 0.003), rng)
    _carton((0.24, 0.12, 0.003), rng)
    _books((0.3, -0.06, 0.003), rng, 1)
    sky((0.9, 0.93, 1.0), 0.4)
    side = rng.choice([-1, 1])
    area((side * 1.3, -1.1, 1.7), 0.6, 50, (1, 0.93, 0.84))
    area((-side * 1.5, -1.4, 1.2), 1.6, 16, (0.88, 0.93, 1))


def outdoor(rng: random.Random) -> None:
    """Paving in the sun before a garden wall and bushes, under a blue sky."""
    slabs = colour(168, 158, 144), colour(136, 130, 122), colour(96, 92, 86)
    box((9, 6, 0.04), (0, 2.0, -0.04), masonry("slabs", *slabs, 0.34, 0.24, flat=True), bevel=0)
    bricks = colour(150, 84, 64), colour(116, 62, 50), colour(176, 168, 156)
    box((9, 0.1, 0.55), (0, 1.5, 0), masonry("wall", *bricks, 0.22, 0.075, flat=False), bevel=0)
    for i in range(7):
        _leafy((-1.2 + 0.4 * i + rng.uniform(-0.1, 0.1), 1.75, 0.35), rng, 160, 0.34, pot=False)
    for x, y in ((-0.45, 0.6), (0.52, 0.5)):
        _leafy((x, y, 0), rng, 46, 0.15)
    for _ in range(7):
        x, y, r = rng.choice([-1, 1]) * rng.uniform(0.2, 0.5), rng.uniform(0.05, 0.4), rng.uniform(0.012, 0.03)
        ball(
            r,
            (x, y, r * 0.55),
            plain("pebble", colour(*rng.choice([(150, 140, 128), (96, 94, 92), (190, 178, 160)])), 0.7, grain=0.3),
            flat=0.6,
        )
    sky((0.42, 0.62, 1.0), 0.75)
    side = rng.choice([-1, 1])
    sun((side * 0.6, rng.uniform(0.2, 0.6), -0.75), 4.5, (1, 0.93, 0.82), rng.uniform(0.6, 3.0))


def _books(at: Point, rng: random.Random, most: int = 3) -> None:
    height = at[2]
    for _ in range(most):
        thick = rng.uniform(0.022, 0.04)
        tone = rng.choice([(150, 70, 56), (222, 210, 190), (52, 72, 84), (96, 110, 70)])
        size = rng.uniform(0.15, 0.2), rng.uniform(0.11, 0.14), thick
        box(
            size,
            (at[0], at[1], height),
            plain("book", colour(*tone), 0.6, grain=0.1),
            turn=(0, 0, rng.uniform(-0.3, 0.3)),
        )
        height += thick


def _vase(at: Point, rng: random.Random) -> None:
    tone = rng.choice([(206, 196, 180), (60, 84, 110), (150, 160, 140), (180, 110, 80)])
    outline = [(0, 0), (0.03, 0), (0.06, 0.05), (0.06, 0.09), (0.03, 0.14), (0.022, 0.17), (0.03, 0.19), (0.026, 0.19)]
    glaze = plain("vase", colour(*tone), 0.25, grain=0.15, Coat_Weight=0.5)
    lathe([*outline, (0.018, 0.17), (0.03, 0.13), (0, 0.05)], glaze, at, soft=0.01)


def _bowl(at: Point, rng: random.Random) -> None:
    tone = rng.choice([(232, 228, 220), (120, 146, 150), (206, 150, 110)])
    outline = [(0, 0), (0.04, 0), (0.075, 0.04), (0.073, 0.041), (0.038, 0.005), (0, 0.005)]
    for i in range(2):
        lathe(outline, plain("bowl", colour(*tone), 0.2, Coat_Weight=0.4), (at[0], at[1], at[2] + 0.013 * i))


def _carton(at: Point, rng: random.Random) -> None:
    size = rng.uniform(0.07, 0.1), 0.06, rng.uniform(0.1, 0.16)
    front = printed("front", goods(rng.randrange(40)))
    side = plain("side", colour(200, 190, 176), 0.6, grain=0.06)
    box(size, at, [front, side], turn=(0, 0, rng.uniform(-0.3, 0.3)), of_face=[0, 1, 1, 1, 1, 1])


def _leafy(at: Point, rng: random.Random, count: int, size: float, *, pot: bool = True) -> None:
    leaf = Material("leaf")
    dark, lite = ((30, 62, 32), (92, 132, 60)) if rng.random() < 0.6 else ((50, 70, 52), (130, 150, 110))
    tint = leaf.ramp(leaf.noise(leaf.place(), 50), [(0.3, colour(*dark)), (0.7, colour(*lite))])
    high = 0.08 if pot else 0.0
    if pot:
        clay = plain("pot", colour(*rng.choice([(190, 116, 82), (214, 208, 198), (70, 84, 90)])), 0.7, grain=0.15)
        lathe([(0, 0), (0.04, 0), (0.052, 0.09), (0.047, 0.09), (0.045, 0.078), (0, 0.078)], clay, at)
    material = leaf.set(Base_Color=tint, Roughness=0.4).material
    leaves(count, size, material, (at[0], at[1], at[2] + high), rng, 0.1 if not pot else 0.35)


def _cloth(size: tuple[float, float], middle: tuple[float, float], material: object, rng: random.Random) -> None:
    """Flat where the product stands, so that it touches the cloth; the pattern repeats every quarter metre."""
    import math

    columns, rows, phase = 120, 80, rng.uniform(0, 6)
    points, faces, places = [], [], []
    for j in range(rows + 1):
        for i in range(columns + 1):
            x, y = middle[0] + size[0] * (i / columns - 0.5), middle[1] + size[1] * (j / rows - 0.5)
            away = min(1.0, max(0.0, (math.hypot(x, y + 0.05) - 0.22) / 0.3))
            wave = math.sin(9 * x + 4 * y + phase) + 0.6 * math.sin(5 * x - 11 * y + 2 * phase)
            points.append((x, y, 0.006 * away * wave - 0.004 * away))
    for j in range(rows):
        for i in range(columns):
            a = j * (columns + 1) + i
            corners = (a, a + 1, a + columns + 2, a + columns + 1)
            faces.append(corners)
            places.append([(points[c][0] / 0.25, points[c][1] / 0.25) for c in corners])
    mesh(points, faces, material, places=places, smooth=True)
    box((size[0], size[1], 0.03), (*middle, -0.045), plain("table", colour(110, 80, 56), 0.6), bevel=0)


SETS = {make.__name__: make for make in (dark_wood, glossy_stone, patterned_cloth, outdoor)}
