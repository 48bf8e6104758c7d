"""The best picture → restored at full resolution, sized, encoded, described."""

from __future__ import annotations

import math
from dataclasses import asdict

import cv2
import numpy as np

from function.imaging.data_uri import encode_data_uri
from function.imaging.encode import encode
from function.imaging.formats import writing_of
from function.imaging.frame import Size, fit_within
from function.imaging.resize import Box, cover_window, resize_cover
from function.judging import product_whole
from function.pipeline.attempts import check_records
from function.pipeline.context import Composite, PairContext
from function.pipeline.photograph_place import find_corners
from function.restoration.alterations import Alteration
from function.restoration.analysis import Analysis
from function.restoration.restore import plain_upscale, restore
from function.sidecar import Change, CheckRecord, DriftRecord, Restoration, Undone

MASK_SIDE_PX = 512  # of the change mask in the sidecar: enough for an overlay, a few KB


def finish_bytes(pair: PairContext) -> int:
    """Peak bytes of restoring and encoding the result."""
    scene, prepared = pair.decoded_sources().scene, pair.prepared
    result_pixels = max(math.prod(scene.size), math.prod(prepared.result_size))
    wanted = result_pixels * writing_of(prepared.result_format).finish_bytes
    return wanted if scene.is_retained else wanted + scene.info.decode_bytes // 2


def restore_result(pair: PairContext) -> None:
    """The scene's own pixels, and the product's, at full resolution; or the plain upscale where that is asked for."""
    best, prepared, decoded = pair.best, pair.prepared, pair.decoded_sources()
    analysis, match = best.analysis, best.analysis.product.match
    kind = match.kind if match is not None else None
    if pair.manifest.restore == "off":
        pair.picture = plain_upscale(best.picture, prepared.frame, analysis.scene.registration.layout_box)
        pair.record.restoration = Restoration(mode="off", match_kind=kind)
    else:
        scene = decoded.scene.full()
        # A scene that was never shrunk is what the analysis looks at as well.
        own = scene is not decoded.small_scene
        product, _ = pair.resources.result(prepared.ready_product)
        restored = restore(scene, product, analysis, prepared.frame, overwrite=own)
        pair.picture = restored.image
        pair.record.restoration = Restoration(
            mode="full",
            share=round(restored.restored_share, 4),
            match_kind=kind,
            match_quality=round(restored.match_quality, 4),
            note=restored.note,
        )
    pair.record.drift = _drift_record(analysis)
    pair.record.undone = [_undone_record(one, decoded.scene.size) for one in analysis.scene.undone_alterations]
    pair.record.checks = check_records(best.judgement)
    altered = analysis.scene.altered
    pair.record.change = _change_record(altered, _change_box(altered, decoded.scene.size))


def crop_and_resize(pair: PairContext) -> None:
    """The picture at the size that was asked for, the product inside it as far as that goes."""
    scene, analysis, record = pair.decoded_sources().scene, pair.best.analysis, pair.record
    product_box = _change_box(analysis.product.mask, scene.size)
    change_box = record.change.box if record.change else None
    window = cover_window(scene.size, pair.prepared.result_size, change_box, product_box)
    cut_off = product_whole.cut_off_by_shape(product_box, window)
    if cut_off is not None:
        record.checks[product_whole.SPEC.name] = CheckRecord(**asdict(cut_off))
    if record.restoration is not None:
        answer = analysis.scene.answer
        analysed = answer.shape[1], answer.shape[0]
        corners = find_corners(analysis.product.match, analysed, scene.size, window, pair.prepared.result_size)
        record.restoration = record.restoration.model_copy(update={"corners": corners})
    pair.picture = resize_cover(pair.picture, pair.prepared.result_size, window)


def encode_result(pair: PairContext) -> None:
    """The picture as a file, with the scene's colour profile."""
    scene, prepared, best = pair.decoded_sources().scene, pair.prepared, pair.best
    content = encode(
        pair.picture,
        prepared.result_format,
        quality=pair.manifest.output.quality,
        icc=scene.icc,
        like=scene.info,
    )
    accepted = best.judgement.verdict == "accepted" and best.analysis.scene.registration.drift.registered
    accepted &= all(check.passed for check in pair.record.checks.values())
    pair.composite = Composite(
        "accepted" if accepted else "review", content, prepared.result_format, prepared.result_size
    )


def _drift_record(analysis: Analysis) -> DriftRecord:
    drift = asdict(analysis.scene.registration.drift)
    registered = bool(drift.pop("registered"))
    finite = {name: round(float(value), 5) if np.isfinite(value) else None for name, value in drift.items()}
    return DriftRecord(**finite, registered=registered)


def _undone_record(alteration: Alteration, full_size: Size) -> Undone:
    x, y, across, down = alteration.box
    width, height = full_size
    left, top = math.floor(x * width), math.floor(y * height)
    box = left, top, math.ceil((x + across) * width) - left, math.ceil((y + down) * height) - top
    return Undone(box=box, share=round(alteration.share, 5))


def _change_box(change: np.ndarray, full_size: Size) -> Box | None:
    """Smallest (x, y, width, height) at `full_size` that holds the changed part of the mask (h, w) uint8."""
    x, y, width, height = cv2.boundingRect((change > 0).astype(np.uint8))
    if not width:
        return None
    scale_x, scale_y = full_size[0] / change.shape[1], full_size[1] / change.shape[0]
    # Blending reaches one pixel of the mask further than the mask itself.
    left, top = max(0, int((x - 1) * scale_x)), max(0, int((y - 1) * scale_y))
    right, bottom = math.ceil((x + width + 1) * scale_x), math.ceil((y + height + 1) * scale_y)
    return left, top, min(right, full_size[0]) - left, min(bottom, full_size[1]) - top


def _change_record(change: np.ndarray, box: Box | None) -> Change:
    size = fit_within((change.shape[1], change.shape[0]), MASK_SIDE_PX)
    small = cv2.resize(change, size, interpolation=cv2.INTER_AREA)
    mask = cv2.imencode(".png", small)[1].tobytes()
    return Change(
        share=round(float(change.mean()) / 255, 4),
        box=box,
        mask=encode_data_uri(mask, "image/png"),
    )
