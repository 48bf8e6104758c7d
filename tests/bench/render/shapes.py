"""Meshes. Lengths in metres, angles in radians; `at` is the middle of the underside, the front looks to -y."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

Point = tuple[float, float, float]
ORIGIN: Point = (0.0, 0.0, 0.0)


def mesh(
    points: Sequence[Any],
    faces: Sequence[Any],
    materials: Any,
    *,
    places: Sequence[Any] | None = None,
    of_face: Sequence[int] | None = None,
    smooth: bool = False,
    at: Point = ORIGIN,
    turn: Point = ORIGIN,
) -> Any:
    """An object of the scene. `places` are a face's corners in its picture, `of_face` its material's number."""
    made = bpy.data.meshes.new("mesh")
    made.from_pydata(points, [], faces)
    for material in materials if isinstance(materials, list) else [materials]:
        made.materials.append(material)
    if places:
        layer = made.uv_layers.new(name="UVMap")
        layer.data.foreach_set("uv", [value for face in places for corner in face for value in corner])
    if of_face:
        made.polygons.foreach_set("material_index", of_face)
    if smooth:
        made.polygons.foreach_set("use_smooth", [True] * len(made.polygons))
    made.update()
    thing = bpy.data.objects.new("thing", made)
    thing.location, thing.rotation_euler = at, turn
    bpy.context.scene.collection.objects.link(thing)
    return thing


def box(
    size: Point, at: Point, materials: Any, *, turn: Point = ORIGIN, bevel: float = 0.0015, of_face: Any = None
) -> Any:
    """Faces: front, right, back, left, top, bottom."""
    x, y, z = size[0] / 2, size[1] / 2, size[2]
    points = [(a * x, b * y, c) for c in (0, z) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    faces = [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7), (3, 2, 1, 0)]
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    made = mesh(points, faces, materials, places=[corners] * 6, of_face=of_face, at=at, turn=turn)
    if bevel:
        edge = made.modifiers.new("bevel", "BEVEL")
        edge.width, edge.segments = bevel, 2
    return made


def lathe(
    profile: Sequence[tuple[float, float]],
    material: Any,
    at: Point = ORIGIN,
    *,
    steps: int = 96,
    soft: float = 0.0015,
    turn: Point = ORIGIN,
) -> Any:
    """(radius, height) turned about the z axis, corners rounded by `soft`; the picture's middle looks to -y."""
    outline = _softened(profile, soft) if soft else list(profile)
    low, high = min(z for _, z in outline), max(z for _, z in outline)
    rings = []
    for radius, z in outline:
        angles = [2 * math.pi * step / steps + math.pi / 2 for step in range(steps + 1)]
        rings.append([(radius * math.cos(a), radius * math.sin(a), z) for a in angles])
    heights = [(z - low) / (high - low + 1e-9) for _, z in outline]
    return _skin(rings, heights, material, at, turn)


def loft(rings: Sequence[Sequence[Point]], material: Any, at: Point = ORIGIN, turn: Point = ORIGIN) -> Any:
    """A skin over closed rings of equally many points; the last point of a ring repeats the first."""
    return _skin(rings, np.linspace(0, 1, len(rings)), material, at, turn)


def _skin(rings: Any, heights: Any, material: Any, at: Point, turn: Point) -> Any:
    around = len(rings[0])
    points = [point for ring in rings for point in ring]
    faces, places = [], []
    for row in range(len(rings) - 1):
        for step in range(around - 1):
            first, above = row * around + step, (row + 1) * around + step
            faces.append((first, first + 1, above + 1, above))
            left, right = step / (around - 1), (step + 1) / (around - 1)
            low, high = heights[row], heights[row + 1]
            places.append([(left, low), (right, low), (right, high), (left, high)])
    return mesh(points, faces, material, places=places, smooth=True, at=at, turn=turn)


def _softened(profile: Sequence[tuple[float, float]], reach: float) -> list[Any]:
    out: list[Any] = [profile[0]]
    for before, corner, after in zip(profile, profile[1:], profile[2:], strict=False):
        a, b, c = (np.array(point, float) for point in (before, corner, after))
        one, other = np.linalg.norm(a - b), np.linalg.norm(c - b)
        cut = min(reach, one * 0.45, other * 0.45)
        if cut < 1e-6:
            out.append(tuple(b))
            continue
        p, q = b + (a - b) / one * cut, b + (c - b) / other * cut
        out += [tuple(p), tuple(0.25 * p + 0.5 * b + 0.25 * q), tuple(q)]
    return [*out, profile[-1]]


