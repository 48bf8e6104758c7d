"""What the image model is sent: for the composite of a pair, and for a scene that is asked for in words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from function.errors import ModelRejectedError
from function.generation.image_size import choose_image_size
from function.generation.models import ImageModel
from function.generation.product_words import products_prompt
from function.generation.prompt import WORDING, Wording, composite_prompt, scene_prompt, sketch_prompt
from function.generation.provider import Request
from function.imaging.frame import Size, nearest_ratio
from function.manifest.model import Manifest
from function.pipeline.asked_place import spot_in
from function.pipeline.context import Prepared, Sketch
from function.pipeline.targets import largest_sides
from function.settings import Settings

MAX_SEED = 2**31 - 1  # seeds are INT32
DEFAULT_SCENE_SHAPE = (4, 3)  # of a scene made from text when no output size is asked for


def composite_request(
    prepared: Prepared,
    model: ImageModel,
    settings: Settings,
    manifest: Manifest,
    number: int,
    lessons: Sequence[str],
    wording: Wording = WORDING,
) -> Request:
    """The request of attempt `number` (from 1), told what the one before got wrong (`lessons`, sentences).

    Raises ModelRejectedError when the model does not take as many images.
    """
    if len(prepared.images) > model.max_input_images:
        raise ModelRejectedError(
            f"the model {model.id} takes at most {model.max_input_images} images; a pair sends {len(prepared.images)}"
        )
    return Request(
        model=model.id,
        prompt=_words(prepared, manifest, lessons, wording),
        images=prepared.images,
        aspect_ratio=prepared.frame.aspect_ratio,
        image_size=choose_image_size(model, _enlargement(prepared, model), settings.max_image_size),
        thinking_level=_thinking_level(model, settings),
        asks_for_png=model.asks_for_png,
        seed=(prepared.base_seed + number - 1) % (MAX_SEED + 1),
    )


def _words(prepared: Prepared, manifest: Manifest, lessons: Sequence[str], wording: Wording) -> str:
    if prepared.shown:
        return products_prompt(
            prepared.shown,
            manifest.pose,
            is_letterboxed=prepared.is_letterboxed,
            spots=[
                spot_in(prepared.frame, asked, one.exact_placement.facing)
                for one, asked in zip(manifest.products or (), prepared.asked_each, strict=True)
            ],
            placement=manifest.placement_words,
            feedback=manifest.feedback,
            lessons=lessons,
            wording=wording,
        )
    return composite_prompt(
        manifest.placement_words,
        manifest.pose,
        product_is_cut_out=prepared.product_is_cut_out,
        is_letterboxed=prepared.is_letterboxed,
        views=prepared.photographs_sent,
        feedback=manifest.feedback,
        lessons=lessons,
        wording=wording,
        spot=spot_in(prepared.frame, prepared.asked, manifest.exact_placement.facing, prepared.mark),
    )


def sketch_request(
    prepared: Prepared,
    model: ImageModel,
    settings: Settings,
    manifest: Manifest,
    number: int,
    lessons: Sequence[str],
    sketch: Sketch,
    wording: Wording = WORDING,
) -> Request:
    """The request of attempt `number` that hands the `sketch` in for the scene, and asks for its light only."""
    request = composite_request(prepared, model, settings, manifest, number, ())
    prompt = sketch_prompt(
        manifest.pose, sketch.box, is_letterboxed=prepared.is_letterboxed, lessons=lessons, wording=wording
    )
    return replace(request, prompt=prompt, images=(sketch.image, prepared.images[1]))


def scene_request(
    manifest: Manifest, prompt: str, model: ImageModel, settings: Settings, wording: Wording = WORDING
) -> Request:
    """The request for the empty scene that `prompt` describes, in the shape that the result will have."""
    asked = _asked_shape(manifest)
    shape: Size = (asked[0], asked[1]) if asked[0] and asked[1] else DEFAULT_SCENE_SHAPE
    aspect_ratio = nearest_ratio(shape, model.native_sizes)
    native_size = model.native_sizes[aspect_ratio]
    # Without a size that is asked for the result has the scene's, whatever that is.
    enlargement = max(shape[0] / native_size[0], shape[1] / native_size[1]) if any(asked) else 1.0
    return Request(
        model=model.id,
        prompt=scene_prompt(prompt, wording),
        images=(),
        aspect_ratio=aspect_ratio,
        image_size=choose_image_size(model, enlargement, settings.max_image_size),
        thinking_level=_thinking_level(model, settings),
        asks_for_png=model.asks_for_png,
        seed=seed_from(prompt.encode()) if manifest.seed is None else manifest.seed,
    )


def _asked_shape(manifest: Manifest) -> Size:
    """The width and height that are asked for, 0 where none is; of several pictures those that hold them all."""
    if manifest.outputs is None:
        return manifest.output.width or 0, manifest.output.height or 0
    sides = [[one.wanted(field) or 0 for one in manifest.outputs] for field in ("width", "height")]
    return max(sides[0]), max(sides[1])


def _enlargement(prepared: Prepared, model: ImageModel) -> float:
    """How many times larger the result is than the scene inside a 1K answer."""
    frame = prepared.frame
    _, _, width, height = frame.content_box_in(model.native_sizes[frame.aspect_ratio])
    across, down = largest_sides(prepared.targets)
    return max(across / width, down / height)


def _thinking_level(model: ImageModel, settings: Settings) -> str | None:
    """The level to ask for; None where the model is not known to take one."""
    return settings.thinking_level if settings.thinking_level in model.thinking_levels else None


def seed_from(*contents: bytes) -> int:
    """A seed derived from content, so that the same request gives the same picture."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return int.from_bytes(digest.digest()[:4], "big") & MAX_SEED
