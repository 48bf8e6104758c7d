"""Sources → pixels: the scene beside the product's photographs, within the process's memory budget."""

from __future__ import annotations

import logging
import math
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context

import cv2
import numpy as np

from function.errors import ModelNoImageError, SourceError, UnreadableSourceError
from function.generation.models import model_table
from function.imaging.compress import downscale, downscale_area, encode_for_model
from function.imaging.decode import ImageInfo, Pixels, decode, inspect
from function.imaging.frame import Size, fit_within
from function.imaging.icc import to_srgb
from function.imaging.xmp import Rights
from function.manifest.model import ScenePrompt
from function.manifest.placement import is_mask_field
from function.matching.cutout.cut_out import cut_out
from function.pipeline.asked_place import check_mask
from function.pipeline.context import Decoded, PairContext, Photograph
from function.pipeline.fetch import Source, most_severe
from function.pipeline.memory_budget import Priority
from function.pipeline.scene_pixels import Scene
from function.pipeline.source_limits import inspect_source
from function.provenance.ingredient import Ingredient
from function.provenance.rights import read_rights
from function.restoration.analysis_size import ANALYSIS_SIDE_PX
from function.sidecar.files import InputRecord

logger = logging.getLogger(__name__)

MAX_PRODUCT_SIDE_PX = 3072  # more than a product covers in a result; bounds what a huge photograph costs
# Of the photographs after the leading one: five of these hold less than the leading one does, and no picture of a model
# of one megapixel shows more of a product.
MAX_OTHER_SIDE_PX = ANALYSIS_SIDE_PX


def decode_sources(pair: PairContext) -> None:
    """Decode the sources, the scene beside the photographs (one after the other), or after them where both at once
    would be too large; the product, whose picture for the model needs no frame, is made ready to be sent too.

    Raises UnsupportedSourceError, SourceTooLargeError, UnreadableSourceError, and one error for all that are bad;
    ModelNoImageError for a generated scene that is damaged.
    """
    if pair.decoded is not None:
        return
    try:
        pair.decoded = _decode_side_by_side(pair)
    except SourceError as error:
        if isinstance(pair.manifest.scene, ScenePrompt) and error.field == "scene":
            raise ModelNoImageError(f"the scene that the model generated is damaged: {error.message}") from None
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
    photographs = [infos[field] for field in pair.photograph_fields]
    largest = max(info.decode_bytes for info in photographs)
    kept = _kept_bytes(pair, [info.size for info in photographs])
    # The scene, and one mask after the other beside it.
    masks = [info.decode_bytes for field, info in infos.items() if is_mask_field(field)]
    with_scene = infos["scene"].decode_bytes, max(masks, default=0)
    wanted = sum(with_scene) + largest + kept
    one_by_one = not pair.resources.fits(wanted)
    if one_by_one:
        wanted = max(*with_scene, largest) + kept
    pair.resources.keep(kept)
    with pair.resources.pixels(wanted, Priority.BEFORE_MODEL), ThreadPoolExecutor(max_workers=1) as pool:
        decoding = pool.submit(copy_context().run, _decode_photographs, pair)
        if one_by_one:
            wait([decoding])
        try:
            scene, small_scene = _decode_scene(pair, infos["scene"].size)
            small_size = small_scene.shape[1], small_scene.shape[0]
            fields = [field for field in pair.sources if is_mask_field(field)]
            grounds = {field: _decode_mask(pair, field, scene.size, small_size) for field in fields}
        except Exception as error:  # noqa: BLE001 (raised below, after the other one has ended)
            errors.append(error)
        if failure := decoding.exception():
            errors.append(failure)
        if errors:
            raise most_severe(errors)
    product, *others = decoding.result()
    return Decoded(scene, small_scene, product, tuple(others), grounds)


def _kept_bytes(pair: PairContext, sizes: list[Size]) -> int:
    """Of the cut-outs of all photographs after the first, until the pair is done: two where their colours are taken to
    the scene's."""
    fields = pair.photograph_fields[1:]
    kept = (fit_within(size, _longest_side(pair, field)) for field, size in zip(fields, sizes[1:], strict=True))
    return sum(2 * 4 * width * height for width, height in kept)


