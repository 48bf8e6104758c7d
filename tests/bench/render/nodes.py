"""Materials out of Blender's shader nodes. Colours are linear (r, g, b) 0..1; `colour` makes them from 8-bit sRGB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

Colour = tuple[float, float, float]


def colour(red: int, green: int, blue: int) -> Colour:
    """8-bit sRGB → linear."""
    return tuple((value / 255) ** 2.2 for value in (red, green, blue))


def grey(value: float) -> Colour:
    return value, value, value


class Material:
    """A Principled material under construction: `put` adds a node, `set` gives the surface a property."""

    def __init__(self, name: str):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        self._surface = self.put("ShaderNodeBsdfPrincipled")
        out = self.put("ShaderNodeOutputMaterial")
        self.tree.links.new(self._surface.outputs[0], out.inputs[0])

    def put(self, kind: str, properties: dict[str, Any] | None = None, **inputs: Any) -> Any:
        """A node of `kind`. Inputs by name, `_3` by number; a socket is linked, a value is set."""
        new = self.tree.nodes.new(kind)
        for key, value in (properties or {}).items():
            setattr(new, key, value)
        for key, value in inputs.items():
            self._feed(new.inputs[int(key[1:])] if key[1:].isdigit() else new.inputs[key.replace("_", " ")], value)
        return new

    def set(self, **inputs: Any) -> Material:
        for key, value in inputs.items():
            self._feed(self._surface.inputs[key.replace("_", " ")], value)
        return self

    def _feed(self, socket: Any, value: Any) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif hasattr(socket.default_value, "__len__") and len(socket.default_value) == 4 and len(value) == 3:
            socket.default_value = (*value, 1)
        else:
            socket.default_value = value

    def mix(self, share: Any, one: Any, other: Any, blend: str = "MIX") -> Any:
        kind = {"data_type": "RGBA", "blend_type": blend}
        return self.put("ShaderNodeMix", kind, _0=share, _6=one, _7=other).outputs[2]

    def math(self, operation: str, one: Any, other: Any = 0.0) -> Any:
        return self.put("ShaderNodeMath", {"operation": operation}, _0=one, _1=other).outputs[0]

    def ramp(self, share: Any, stops: list[tuple[float, Colour]]) -> Any:
        ramp = self.put("ShaderNodeValToRGB", Fac=share)
        elements = ramp.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, tone) in zip(elements, stops, strict=True):
            element.position, element.color = position, (*tone, 1)
        return ramp.outputs[0]

    def place(self, kind: str = "Object", scale: Any = (1, 1, 1), turn: Any = (0, 0, 0)) -> Any:
        where = self.put("ShaderNodeTexCoord").outputs[kind]
        return self.put("ShaderNodeMapping", Vector=where, Scale=scale, Rotation=turn).outputs[0]

    def noise(self, where: Any, scale: float, detail: float = 5, rough: float = 0.6, distortion: float = 0.0) -> Any:
        options = {"Scale": scale, "Detail": detail, "Roughness": rough, "Distortion": distortion}
        return self.put("ShaderNodeTexNoise", Vector=where, **options).outputs[0]

    def bump(self, height: Any, strength: float, distance: float) -> Any:
        return self.put("ShaderNodeBump", Height=height, Strength=strength, Distance=distance).outputs[0]


def plain(name: str, tone: Colour, rough: float = 0.5, metal: float = 0.0, grain: float = 0.0, **more: Any) -> Any:
    """One colour; `grain` is the share by which it varies."""
    made = Material(name).set(Base_Color=tone, Roughness=rough, Metallic=metal, **more)
    if grain:
        where = made.place()
        fine, coarse = made.noise(where, 60), made.noise(where, 4, 2)
        share = made.math("MULTIPLY", made.math("ADD", fine, coarse), 0.5)
        dark, lite = (tuple(min(1, c * (1 + sign * grain)) for c in tone) for sign in (-1, 1))
        made.set(Base_Color=made.mix(share, dark, lite), Normal=made.bump(made.noise(where, 400, 1), 0.25, 0.0008))
    return made.material


def wood(name: str, dark: Colour, lite: Colour, plank: float = 0.0, along: str = "x", rough: float = 0.42) -> Any:
    """Grain along an axis, in planks of that width, metres."""
    made = Material(name)
    axes = made.put("ShaderNodeSeparateXYZ", Vector=made.put("ShaderNodeTexCoord").outputs["Object"]).outputs
    order = {"x": (0, 1, 2), "y": (1, 0, 2), "z": (2, 0, 1)}[along]
    base = made.put("ShaderNodeCombineXYZ", **{f"_{to}": axes[of] for to, of in enumerate(order)}).outputs[0]
    gap = None
    if plank:
        size = {"Scale": 1.0, "Mortar Size": 0.002, "Brick Width": plank * 7, "Row Height": plank}
        tones = {"Color1": grey(0.0), "Color2": grey(1.0), "Mortar": grey(0.5)}
        bricks = made.put("ShaderNodeTexBrick", {"offset": 0.37}, Vector=base, **size, **tones)
        tone, gap = bricks.outputs[0], bricks.outputs[1]
        moved = made.put("ShaderNodeVectorMath", {"operation": "SCALE"}, _0=tone, Scale=7.0).outputs[0]
        base = made.put("ShaderNodeVectorMath", {"operation": "ADD"}, _0=base, _1=moved).outputs[0]
    scaled = lambda x, yz: made.put("ShaderNodeMapping", Vector=base, Scale=(x, yz, yz)).outputs[0]  # noqa: E731
    rings = made.noise(scaled(1.2, 14), 1.6, 6, 0.6, 0.8)
    fibre, pores = made.noise(scaled(9, 420), 1, 3, 0.7), made.noise(scaled(40, 900), 1, 1, 0.5)
    share = made.math("ADD", made.math("MULTIPLY", rings, 0.75), made.math("MULTIPLY", fibre, 0.35))
    middle = tuple((a + b) / 2 for a, b in zip(dark, lite, strict=True))
    tint = made.ramp(share, [(0.35, dark), (0.55, middle), (0.8, lite)])
    tint = made.mix(0.7, tint, made.ramp(pores, [(0.36, grey(0.45)), (0.46, grey(1.0))]), "MULTIPLY")
    if gap is not None:
        tint = made.mix(0.55, tint, made.ramp(tone, [(0, grey(0.62)), (1, grey(1.15))]), "MULTIPLY")
        tint = made.mix(gap, tint, tuple(c * 0.15 for c in dark))
    roughness = made.math("ADD", made.math("MULTIPLY", fibre, 0.25), rough - 0.1)
    return made.set(Base_Color=tint, Roughness=roughness, Normal=made.bump(fibre, 0.25, 0.001)).material


def stone(name: str, base: Colour, vein: Colour, rough: float, scale: float = 2.0) -> Any:
    """Polished, clouded and veined."""
    made = Material(name)
    where = made.place(scale=(scale,) * 3, turn=(0.4, 0.2, 0.7))
    turbulent = made.put("ShaderNodeTexNoise", Vector=where, Scale=1.7, Detail=4, Roughness=0.6).outputs[1]
    bent = made.put("ShaderNodeVectorMath", {"operation": "SCALE"}, _0=turbulent, Scale=0.9).outputs[0]
    where = made.put("ShaderNodeVectorMath", {"operation": "ADD"}, _0=where, _1=bent).outputs[0]
    tint = made.mix(made.noise(where, 2.2, 3), tuple(c * 0.7 for c in base), base)
    grain = made.ramp(made.noise(where, 320, 2, 0.7), [(0.35, grey(0.7)), (0.6, grey(1.05))])
    tint = made.mix(0.25, tint, grain, "MULTIPLY")
    for size, width, strength in ((1.9, 0.035, 0.75), (5.5, 0.022, 0.45)):
        near = made.math("ABSOLUTE", made.math("SUBTRACT", made.noise(where, size, 6, 0.55), 0.5))
        line = made.ramp(near, [(0.0, grey(1.0)), (width, grey(0.0))])
        tint = made.mix(made.math("MULTIPLY", line, strength), tint, vein)
    return made.set(Base_Color=tint, Roughness=rough).material


def masonry(name: str, one: Colour, other: Colour, mortar: Colour, width: float, height: float, *, flat: bool) -> Any:
    """Bricks of a wall, or slabs on the ground (`flat`), metres."""
    made = Material(name)
    where = made.place(turn=(0, 0, 0) if flat else (1.5708, 0, 0))
    size = {"Scale": 1.0, "Mortar Size": 0.006, "Brick Width": width, "Row Height": height}
    tones = {"Color1": one, "Color2": other, "Mortar": mortar}
    bricks = made.put("ShaderNodeTexBrick", {"offset": 0.5}, Vector=where, **size, **tones)
    fine = made.noise(where, 140, 4, 0.7)
    tint = made.mix(0.7, bricks.outputs[0], made.ramp(fine, [(0.3, grey(0.55)), (0.65, grey(1.15))]), "MULTIPLY")
    coarse = made.ramp(made.noise(where, 6), [(0.3, grey(0.65)), (0.7, grey(1.15))])
    tint = made.mix(0.7, tint, coarse, "MULTIPLY")
    height_map = made.math("SUBTRACT", made.math("MULTIPLY", fine, 0.4), bricks.outputs[1])
    return made.set(Base_Color=tint, Roughness=0.85, Normal=made.bump(height_map, 0.7, 0.005)).material


def printed(name: str, path: Path, rough: float = 0.55, **more: Any) -> Any:
    """A picture by the mesh's own coordinates."""
    made = Material(name)
    where = made.put("ShaderNodeTexCoord").outputs["UV"]
    picture = bpy.data.images.load(str(path), check_existing=True)
    options = {"image": picture, "extension": "REPEAT", "interpolation": "Cubic"}
    return made.set(
        Base_Color=made.put("ShaderNodeTexImage", options, Vector=where).outputs[0], Roughness=rough, **more
    ).material


def glass(name: str, tint: Colour = (1, 1, 1), rough: float = 0.0) -> Any:
    return Material(name).set(Base_Color=tint, Transmission_Weight=1.0, Roughness=rough, IOR=1.45).material


def glowing(name: str, tone: Colour, strength: float) -> Any:
    """It mirrors nothing: in a mask what does not glow is black."""
    emission = {"Emission_Color": tone, "Emission_Strength": strength, "Specular_IOR_Level": 0.0}
    return Material(name).set(Base_Color=(0, 0, 0), **emission).material
