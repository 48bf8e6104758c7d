"""Products of several parts: bag with handles, lamp, chair, shoe, soft toy, plant. Origin: middle of the base."""

from __future__ import annotations

import math
import random

from tests.bench.render.labels import emblem, label
from tests.bench.render.nodes import Material, colour, glowing, plain, printed, wood
from tests.bench.render.shapes import ball, box, fur, lathe, leaves, loft, mesh, tube


def bag() -> None:
    """A paper carrier, folded at the sides, with cord handles that one sees through."""
    lines = [
        (0.3, 0.15, "Sans-Bold", "MORO"),
        (0.44, 0.05, "Serif-Italic", "bread and pastry since 1931"),
        (0.85, 0.04, "Sans-Regular", "Calle Nueva 8, open daily"),
    ]
    front = label("bag", (1200, 1500), (196, 160, 116), (52, 36, 30), (150, 48, 40), lines, band=False)
    emblem(front, (0.5, 0.63), 0.11, ((150, 48, 40), (236, 214, 176)))
    w, d, h, fold = 0.08, 0.045, 0.2, 0.022
    low = [(-w, -d, 0), (w, -d, 0), (w, 0, 0), (w, d, 0), (-w, d, 0), (-w, 0, 0)]
    d *= 0.6
    high = [(-w, -d, h), (w, -d, h), (w - fold, 0, h), (w, d, h), (-w, d, h), (fold - w, 0, h)]
    faces = [(i, (i + 1) % 6, 6 + (i + 1) % 6, 6 + i) for i in range(6)] + [(5, 4, 3, 2, 1, 0)]
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    papers = [printed("front", front, 0.75), plain("kraft", colour(188, 152, 108), 0.8, grain=0.06)]
    body = mesh(low + high, faces, papers, places=[square] * 6 + [[(0, 0)] * 6], of_face=[0, 1, 1, 1, 1, 1, 1])
    body.modifiers.new("thick", "SOLIDIFY").thickness = 0.0012
    cord = plain("cord", colour(60, 42, 34), 0.8, grain=0.2)
    for y in (-d - 0.001, d - 0.001):
        arch = [
            (-0.034, y, 0.185),
            (-0.034, y, 0.21),
            (-0.022, y, 0.25),
            (0.022, y, 0.25),
            (0.034, y, 0.21),
            (0.034, y, 0.185),
        ]
        tube(arch, 0.0028, cord)


def lamp() -> None:
    """A reading lamp: round foot, thin bent arm, tilted shade."""
    paint = plain("paint", colour(206, 150, 40), 0.35, Coat_Weight=0.4)
    brass = plain("brass", colour(196, 156, 88), 0.25, 1.0)
    lathe([(0, 0), (0.06, 0), (0.062, 0.004), (0.058, 0.014), (0.01, 0.018), (0, 0.018)], paint, soft=0.003)
    tube([(-0.02, 0, 0.012), (-0.03, 0, 0.11), (-0.02, 0, 0.19), (0.015, 0, 0.235), (0.05, 0, 0.24)], 0.0045, brass)
    shade = [(0.012, 0.05), (0.02, 0.046), (0.052, -0.02), (0.0505, -0.02), (0.018, 0.043), (0, 0.046)]
    lathe(shade, paint, (0.062, 0, 0.215), soft=0.001, turn=(0, -0.35, 0))
    ball(0.017, (0.06, 0, 0.212), glowing("bulb", (1, 0.9, 0.75), 1.5))


def chair() -> None:
    """Wood, with slats and legs that one sees through."""
    beech = wood("beech", colour(150, 98, 56), colour(222, 174, 120), along="z")
    seat = plain("seat", colour(56, 92, 96), 0.7, grain=0.12)
    box((0.15, 0.14, 0.01), (0, 0, 0.125), beech, bevel=0.003)
    box((0.142, 0.13, 0.016), (0, -0.003, 0.134), seat, bevel=0.006)
    for x in (-0.064, 0.064):
        tube([(x * 1.12, -0.066, 0.001), (x * 1.05, -0.06, 0.07), (x, -0.056, 0.126)], 0.0075, beech)
        tube([(x * 1.12, 0.072, 0.001), (x, 0.058, 0.13), (x, 0.064, 0.2), (x, 0.078, 0.285)], 0.0075, beech)
        tube([(x * 1.06, -0.06, 0.05), (x * 1.08, 0.066, 0.05)], 0.0045, beech)
    for z, y in ((0.19, 0.063), (0.225, 0.067), (0.262, 0.073)):
        box((0.128, 0.008, 0.02), (0, y, z), beech, bevel=0.003)


