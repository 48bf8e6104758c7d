"""Camera, light and renderer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

from tests.bench.render.nodes import Colour, glowing
from tests.bench.render.settling import Window
from tests.bench.render.shapes import Point

EXPOSURE_STOPS = 0.5


def empty() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def prepare(size: tuple[int, int], samples: int, *, transparent: bool = False) -> None:
    """Cycles on the CPU with denoising, always with the same noise."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed, cycles.use_adaptive_sampling = "CPU", samples, 11, False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes, cycles.denoising_prefilter = "RGB_ALBEDO_NORMAL", "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 8, 2, 3, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.blur_glossy = 4, 0.5
    render = scene.render
    render.resolution_x, render.resolution_y = size
    render.film_transparent, render.filter_size, render.dither_intensity = transparent, 1.35, 0
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGBA" if transparent else "RGB"
    render.threads_mode, render.threads = "FIXED", 2
    view = scene.view_settings
    view.view_transform, view.look, view.exposure = "AgX", "AgX - Medium High Contrast", EXPOSURE_STOPS


def camera(at: Point, target: Point, lens_mm: float, f_stop: float | None = None) -> None:
    made = bpy.data.cameras.new("camera")
    made.lens, made.sensor_width, made.sensor_fit = lens_mm, 36, "AUTO"
    if f_stop:
        made.dof.use_dof, made.dof.aperture_fstop = True, f_stop
        made.dof.focus_distance = (Vector(target) - Vector(at)).length
    thing = bpy.data.objects.new("camera", made)
    thing.location = at
    thing.rotation_euler = (Vector(target) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = thing


def area(at: Point, size: float, watts: float, tone: Colour = (1, 1, 1), target: Point = (0, 0, 0.1)) -> None:
    light = bpy.data.lights.new("area", "AREA")
    light.energy, light.color, light.size = watts, tone, size
    _shine(light, Vector(target) - Vector(at), at)


def sun(direction: Point, strength: float, tone: Colour, width_degrees: float) -> None:
    light = bpy.data.lights.new("sun", "SUN")
    light.energy, light.color, light.angle = strength, tone, math.radians(width_degrees)
    _shine(light, Vector(direction), (0, 0, 5))


def _shine(light: Any, direction: Vector, at: Point) -> None:
    thing = bpy.data.objects.new("light", light)
    thing.location, thing.rotation_euler = at, direction.to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(thing)


def sky(tone: Colour, strength: float) -> None:
    """Light from all around: `tone` above, a quarter of it below."""
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    background = next(node for node in tree.nodes if node.type == "BACKGROUND")
    axes = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"], axes.inputs[0])
    up = tree.nodes.new("ShaderNodeMapRange")
    up.inputs["From Min"].default_value = -1.0
    tree.links.new(axes.outputs[2], up.inputs["Value"])
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    tree.links.new(up.outputs[0], ramp.inputs[0])
    ramp.color_ramp.elements.new(0.5)
    for element, position, share in zip(ramp.color_ramp.elements, (0.0, 0.5, 1.0), (0.25, 0.7, 1.0), strict=True):
        element.position, element.color = position, (*(c * share for c in tone), 1)
    tree.links.new(ramp.outputs[0], background.inputs[0])
    background.inputs[1].default_value = strength


def take(path: Path, window: Window | None = None) -> None:
    """Render into `path`; outside `window` it stays black."""
    render = bpy.context.scene.render
    render.use_border = window is not None
    if window:
        left, top, right, bottom = window
        width, height = render.resolution_x, render.resolution_y
        render.border_min_x, render.border_max_x = left / width, right / width
        render.border_min_y, render.border_max_y = 1 - bottom / height, 1 - top / height
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def take_mask(path: Path, product: Sequence[Any], window: Window) -> None:
    """White where `product` is seen. The scene is of no use afterwards."""
    white, black = glowing("white", (1, 1, 1), 1.0), glowing("black", (0, 0, 0), 0.0)
    for thing in bpy.data.objects:
        thing.hide_render = thing.type == "LIGHT"  # black things would mirror it
        for slot in thing.material_slots if thing.type == "MESH" else ():
            slot.material = white if thing in product else black
    scene = bpy.context.scene
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 12, False, 0
    scene.view_settings.view_transform, scene.view_settings.look, scene.view_settings.exposure = "Raw", "None", 0
    scene.world.node_tree.nodes.clear()
    take(path, window)
