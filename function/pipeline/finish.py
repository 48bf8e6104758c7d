"""The best picture → restored at full resolution, described, and made into the pictures that are asked for."""

from __future__ import annotations

import math
from dataclasses import asdict

import cv2
import numpy as np

from function.imaging.data_uri import encode_data_uri
from function.imaging.encode import encode
from function.imaging.formats import writing_of
from function.imaging.frame import Size, fit_within
from function.imaging.resize import Box, Window, crop_and_resize
from function.imaging.target_crop import contain, target_window
from function.judging import product_whole
from function.pipeline.attempts import check_records
from function.pipeline.context import Composite, FinishedPicture, PairContext
from function.pipeline.identity import identity_record
from function.pipeline.photograph_place import find_corners
from function.pipeline.product_records import change_box, product_records
from function.pipeline.required_checks import require_checks
from function.pipeline.result_xmp import result_xmp
from function.pipeline.targets import Target
from function.restoration.alterations import Alteration
from function.restoration.analysis import Analysis
from function.restoration.plain_upscale import plain_upscale
from function.restoration.restore import restore
from function.sidecar.attempts import CheckRecord
from function.sidecar.processing import Change, DriftRecord, Restoration, Undone

MASK_SIDE_PX = 512  # of the change mask in the sidecar: enough for an overlay, a few KB


def finish_bytes(pair: PairContext) -> int:
    """Peak bytes of restoring and encoding the result."""
    scene, targets = pair.decoded_sources().scene, pair.prepared.targets
    scene_pixels = math.prod(scene.size)
    wanted = max(
        max(scene_pixels, math.prod(target.size)) * writing_of(target.format).finish_bytes for target in targets
    )
    if len(targets) > 1:  # the picture is kept for the next of them
        wanted += 3 * scene_pixels
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
        views = zip(pair.by_product(prepared.ready), analysis.products, strict=True)
        product, *others = (pair.resources.result(ready[found.view])[0] for ready, found in views)
        restored = restore(scene, product, analysis, prepared.frame, others, overwrite=own)
        pair.picture = restored.image
        pair.record.restoration = Restoration(
            mode="full",
            share=round(restored.restored_share, 4),
            match_kind=kind,
            match_quality=round(restored.match_quality, 4),
            note=restored.note,
        )
    pair.record.method = best.method
    if best.ingredient is not None:
        pair.record.ingredients["answer"] = best.ingredient
    if pair.manifest.products is None:
        pair.record.note_view(analysis.product.view, sent=prepared.photographs_sent)
    else:
        pair.record.products = product_records(pair, best)
    pair.record.identity = identity_record(pair, best)
    pair.record.drift = _drift_record(analysis)
    pair.record.undone = [_undone_record(one, decoded.scene.size) for one in analysis.scene.undone_alterations]
    pair.record.checks = check_records(best.judgement.checks)
    require_checks(pair.record)
    altered = analysis.scene.altered
    pair.record.change = _change_record(altered, change_box(altered, decoded.scene.size))


def make_results(pair: PairContext) -> None:
    """Each picture that is asked for: cut or laid into its shape, resized, and encoded with the scene's profile."""
    pictures = []
    for target in pair.prepared.targets:
        pair.deadline.clamp(pair.deadline.seconds, "encode")
        pictures.append(_make_result(pair, target))
    best = pair.best
    accepted = best.judgement.verdict == "accepted" and best.analysis.scene.registration.drift.registered
    accepted &= all(check.passed for check in pair.record.checks.values())
    pair.composite = Composite("accepted" if accepted else "review", tuple(pictures))


def _make_result(pair: PairContext, target: Target) -> FinishedPicture:
    scene, shown = pair.decoded_sources().scene, None
    if target.fit == "contain":
        picture = contain(pair.picture, target.size, margin=target.margin, background=target.background, icc=scene.icc)
    else:
        window = _window(pair, target)
        picture = crop_and_resize(pair.picture, target.size, window)
        shown = _shown(window, scene.size)
        if target is pair.prepared.targets[0]:
            _note_photograph(pair, window, target.size)
    xmp = result_xmp(pair.record, pair.manifest.product_fields, target.format, signed=pair.credentials.signs)
    content = encode(picture, target.format, quality=target.quality, icc=scene.icc, like=scene.info, xmp=xmp)
    return FinishedPicture(content, target.format, target.size, target.name, shown)


def _window(pair: PairContext, target: Target) -> Window:
    """The part of the scene that a picture shows, the product inside it as far as that goes; where it is cut off,
    `product_whole` says so."""
    scene, record = pair.decoded_sources().scene, pair.record
    product_box = change_box(pair.best.analysis.product.mask, scene.size)
    window = target_window(
        scene.size,
        target.size,
        margin=target.margin,
        position=target.position,
        changed=record.change.box if record.change else None,
        product=product_box,
    )
    cut_off = product_whole.cropped_by_output(product_box, window, target.name)
    worst = record.checks.get(product_whole.SPEC.name)
    if cut_off is not None and (worst is None or worst.passed or (worst.value or 0) < (cut_off.value or 0)):
        record.checks[product_whole.SPEC.name] = CheckRecord(**asdict(cut_off))
    return window


def _note_photograph(pair: PairContext, window: Window, size: Size) -> None:
    """Where the photograph lies in the first result."""
    analysis, record = pair.best.analysis, pair.record
    if record.restoration is not None:
        answer = analysis.scene.generated
        analysed = answer.shape[1], answer.shape[0]
        corners = find_corners(analysis.product.match, analysed, pair.decoded_sources().scene.size, window, size)
        record.restoration = record.restoration.model_copy(update={"corners": corners})


def _shown(window: Window, scene_size: Size) -> Box | None:
    left, top, right, bottom = (round(side) for side in window)
    box = left, top, right - left, bottom - top
    return None if box == (0, 0, *scene_size) else box


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


def _change_record(change: np.ndarray, box: Box | None) -> Change:
    size = fit_within((change.shape[1], change.shape[0]), MASK_SIDE_PX)
    small = cv2.resize(change, size, interpolation=cv2.INTER_AREA)
    mask = cv2.imencode(".png", small)[1].tobytes()
    return Change(
        share=round(float(change.mean()) / 255, 4),
        box=box,
        mask=encode_data_uri(mask, "image/png"),
    )