def _longest_side(pair: PairContext, field: str) -> int:
    """That a photograph is kept with: several products have as many pixels together as one may."""
    leading = [fields[0] for fields in pair.manifest.product_fields]
    return int(MAX_PRODUCT_SIDE_PX / math.sqrt(len(leading))) if field in leading else MAX_OTHER_SIDE_PX


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
    return Scene(source, pixels, limit, pair.resources), downscale_area(pixels.array, small_size)


def _decode_mask(pair: PairContext, field: str, scene_size: Size, small_size: Size) -> np.ndarray:
    """(h, w) uint8 of `small_size`: what is transparent is not white. Raises InvalidManifestError."""
    source = pair.sources[field]
    pixels = decode(source.content, field, max_pixels=pair.settings.max_source_pixels)
    _record_input(pair, field, source, pixels)
    grey = cv2.cvtColor(np.ascontiguousarray(pixels.array[..., :3]), cv2.COLOR_RGB2GRAY)
    if pixels.array.shape[2] == 4:
        grey = cv2.min(grey, np.ascontiguousarray(pixels.array[..., 3]))
    ground = cv2.resize(grey, small_size, interpolation=cv2.INTER_AREA)
    check_mask(field, pixels.info.size, ground, scene_size)
    return ground


def _decode_photographs(pair: PairContext) -> list[Photograph]:
    """All photographs, one after the other, in the manifest's order. Raises one error for all that are bad."""
    photographs: list[Photograph] = []
    errors: list[BaseException] = []
    for field in pair.photograph_fields:
        try:
            photographs.append(_decode_photograph(pair, field))
        except Exception as error:  # noqa: BLE001 (collected, and raised below)
            errors.append(error)
    if errors:
        raise most_severe(errors)
    return photographs


def _decode_photograph(pair: PairContext, field: str) -> Photograph:
    source = pair.sources[field]
    pixels = decode(source.content, field, max_pixels=pair.settings.max_source_pixels)
    _record_input(pair, field, source, pixels)
    if pixels.array.shape[2] == 4 and not pixels.array[..., 3].any():
        raise UnreadableSourceError(f"{field}: the picture is fully transparent", field=field)
    size = pixels.array.shape[1], pixels.array.shape[0]
    cut = cut_out(downscale(pixels.array, fit_within(size, _longest_side(pair, field))))
    shown = cut.rgba if cut.is_sure else pixels.array
    sent = to_srgb(downscale(shown, fit_within(size, pair.max_px)), pixels.icc)
    # The same bytes for every model of the chain: what the strictest of them takes.
    chain, _ = pair.models.candidates(pair.manifest.model)
    max_inline_bytes = min(model_table().find(model_id).max_inline_bytes for model_id in chain)
    content = encode_for_model(sent, max_inline_bytes)
    return Photograph(cut, pixels.icc, size, content, (sent.shape[1], sent.shape[0]))


def _record_input(pair: PairContext, field: str, source: Source, pixels: Pixels) -> None:
    width, height = pixels.info.size
    ingredient = _read_credentials(pair, field, source, pixels.info.mime_type)
    keeps = not is_mask_field(field) and pair.settings.rights_metadata == "keep"
    rights = read_rights(source.content) if keeps else Rights()
    described = InputRecord(
        uri=source.uri,
        generation=source.generation,
        mime_type=pixels.info.mime_type,
        width=width,
        height=height,
        bytes=len(source.content),
        sha256=source.sha256 if ingredient is None else ingredient.sha256,
        notes=list(pixels.notes),
        provenance=None if ingredient is None else ingredient.found,
    )
    pair.record.add_input(field, described, ingredient, rights)
    for note in pixels.notes:
        logger.warning("%s: %s", field, note, extra={"stage": "prepare"})


def _read_credentials(pair: PairContext, field: str, source: Source, mime_type: str) -> Ingredient | None:
    """None for a mask, of which nothing is in the result."""
    if is_mask_field(field):
        return None
    if field == "scene":
        return pair.credentials.read(source.content, mime_type, "scene", pair.deadline)
    number = pair.photograph_fields.index(field) + 1
    return pair.credentials.read(source.content, mime_type, "product", pair.deadline, number)
