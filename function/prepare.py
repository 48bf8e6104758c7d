"""Sources → what the model is sent, and what its answer will be compared with."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

import numpy as np

from function.deadline import Deadline
from function.errors import ManifestInvalid
from function.fidelity.analysis import ANALYSIS_SIDE_PX
from function.fidelity.photograph import photograph_alpha
from function.generation.models import ImageModel
from function.imaging.compress import encode_for_model, fit_to_frame, has_bars, shrink
from function.imaging.decode import ImageInfo, Pixels, decode, inspect
from function.imaging.encode import MAX_SIDE_PX
from function.imaging.frame import Frame, Size, fit_within, plan_frame
from function.imaging.icc import convert, to_srgb
from function.imaging.resize import asked_size
from function.imaging.sniff import Format
from function.logs import log
from function.manifest import Manifest
from function.permit import process_permit
from function.record import RunRecord
from function.settings import Settings
from function.sidecar import Compression, InputRecord, Shrunk
from function.sources import Source, first_to_tell

# Above this a scene's pixels are given back while the model is thinking and decoded a second time afterwards: eight
# waiting 50-megapixel pairs would otherwise hold 1.2 GB.
KEPT_PIXELS = 16_000_000
MAX_PRODUCT_SIDE_PX = 3072  # more than a product covers in a result; bounds what a huge photograph costs
# Peak bytes a pixel while decoding, measured (tests/bench/codecs.py): WebP keeps canvases of its own.
DECODE_BYTES = {"png": 8, "jpeg": 8, "webp": 16}
MAX_SEED = 2**31 - 1  # seeds are INT32


@dataclass(frozen=True)
class Scene:
    """The scene as decoded. `kept` is None for a huge one, which is decoded again when it is needed."""

    source: Source
    info: ImageInfo
    icc: bytes | None
    size: Size
    kept: np.ndarray | None

    def full(self, max_pixels: int) -> np.ndarray:
        """(H, W, 3) uint8 at full resolution."""
        if self.kept is not None:
            return self.kept
        return decode(self.source.content, "scene", max_pixels=max_pixels, flatten=True).array


@dataclass(frozen=True)
class Photograph:
    """The product as decoded: (h, w, 3 or 4) uint8, at most MAX_PRODUCT_SIDE_PX, and its size before that."""

    array: np.ndarray
    icc: bytes | None
    size: Size


@dataclass(frozen=True)
class Decoded:
    """Both sources in memory. `small_scene` (h, w, 3) uint8 is what the analysis and the model's picture are
    made from."""

    scene: Scene
    small_scene: np.ndarray
    product: Photograph


@dataclass(frozen=True)
class Prepared:
    """A pair ready to be sent. Sizes are (width, height)."""

    scene: Scene
    small_scene: np.ndarray  # (h, w, 3) uint8, for the analysis
    product: np.ndarray  # (h, w, 4) uint8, in the scene's colour space
    frame: Frame
    images: tuple[tuple[bytes, str], ...]  # [1] the scene in its frame, [2] the product, as sent
    prompt_facts: dict[str, bool]
    base_seed: int
    result_size: Size
    result_format: Format


def decode_sources(
    sources: dict[str, Source], max_px: int, settings: Settings, deadline: Deadline, record: RunRecord
) -> Decoded:
    """Decode scene and product side by side, within the process's memory permit.

    Raises SourceUnsupported, SourceTooLarge, SourceUnreadable, and one error for both when both are bad.
    """
    limit = settings.max_source_pixels
    infos, errors = {}, []
    for field, source in sources.items():
        try:
            infos[field] = inspect(source.content, field, max_pixels=limit)
        except Exception as error:  # noqa: BLE001 (collected, and raised below)
            errors.append(error)
    if errors:
        raise first_to_tell(errors)
    wanted = sum(info.size[0] * info.size[1] * DECODE_BYTES[info.format] for info in infos.values())
    with process_permit().hold(wanted, deadline), ThreadPoolExecutor(max_workers=2) as pool:
        run = copy_context().run
        decoding = pool.submit(run, _decode, sources["scene"], "scene", limit, record)
        product = pool.submit(copy_context().run, _decode_product, sources["product"], limit, record)
        errors = [error for future in (decoding, product) if (error := future.exception())]
        if errors:
            raise first_to_tell(errors)
        pixels = decoding.result()
        height, width = pixels.array.shape[:2]
        small = shrink(pixels.array, fit_within((width, height), max(ANALYSIS_SIDE_PX, max_px)))
        kept = pixels.array if width * height <= KEPT_PIXELS else None
        scene = Scene(sources["scene"], pixels.info, pixels.icc, (width, height), kept)
    return Decoded(scene, small, product.result())


def prepare(
    decoded: Decoded, manifest: Manifest, model: ImageModel, max_px: int, settings: Settings, record: RunRecord
) -> Prepared:
    """Lay the scene into the model's frame, shrink both, encode them. Raises ManifestInvalid for an impossible
    output, before anything is paid for."""
    scene, product = decoded.scene, decoded.product
    result_size, result_format = _checked_output(manifest, scene, settings)
    frame = plan_frame(scene.size, model.native_sizes, max_px)
    sent_scene = to_srgb(shrink(decoded.small_scene, frame.content_box[2:]), scene.icc)
    sent_product = to_srgb(shrink(product.array, fit_within(product.size, max_px)), product.icc)
    sent_product_size = sent_product.shape[1], sent_product.shape[0]
    images = encode_for_model(fit_to_frame(sent_scene, frame)), encode_for_model(sent_product)
    record.compression = Compression(
        max_px=max_px,
        scene=Shrunk(from_size=scene.size, to_size=frame.sent_size),
        product=Shrunk(from_size=product.size, to_size=sent_product_size),
    )
    record.full_sizes = [scene.size, product.size]
    record.sent_sizes = [frame.sent_size, sent_product_size]
    facts = {"product_is_cut_out": sent_product.shape[2] == 4, "has_bars": has_bars(frame)}
    return Prepared(
        scene=scene,
        small_scene=decoded.small_scene,
        product=_with_alpha(convert(product.array, product.icc, scene.icc)),
        frame=frame,
        images=images,
        prompt_facts=facts,
        base_seed=_base_seed(manifest, images),
        result_size=result_size,
        result_format=result_format,
    )


def seed_from(*contents: bytes) -> int:
    """A seed derived from content, so that the same request gives the same picture."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return int.from_bytes(digest.digest()[:4], "big") & MAX_SEED


