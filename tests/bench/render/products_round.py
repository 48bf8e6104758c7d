"""Products turned on a lathe: jar, tube, glass, kettle, pump dispenser; and a pale box. Origin: middle of the base."""

from __future__ import annotations

import math

from tests.bench.render.labels import emblem, label
from tests.bench.render.nodes import colour, glass, plain, printed
from tests.bench.render.shapes import ball, box, lathe, loft, tube


def jar() -> None:
    """Jam with a paper label and a gold lid."""
    r = 0.043
    lines = [
        (0.2, 0.06, "Sans-Regular", "WILD HARVEST"),
        (0.38, 0.17, "Serif-Bold", "Brombera"),
        (0.53, 0.075, "Serif-Italic", "blackberry & thyme"),
        (0.82, 0.055, "Sans-Bold", "340 g  No. 27"),
    ]
    paper = label("jar", (2200, 640), (244, 236, 218), (62, 30, 52), (158, 62, 84), lines, panel=0.38)
    emblem(paper, (0.5, 0.68), 0.07, ((158, 62, 84), (62, 30, 52)))
    sides = [(0, 0), (r * 0.9, 0), (r, 0.008), (r, 0.098), (r * 0.8, 0.112), (0, 0.112)]
    lathe(sides, plain("jam", colour(74, 22, 44), 0.08, Coat_Weight=0.8), soft=0.006)
    lathe([(r + 0.0004, 0.02), (r + 0.0004, 0.085)], printed("paper", paper, 0.6), soft=0)
    lathe([(0, 0.108), (r * 0.86, 0.108), (r * 0.86, 0.13), (0, 0.13)], plain("lid", colour(206, 168, 90), 0.28, 1.0))


def tube_of_cream() -> None:
    """A squeezed tube on its cap: round below, flat above."""
    lines = [
        (0.2, 0.05, "Sans-Regular", "SKIN STUDIO"),
        (0.33, 0.11, "Sans-Bold", "NEVA 12"),
        (0.46, 0.05, "Sans-Regular", "hand balm"),
        (0.62, 0.04, "Serif-Italic", "oat, shea and sea salt"),
        (0.84, 0.045, "Sans-Bold", "75 ml e 2.5 fl oz"),
    ]
    wrap = label("tube", (1500, 1250), (122, 170, 176), (248, 246, 238), (232, 150, 100), lines, panel=0.34, band=False)
    emblem(wrap, (0.5, 0.73), 0.05, ((232, 150, 100), (248, 246, 238)))
    low, high = 0.026, 0.158
    rings = []
    for step in range(25):
        t = step / 24
        flat = t**1.5
        wide, deep = 0.024 + 0.007 * flat, 0.024 * (1 - flat) + 0.0014 * flat
        angles = [2 * math.pi * i / 96 + math.pi / 2 for i in range(97)]
        rings.append([(wide * math.cos(a), deep * math.sin(a), low + (high - low) * t) for a in angles])
    loft(rings, printed("wrap", wrap, 0.35, Coat_Weight=0.3))
    box((0.063, 0.0034, 0.012), (0, 0, high - 0.002), plain("crimp", colour(112, 160, 166), 0.4))
    lathe([(0, 0), (0.022, 0), (0.0235, 0.027), (0, 0.027)], plain("cap", colour(240, 236, 228), 0.3))


def wine_glass() -> None:
    """Clear, thin, with a stem."""
    outer = [(0, 0), (0.036, 0), (0.036, 0.002), (0.006, 0.006), (0.0042, 0.02), (0.0042, 0.075), (0.012, 0.086)]
    outer += [(0.036, 0.11), (0.042, 0.145), (0.036, 0.195)]
    inner = [(0.0348, 0.195), (0.0405, 0.145), (0.0345, 0.112), (0.012, 0.0895), (0, 0.088)]
    lathe(outer + inner, glass("clear", (0.97, 1.0, 0.99)), soft=0.003, steps=128)


