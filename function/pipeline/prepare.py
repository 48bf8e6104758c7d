"""Sources → what the model is sent, and what its answer will be compared with."""

from __future__ import annotations

import hashlib
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass

import numpy as np

from function.deadline import Deadline
from function.errors import ManifestInvalid, SourceUnreadable
from function.generation.models import ImageModel
from function.imaging.compress import encode_for_model, fit_to_frame, has_bars, shrink, shrink_by_area
from function.imaging.decode import ImageInfo, Pixels, decode, inspect
from function.imaging.encode import MAX_SIDE_PX
from function.imaging.frame import Frame, Size, fit_within, plan_frame
from function.imaging.icc import convert, to_srgb
from function.imaging.resize import asked_size
from function.imaging.sniff import Format
from function.manifest.parse import Manifest
from function.matching.photograph import photograph_alpha
from function.pipeline.fetch import Source, first_to_tell
from function.pipeline.memory_budget import Turn, process_permit
from function.pipeline.record import RunRecord
from function.restoration.analysis import ANALYSIS_SIDE_PX, ProductReference
from function.settings import Settings
from function.sidecar import Compression, InputRecord, Shrunk
from function.telemetry.structured_logging import log

MAX_PRODUCT_SIDE_PX = 3072  # more than a product covers in a result; bounds what a huge photograph costs
# Peak bytes a pixel while decoding (tests/imaging/test_hostile_files.py); the decoder of an animated WebP has canvases
# of its own.
DECODE_BYTES, ANIMATED_WEBP_BYTES = 8, 16
MAX_SEED = 2**31 - 1  # seeds are INT32


class Scene:
    """The scene: what is known of it, and its pixels at full resolution.

    These are kept while the model is thinking as long as the process has room for them (eight waiting 50-megapixel
    pairs would hold 1.2 GB), and decoded a second time otherwise.
    """

    def __init__(self, source: Source, pixels: Pixels, max_pixels: int):
        self.info, self.icc, self.size = pixels.info, pixels.icc, pixels.info.size
        self._source: Source | None = source  # let go once the pixels are kept
        self._max_pixels = max_pixels
        self._kept: Future[np.ndarray] | None = None
        self._kept_bytes = 0
        height, width = pixels.array.shape[:2]
        if (width, height) == self.size and self._may_keep():
            self._kept, self._source = Future(), None
            self._kept.set_result(pixels.array)

    @property
    def is_kept(self) -> bool:
        """Whether `full` costs nothing."""
        return self._kept is not None

    def full(self) -> np.ndarray:
        """(H, W, 3) uint8 at full resolution, the caller's own: asked for once. Raises SourceUnreadable."""
        if self._kept is None:
            pixels = self._decode()
        else:
            pixels, self._kept = self._kept.result(), None
        pixels.flags.writeable = True
        return pixels

    def decode_on(self, meanwhile: Executor, deadline: Deadline) -> None:
        """Begin to decode what was only decoded small, if it may be kept."""
        if self._kept is None and self.info.format == "jpeg" and self._may_keep():
            self._kept = meanwhile.submit(copy_context().run, self._decode_within_permit, deadline)

    def settle(self) -> None:
        """Wait for what was begun: not to be done with a permit in hand, which it may be waiting for itself."""
        if self._kept is not None:
            wait([self._kept])

    def release(self) -> None:
        """Give back what was kept."""
        process_permit().give_back(self._kept_bytes)
        self._kept, self._kept_bytes = None, 0

    def _may_keep(self) -> bool:
        wanted = 3 * self.size[0] * self.size[1]
        if not process_permit().keep(wanted):
            return False
        self._kept_bytes = wanted
        return True

    def _decode_within_permit(self, deadline: Deadline) -> np.ndarray:
        with process_permit().hold(decode_bytes(self.info), deadline):
            pixels, self._source = self._decode(), None
        return pixels

    def _decode(self) -> np.ndarray:
        return decode(self._source.content, "scene", max_pixels=self._max_pixels, flatten=True).array


@dataclass(frozen=True)
class Photograph:
    """The product as decoded: (h, w, 3 or 4) uint8, at most MAX_PRODUCT_SIDE_PX, and its size before that; and as it
    is sent: bytes with their media type, and their size in pixels."""

    array: np.ndarray
    icc: bytes | None
    size: Size
    sent: tuple[bytes, str]
    sent_size: Size


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
    ready_product: Future[tuple[np.ndarray, ProductReference]]
    frame: Frame
    images: tuple[tuple[bytes, str], ...]  # [1] the scene in its frame, [2] the product, as sent
    prompt_facts: dict[str, bool]
    base_seed: int
    result_size: Size
    result_format: Format

    @property
    def product(self) -> np.ndarray:
        """(h, w, 4) uint8, in the scene's colour space; made ready while the model is thinking."""
        return self.ready_product.result()[0]


