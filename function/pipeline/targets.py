"""The pictures that a manifest asks for: one, or several from the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from function.errors import InvalidManifestError
from function.imaging.formats import FORMATS, WriteFormat, writing_of
from function.imaging.frame import Size
from function.imaging.position import Position
from function.imaging.resize import target_size
from function.manifest.model import Manifest
from function.manifest.output_target import OutputTarget
from function.pipeline.scene_pixels import Scene
from function.settings import Settings

COVER_MARGIN = 0.05  # of a named target: a product that touches the edge looks cut off
WHITE = "#ffffff"


@dataclass(frozen=True)
class Target:
    """One picture to be made. `name` is None for the one that a manifest without `outputs` gives; `margin` is a share
    of the shorter side, `background` #rrggbb in sRGB."""

    name: str | None
    size: Size
    format: WriteFormat
    quality: int | None
    fit: Literal["cover", "contain"] = "cover"
    margin: float = 0.0
    background: str = WHITE
    position: Position | None = None


def targets_of(manifest: Manifest, scene: Scene, settings: Settings) -> tuple[Target, ...]:
    """What is to be made, in the manifest's order. Raises InvalidManifestError for what cannot be."""
    if manifest.outputs is None:
        output = manifest.output
        size = target_size(scene.size, output.width, output.height)
        targets = [Target(None, size, output.format or _format_like(scene, size), output.quality)]
    else:
        targets = [_target(one, scene) for one in manifest.outputs]
    for target in targets:
        width, height = target.size
        if problem := writing_of(target.format).problem_with(target.size):
            raise InvalidManifestError(
                f"{_field(target)}: {width} x {height} does not fit into {target.format}, {problem}"
            )
    pixels = sum(target.size[0] * target.size[1] for target in targets)
    if pixels > settings.max_source_pixels:
        of_all = f"{targets[0].size[0]} x {targets[0].size[1]} is" if len(targets) == 1 else "they are together"
        field = _field(targets[0]) if len(targets) == 1 else "outputs"
        raise InvalidManifestError(f"{field}: {of_all} more than {settings.max_source_pixels:,} pixels")
    return tuple(targets)


def largest_sides(targets: tuple[Target, ...]) -> Size:
    """The longest width and the longest height among them."""
    return max(target.size[0] for target in targets), max(target.size[1] for target in targets)


def _target(asked: OutputTarget, scene: Scene) -> Target:
    size = target_size(scene.size, asked.wanted("width"), asked.wanted("height"))
    fit: Literal["cover", "contain"] = asked.wanted("fit") or "cover"
    margin: float | None = asked.wanted("margin")
    if margin is None:
        margin = COVER_MARGIN if fit == "cover" else 0.0
    return Target(
        name=asked.stem,
        size=size,
        format=asked.wanted("format") or _format_like(scene, size),
        quality=asked.wanted("quality"),
        fit=fit,
        margin=margin,
        background=asked.wanted("background") or WHITE,
        position=asked.wanted("position") or "center",
    )


def _field(target: Target) -> str:
    return "output" if target.name is None else f"outputs.{target.name}"


def _format_like(scene: Scene, size: Size) -> WriteFormat:
    """The scene's own format, or the one that stands in for it; a JPEG where an AVIF would be too large to write."""
    kind = FORMATS[scene.info.format].written_as
    return "jpeg" if kind == "avif" and writing_of(kind).problem_with(size) else kind
