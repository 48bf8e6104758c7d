"""Sources → pixels: scene and product side by side, within the process's memory budget."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context

import numpy as np

from function.errors import ModelNoImage, SourceError, SourceUnreadable
from function.generation.models import model_table
from function.imaging.compress import encode_for_model, shrink, shrink_by_area
from function.imaging.decode import ImageInfo, Pixels, decode, inspect
from function.imaging.frame import Size, fit_within
from function.imaging.icc import to_srgb
from function.imaging.xmp import Rights
from function.manifest.model import ScenePrompt
from function.matching.cutout.cut_out import cut_out
from function.pipeline.context import Decoded, PairContext, Photograph
from function.pipeline.fetch import Source, most_severe
from function.pipeline.memory_budget import Priority
from function.pipeline.scene_pixels import Scene
from function.pipeline.source_limits import inspect_source
from function.provenance.ingredient import Role
from function.provenance.rights import read_rights
from function.restoration.analysis import ANALYSIS_SIDE_PX
from function.sidecar import InputRecord
from function.telemetry.structured_logging import log

MAX_PRODUCT_SIDE_PX = 3072  # more than a product covers in a result; bounds what a huge photograph costs


def decode_sources(pair: PairContext) -> None:
    """Decode both sources, one after the other where both at once would be too large; the product, whose picture for
    the model needs no frame, is made ready to be sent too.

    Raises SourceUnsupported, SourceTooLarge, SourceUnreadable, and one error for both when both are bad; ModelNoImage
    for a generated scene that is damaged.
    """
    if pair.decoded is not None:
        return
    try:
        pair.decoded = _decode_side_by_side(pair)
    except SourceError as error:
        if isinstance(pair.manifest.scene, ScenePrompt) and error.field == "scene":
            raise ModelNoImage(f"the scene that the model generated is damaged: {error.message}") from None
        raise
    pair.sources.clear()  # files of up to 50 MiB each, of eight pairs that wait for the model


def _decode_side_by_side(pair: PairContext) -> Decoded:
    infos: dict[str, ImageInfo] = {}
    errors: list[BaseException] = []
    for field, source in pair.sources.items():
        try:
            infos[field] = _inspect(pair, field, source)
        except Exception as error:  # noqa: BLE001 (collected, and raised below)
            errors.append(error)
    if errors:
        raise most_severe(errors)
    wanted = sum(info.decode_bytes for info in infos.values())
    one_by_one = not pair.resources.fits(wanted)
    if one_by_one:
        wanted = max(info.decode_bytes for info in infos.values())
    with pair.resources.pixels(wanted, Priority.BEFORE_MODEL), ThreadPoolExecutor(max_workers=1) as pool:
        decoding = pool.submit(copy_context().run, _decode_product, pair)
        if one_by_one:
            wait([decoding])
        try:
            scene, small_scene = _decode_scene(pair, infos["scene"].size)
        except Exception as error:  # noqa: BLE001 (raised below, after the other one has ended)
            errors.append(error)
        if failure := decoding.exception():
            errors.append(failure)
        if errors:
            raise most_severe(errors)
    return Decoded(scene, small_scene, decoding.result())


def _inspect(pair: PairContext, field: str, source: Source) -> ImageInfo:
    if field == "scene" and isinstance(pair.manifest.scene, ScenePrompt):  # in a format of the model's choice
        return inspect(source.content, field, max_pixels=pair.settings.max_source_pixels)
    return inspect_source(source.content, field, pair.settings)


def _decode_scene(pair: PairContext, size: Size) -> tuple[Scene, np.ndarray]:
    """The scene, and its picture for the analysis: a JPEG is decoded no larger than that takes."""
    source, limit = pair.sources["scene"], pair.settings.max_source_pixels
    small_size = fit_within(size, max(ANALYSIS_SIDE_PX, pair.max_px))
    pixels = decode(source.content, "scene", max_pixels=limit, flatten=True, at_least=small_size)
    _record_input(pair, "scene", source, pixels)
    return Scene(source, pixels, limit, pair.resources), shrink_by_area(pixels.array, small_size)


def _decode_product(pair: PairContext) -> Photograph:
    source = pair.sources["product"]
    pixels = decode(source.content, "product", max_pixels=pair.settings.max_source_pixels)
    _record_input(pair, "product", source, pixels)
    if pixels.array.shape[2] == 4 and not pixels.array[..., 3].any():
        raise SourceUnreadable("product: nothing of it is visible: the picture is fully transparent", field="product")
    size = pixels.array.shape[1], pixels.array.shape[0]
    cut = cut_out(shrink(pixels.array, fit_within(size, MAX_PRODUCT_SIDE_PX)))
    shown = cut.rgba if cut.is_sure else pixels.array
    sent = to_srgb(shrink(shown, fit_within(size, pair.max_px)), pixels.icc)
    # The same bytes for every model of the chain: what the strictest of them takes.
    chain, _ = pair.models.candidates(pair.manifest.model)
    max_inline_bytes = min(model_table().find(model_id).max_inline_bytes for model_id in chain)
    content = encode_for_model(sent, max_inline_bytes)
    return Photograph(cut, pixels.icc, size, content, (sent.shape[1], sent.shape[0]))


def _record_input(pair: PairContext, field: str, source: Source, pixels: Pixels) -> None:
    width, height = pixels.info.size
    role: Role = "scene" if field == "scene" else "product"
    ingredient = pair.credentials.read(source.content, pixels.info.mime_type, role, pair.deadline)
    rights = read_rights(source.content) if pair.settings.rights_metadata == "keep" else Rights()
    described = InputRecord(
        uri=source.uri,
        generation=source.generation,
        mime_type=pixels.info.mime_type,
        width=width,
        height=height,
        bytes=len(source.content),
        sha256=source.sha256,
        notes=list(pixels.notes),
        provenance=ingredient.found,
    )
    pair.record.add_input(field, described, ingredient, rights)
    for note in pixels.notes:
        log("WARNING", f"{field}: {note}", stage="prepare")