def decode_bytes(info: ImageInfo) -> int:
    """Peak bytes of decoding a picture."""
    animated = info.format == "webp" and info.animated
    return info.size[0] * info.size[1] * (ANIMATED_WEBP_BYTES if animated else DECODE_BYTES)


def decode_sources(
    sources: dict[str, Source], max_px: int, settings: Settings, deadline: Deadline, record: RunRecord
) -> Decoded:
    """Decode scene and product side by side, within the process's memory permit; the product, whose picture for the
    model needs no frame, is made ready to be sent as well.

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
    wanted = sum(decode_bytes(info) for info in infos.values())
    with process_permit().hold(wanted, deadline, Turn.BEFORE_MODEL), ThreadPoolExecutor(max_workers=1) as pool:
        decoding = pool.submit(copy_context().run, _decode_product, sources["product"], max_px, limit, record)
        small_side = max(ANALYSIS_SIDE_PX, max_px)
        try:
            scene, small = _decode_scene(sources["scene"], small_side, limit, record)
        except Exception as error:  # noqa: BLE001 (raised below, after the other one has ended)
            errors.append(error)
        if error := decoding.exception():
            errors.append(error)
        if errors:
            raise first_to_tell(errors)
    return Decoded(scene, small, decoding.result())


def prepare(
    decoded: Decoded,
    manifest: Manifest,
    model: ImageModel,
    max_px: int,
    settings: Settings,
    meanwhile: Executor,
    record: RunRecord,
) -> Prepared:
    """Lay the scene into the model's frame, shrink both, encode them. What only the answer needs is begun on
    `meanwhile`. Raises ManifestInvalid for an impossible output, before anything is paid for."""
    scene, product = decoded.scene, decoded.product
    result_size, result_format = _checked_output(manifest, scene, settings)
    ready_product = meanwhile.submit(_ready, product, scene.icc)
    frame = plan_frame(scene.size, model.native_sizes, max_px)
    sent_scene = to_srgb(shrink(decoded.small_scene, frame.content_box[2:]), scene.icc)
    images = encode_for_model(fit_to_frame(sent_scene, frame)), product.sent
    record.compression = Compression(
        max_px=max_px,
        scene=Shrunk(from_size=scene.size, to_size=frame.sent_size),
        product=Shrunk(from_size=product.size, to_size=product.sent_size),
    )
    record.full_sizes = [scene.size, product.size]
    record.sent_sizes = [frame.sent_size, product.sent_size]
    facts = {"product_is_cut_out": product.array.shape[2] == 4, "has_bars": has_bars(frame)}
    return Prepared(
        scene=scene,
        small_scene=decoded.small_scene,
        ready_product=ready_product,
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


def _decode_scene(source: Source, small_side_px: int, max_pixels: int, record: RunRecord) -> tuple[Scene, np.ndarray]:
    """The scene, and its picture of `small_side_px`: a JPEG is decoded no larger than that takes."""
    size = inspect(source.content, "scene", max_pixels=max_pixels).size
    small_size = fit_within(size, small_side_px)
    pixels = _decode(source, "scene", max_pixels, record, at_least=small_size)
    return Scene(source, pixels, max_pixels), shrink_by_area(pixels.array, small_size)


def _decode(source: Source, field: str, max_pixels: int, record: RunRecord, at_least: Size | None = None) -> Pixels:
    pixels = decode(source.content, field, max_pixels=max_pixels, flatten=field == "scene", at_least=at_least)
    width, height = pixels.info.size
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


def _decode_product(source: Source, max_px: int, max_pixels: int, record: RunRecord) -> Photograph:
    pixels = _decode(source, "product", max_pixels, record)
    if pixels.array.shape[2] == 4 and not pixels.array[..., 3].any():
        raise SourceUnreadable("product: nothing of it is visible: the picture is fully transparent")
    size = pixels.array.shape[1], pixels.array.shape[0]
    array = shrink(pixels.array, fit_within(size, MAX_PRODUCT_SIDE_PX))
    sent = to_srgb(shrink(array, fit_within(size, max_px)), pixels.icc)
    return Photograph(array, pixels.icc, size, encode_for_model(sent), (sent.shape[1], sent.shape[0]))


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


def _ready(product: Photograph, icc: bytes | None) -> tuple[np.ndarray, ProductReference]:
    ready = _with_alpha(convert(product.array, product.icc, icc))
    return ready, ProductReference.of(ready)


def _with_alpha(product: np.ndarray) -> np.ndarray:
    """The photograph as RGBA; one without transparency is cut out of its plain background where it has one."""
    return product if product.shape[2] == 4 else np.dstack([product, photograph_alpha(product)])
