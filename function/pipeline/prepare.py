"""Decoded sources → what the model is sent, and what its answer will be compared with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from function.imaging.compress import downscale, encode_for_model, is_letterboxed, letterbox
from function.imaging.frame import plan_letterbox
from function.imaging.icc import convert, to_srgb
from function.manifest.model import Manifest
from function.manifest.placement import mask_field
from function.pipeline.asked_place import asked_place, asked_places, asked_record
from function.pipeline.context import PairContext, Photograph, Prepared
from function.pipeline.marked_scene import is_marked, marked_scene
from function.pipeline.requests import seed_from
from function.pipeline.sent_photographs import choose_photographs
from function.pipeline.targets import targets_of
from function.restoration.product_reference import ProductReference
from function.sidecar.processing import Compression, Shrunk


def prepare_inputs(pair: PairContext) -> None:
    """Lay the scene into the model's frame, shrink it, encode it. What only the model's picture is compared with is
    begun in the background. Raises InvalidManifestError for an impossible output, before anything is paid for."""
    decoded, record = pair.decoded_sources(), pair.record
    scene, product = decoded.scene, decoded.product
    targets = targets_of(pair.manifest, scene, pair.settings)
    placement = pair.manifest.exact_placement
    asked = asked_place(placement, pair.manifest.pose, scene.size, decoded.grounds.get(mask_field(None)))
    asked_each = asked_places(pair.manifest, scene.size, decoded.grounds)
    record.asked_place = asked_record(asked, placement.facing, scene.size)
    product_future, *other_futures = (
        pair.resources.submit(_prepare_product, one, scene.icc) for one in decoded.photographs
    )
    sent, shown = choose_photographs(pair)
    frame = plan_letterbox(scene.size, pair.model.native_sizes, pair.max_px)
    sent_scene = to_srgb(downscale(decoded.small_scene, frame.content_box[2:]), scene.icc)
    framed = letterbox(sent_scene, frame)
    scene_image = encode_for_model(framed, pair.model.max_inline_bytes)
    images, mark = (scene_image, *(one.sent for one in sent)), None
    if asked is not None and is_marked(pair.model, asked, len(images)):
        marked, mark, asked = marked_scene(framed, product.cut.rgba, frame, asked, len(images) + 1)
        images = *images, encode_for_model(marked, pair.model.max_inline_bytes)
    record.compression = Compression(
        max_px=pair.max_px,
        scene=Shrunk(from_size=scene.size, to_size=frame.sent_size),
        product=Shrunk(from_size=product.size, to_size=product.sent_size),
    )
    copies = mark is not None
    record.full_sizes = [scene.size, *(one.size for one in sent), *[scene.size] * copies]
    record.sent_sizes = [frame.sent_size, *(one.sent_size for one in sent), *[frame.sent_size] * copies]
    pair.prepared = Prepared(
        frame=frame,
        images=images,
        product_future=product_future,
        product_is_cut_out=product.cut.is_sure,
        is_letterboxed=is_letterboxed(frame),
        base_seed=_base_seed(pair.manifest, (scene_image, *(one.sent for one in decoded.photographs)), decoded.grounds),
        targets=targets,
        asked=asked,
        asked_each=asked_each,
        shown=shown,
        other_futures=tuple(other_futures),
        mark=mark,
    )


def decode_scene_in_background(pair: PairContext) -> None:
    """Begin what the result needs of the scene while the model is thinking."""
    pair.decoded_sources().scene.decode_in_background()


def _base_seed(manifest: Manifest, images: tuple[tuple[bytes, str], ...], grounds: Mapping[str, np.ndarray]) -> int:
    """A seed that follows from all images, from those too that the model does not take: a request is another one where
    one of them is."""
    if manifest.seed is not None:
        return manifest.seed
    contents = [content for content, _ in images]
    # The model is told a mask's outline, which is that of many masks.
    contents += [ground.tobytes() for ground in grounds.values()]
    words = [manifest.placement_words or "", *(f"{one.name}: {one.placement_words}" for one in manifest.products or ())]
    return seed_from("\n".join(words).encode(), *contents)


def _prepare_product(product: Photograph, icc: bytes | None) -> tuple[np.ndarray, ProductReference]:
    converted = convert(product.cut.rgba, product.icc, icc)
    return converted, ProductReference.of(converted, product.cut)