def kettle() -> None:
    """Polished steel with a spout, a black handle and a knob."""
    steel = plain("steel", (0.82, 0.82, 0.83), 0.07, 1.0)
    black = plain("black", colour(26, 26, 28), 0.35)
    body = [(0, 0), (0.068, 0), (0.074, 0.01), (0.066, 0.06), (0.045, 0.1), (0.036, 0.106), (0.036, 0.11), (0, 0.114)]
    lathe(body, steel, soft=0.008, steps=128)
    ball(0.011, (0, 0, 0.123), black)
    tube([(0.06, 0, 0.04), (0.085, 0, 0.055), (0.096, 0, 0.085), (0.115, 0, 0.105)], 0.0085, steel)
    tube([(-0.05, 0, 0.09), (-0.085, 0, 0.108), (-0.105, 0, 0.085), (-0.1, 0, 0.05), (-0.064, 0, 0.03)], 0.0065, black)


def pump_dispenser() -> None:
    """Soap: a matt bottle, a label and a black pump that looks to one side."""
    r = 0.034
    lines = [
        (0.16, 0.05, "Sans-Regular", "HOUSE OF FERN"),
        (0.32, 0.13, "Serif-Bold", "Linden"),
        (0.46, 0.055, "Sans-Regular", "WASH No. 8"),
        (0.72, 0.04, "Serif-Italic", "for hands and body"),
        (0.84, 0.045, "Sans-Bold", "300 ml"),
    ]
    paper = label("pump", (1800, 700), (238, 240, 232), (40, 62, 48), (124, 150, 92), lines, panel=0.36)
    emblem(paper, (0.5, 0.58), 0.06, ((124, 150, 92), (40, 62, 48)))
    sides = [
        (0, 0),
        (r * 0.94, 0),
        (r, 0.005),
        (r, 0.115),
        (r * 0.85, 0.13),
        (0.013, 0.136),
        (0.013, 0.142),
        (0, 0.142),
    ]
    lathe(sides, plain("bottle", colour(150, 96, 44), 0.3, Coat_Weight=0.4), soft=0.006)
    lathe([(r + 0.0003, 0.025), (r + 0.0003, 0.105)], printed("paper", paper, 0.55), soft=0)
    black = plain("pump", colour(24, 25, 27), 0.3)
    lathe(
        [(0, 0.138), (0.0155, 0.138), (0.0155, 0.156), (0.006, 0.16), (0.004, 0.162), (0.004, 0.178), (0, 0.178)], black
    )
    lathe([(0, 0.176), (0.009, 0.176), (0.009, 0.19), (0, 0.191)], black)
    tube([(0, 0, 0.185), (0.022, 0, 0.187), (0.034, 0, 0.184), (0.038, 0, 0.176)], 0.0042, black)


def pale_box() -> None:
    """A cream carton with pale grey print."""
    lines = [
        (0.14, 0.035, "Sans-Regular", "PAPER & LIGHT"),
        (0.3, 0.1, "Serif-Regular", "Albine"),
        (0.4, 0.04, "Serif-Italic", "scented candle"),
        (0.78, 0.035, "Sans-Regular", "white tea, cedar, linen"),
        (0.87, 0.032, "Sans-Bold", "190 g  6.7 oz"),
    ]
    front = label("pale_front", (1200, 1500), (240, 238, 230), (160, 154, 144), (208, 202, 190), lines)
    emblem(front, (0.5, 0.58), 0.1, ((222, 217, 206), (196, 190, 178)))
    side = label("pale_side", (800, 1500), (240, 238, 230), (170, 164, 154), (208, 202, 190), lines[1:3])
    top = label(
        "pale_top",
        (1200, 800),
        (240, 238, 230),
        (170, 164, 154),
        (208, 202, 190),
        [(0.5, 0.2, "Serif-Regular", "Albine")],
    )
    faces = [printed(name, path, 0.6) for name, path in (("front", front), ("side", side), ("top", top))]
    box((0.12, 0.08, 0.15), (0, 0, 0), faces, bevel=0.0012, of_face=[0, 1, 0, 1, 2, 2])