def _base_seed(manifest: Manifest, images: tuple[tuple[bytes, str], ...]) -> int:
    if manifest.seed is not None:
        return manifest.seed
    return seed_from((manifest.placement or "").encode(), *(content for content, _ in images))


def _decode(source: Source, field: str, max_pixels: int, record: RunRecord) -> Pixels:
    pixels = decode(source.content, field, max_pixels=max_pixels, flatten=field == "scene")
    height, width = pixels.array.shape[:2]
    described = InputRecord(
        uri=source.uri,
        generation=source.generation,
        mime_type=pixels.info.mime_type,
        width=width,
        height=height,
        bytes=len(source.content),
        sha256=source.sha256,
        notes=list(pixels.notes),
    )
    record.add_input(field, described)
    for note in pixels.notes:
        log("WARNING", f"{field}: {note}", stage="prepare")
    return pixels


def _decode_product(source: Source, max_pixels: int, record: RunRecord) -> Photograph:
    pixels = _decode(source, "product", max_pixels, record)
    size = pixels.array.shape[1], pixels.array.shape[0]
    return Photograph(shrink(pixels.array, fit_within(size, MAX_PRODUCT_SIDE_PX)), pixels.icc, size)


def _checked_output(manifest: Manifest, scene: Scene, settings: Settings) -> tuple[Size, Format]:
    output = manifest.output
    width, height = asked_size(scene.size, output.width, output.height)
    kind = output.format or scene.info.format
    if max(width, height) > MAX_SIDE_PX[kind]:
        raise ManifestInvalid(
            f"output: {width} x {height} does not fit into {kind}, whose sides end at {MAX_SIDE_PX[kind]:,} pixels"
        )
    if width * height > settings.max_source_pixels:
        raise ManifestInvalid(f"output: {width} x {height} is more than {settings.max_source_pixels:,} pixels")
    return (width, height), kind


def _with_alpha(product: np.ndarray) -> np.ndarray:
    """The photograph as RGBA; one without transparency is cut out of its plain background where it has one."""
    return product if product.shape[2] == 4 else np.dstack([product, photograph_alpha(product)])