def ball(radius: float, at: Point, material: Any, *, flat: float = 1.0, turn: Point = ORIGIN) -> Any:
    """`at` is its middle; `flat` its height against its width."""
    steps = np.linspace(0, math.pi, 33)
    profile = [(radius * math.sin(t), -radius * flat * math.cos(t)) for t in steps]
    return lathe(profile, material, at, steps=64, soft=0, turn=turn)


def tube(points: Sequence[Point], radius: float, material: Any, at: Point = ORIGIN) -> Any:
    """A bar along a Catmull-Rom curve, its ends closed."""
    fixed = [np.array(point, float) for point in points]
    fixed = [2 * fixed[0] - fixed[1], *fixed, 2 * fixed[-1] - fixed[-2]]
    curve = []
    for i in range(1, len(fixed) - 2):
        a, b, d, e = fixed[i - 1 : i + 3]
        for t in np.linspace(0, 1, 10, endpoint=i == len(fixed) - 3):
            curve.append(
                0.5 * (2 * b + (d - a) * t + (2 * a - 5 * b + 4 * d - e) * t**2 + (3 * b - a - 3 * d + e) * t**3)
            )
    rings = []
    side = np.array([0.0, 1.0, 0.0])
    for i, point in enumerate(curve):
        along = curve[min(i + 1, len(curve) - 1)] - curve[max(i - 1, 0)]
        along = along / np.linalg.norm(along)
        if abs(along @ side) > 0.95:
            side = np.array([1.0, 0.0, 0.0])
        one = np.cross(along, side)
        one /= np.linalg.norm(one)
        side = np.cross(one, along)
        angles = np.linspace(0, 2 * math.pi, 17)
        rings.append([tuple(point + radius * (math.cos(a) * one + math.sin(a) * side)) for a in angles])
    ends = [[tuple(curve[end])] * 17 for end in (0, -1)]
    return loft([ends[0], *rings, ends[1]], material, at)


def leaves(count: int, size: float, material: Any, at: Point, rng: random.Random, upright: float = 0.35) -> Any:
    """Bent leaves from one point; `upright` is the least angle above the ground."""
    points: list[Point] = []
    faces: list[tuple[int, ...]] = []
    for _ in range(count):
        around, up = rng.uniform(0, 2 * math.pi), rng.uniform(upright, 1.45)
        long, wide = size * rng.uniform(0.6, 1.25), size * rng.uniform(0.14, 0.22)
        dx, dy, first = math.cos(around), math.sin(around), len(points)
        for step in range(9):
            t = step / 8
            out = long * t * math.cos(up) + 0.3 * long * t * t + 0.01
            high = long * t * math.sin(up) - 0.42 * long * t * t
            half = wide * math.sin(math.pi * min(1, t * 0.96 + 0.03)) ** 0.8
            for side in (-1, 0, 1):
                fold = half * 0.25 * abs(side)
                points.append((dx * out + side * dy * half, dy * out - side * dx * half, high + fold))
        for step in range(8):
            i = first + 3 * step
            faces += [(i, i + 1, i + 4, i + 3), (i + 1, i + 2, i + 5, i + 4)]
    return mesh(points, faces, material, smooth=True, at=at)


def fur(body: Any, count: int, length: float, seed: int) -> None:
    """Hair on `body` in its own first material."""
    hair = body.modifiers.new("fur", "PARTICLE_SYSTEM").particle_system
    hair.seed = seed
    settings = hair.settings
    settings.type, settings.count, settings.hair_length = "HAIR", count, length
    settings.hair_step, settings.display_step, settings.render_step = 3, 3, 3
    settings.brownian_factor = 0.35 * length
    settings.use_advanced_hair, settings.effector_weights.gravity = True, 0.1
    settings.root_radius, settings.tip_radius, settings.radius_scale = 1.0, 0.3, 0.0006