def shoe() -> None:
    """A canvas trainer seen from its side, toe to the right."""
    sole, upper = [], []
    for step in range(41):
        t = step / 40
        x = -0.125 + 0.25 * t
        end = max(0.04, (1 - abs(2 * t - 1) ** 5) ** 0.5)
        half = (0.03 + 0.011 * math.sin(math.pi * max(0.0, (t - 0.3) / 0.7))) * end
        tip = 0.006 * max(0.0, (t - 0.75) / 0.25) ** 2
        sole.append(_section(x * 1.03, half * 1.1, tip, 0.027 + tip * 0.5, 5.0))
        upper.append(_section(x, half, 0.02, 0.022 + (_instep(t) - 0.022) * end, 2.6))
    loft(sole, plain("rubber", colour(236, 232, 222), 0.5, grain=0.04))
    loft(upper, plain("canvas", colour(160, 44, 48), 0.75, grain=0.15))
    white = plain("lace", colour(240, 238, 230), 0.7)
    opening = ball(0.024, (-0.07, 0, 0.0945), plain("lining", colour(50, 26, 28), 0.9), flat=0.2)
    opening.scale = (1.7, 1, 1)
    for t in (0.46, 0.525, 0.59, 0.655):
        x, z = -0.125 + 0.25 * t, _instep(t)
        tube(
            [(x - 0.006, -0.03, z - 0.022), (x, -0.014, z), (x, 0.014, z), (x - 0.006, 0.03, z - 0.022)], 0.0028, white
        )
    stripe = [(-0.1, -0.03, 0.052), (-0.05, -0.031, 0.042), (0.0, -0.035, 0.045), (0.03, -0.034, 0.056)]
    tube(stripe, 0.005, white)


def _instep(t: float) -> float:
    """Height of the upper, metres, at the share `t` of the way from heel to toe."""
    down = min(1.0, max(0.0, (t - 0.36) / 0.36))
    return 0.096 - 0.046 * down * down * (3 - 2 * down)


def _section(x: float, half: float, low: float, high: float, power: float) -> list[tuple[float, float, float]]:
    """A ring across the shoe: a superellipse."""
    ring, middle, tall = [], (low + high) / 2, (high - low) / 2
    for i in range(49):
        a = 2 * math.pi * i / 48
        c, s = math.cos(a), math.sin(a)
        ring.append((
            x,
            half * math.copysign(abs(c) ** (2 / power), c),
            middle + tall * math.copysign(abs(s) ** (2 / power), s),
        ))  # fmt: skip
    return ring


def soft_toy() -> None:
    """A sitting bear with fur."""
    brown = plain("fur", colour(168, 116, 70), 0.9)
    cream = plain("belly", colour(226, 200, 164), 0.9)
    dark = plain("eye", colour(18, 14, 12), 0.15)
    parts = [
        (ball(0.052, (0, 0, 0.055), brown, flat=1.05), 4200),
        (ball(0.043, (0, -0.008, 0.138), brown, flat=0.95), 3600),
        *[(ball(0.016, (x, 0.0, 0.176), brown), 700) for x in (-0.033, 0.033)],
        *[(ball(0.018, (x, -0.03, 0.078), brown, flat=1.9, turn=(0.9, 0, 0)), 900) for x in (-0.05, 0.05)],
        *[(ball(0.024, (x, -0.052, 0.026), brown, flat=1.0), 1200) for x in (-0.04, 0.04)],
        (ball(0.018, (0, -0.043, 0.128), cream, flat=0.8), 700),
        (ball(0.034, (0, -0.026, 0.058), cream, flat=1.1), 1800),
    ]
    for number, (part, count) in enumerate(parts):
        fur(part, count, 0.009, number)
    for x in (-0.017, 0.017):
        ball(0.0052, (x, -0.052, 0.148), dark)
    ball(0.0075, (0, -0.065, 0.136), dark, flat=0.8)
    bow = plain("bow", colour(52, 82, 130), 0.6)
    for x in (-0.016, 0.016):
        ball(0.013, (x, -0.05, 0.102), bow, flat=0.75)


def plant() -> None:
    """A green plant in a glazed pot."""
    glaze = plain("pot", colour(214, 206, 192), 0.3, grain=0.06, Coat_Weight=0.5)
    lathe([(0, 0), (0.036, 0), (0.047, 0.08), (0.043, 0.08), (0.041, 0.07), (0, 0.07)], glaze, soft=0.003)
    lathe([(0.0405, 0.024), (0.0435, 0.044)], plain("stripe", colour(70, 104, 124), 0.35), soft=0)
    lathe([(0, 0.071), (0.0415, 0.071)], plain("soil", colour(50, 36, 28), 0.95, grain=0.4), soft=0)
    leaf = Material("leaf")
    tint = leaf.ramp(leaf.noise(leaf.place(), 50), [(0.3, colour(32, 72, 36)), (0.7, colour(104, 146, 66))])
    leaves(38, 0.13, leaf.set(Base_Color=tint, Roughness=0.4).material, (0, 0, 0.07), random.Random(4), 0.75)
