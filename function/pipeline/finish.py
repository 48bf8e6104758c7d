"""The best picture → restored at full resolution, sized, encoded, described."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import asdict, dataclass
from typing import Literal

import cv2
import numpy as np

from function.deadline import Deadline
from function.imaging.encode import encode
from function.imaging.frame import Size, fit_within
from function.imaging.resize import Box, cover_window, resize_cover
from function.imaging.sniff import MIME_TYPES, SUFFIXES, Format
from function.judging import product_whole
from function.manifest.parse import Manifest
from function.pipeline.attempts import Candidate, check_records
from function.pipeline.memory_budget import Turn, process_permit
from function.pipeline.prepare import Prepared, decode_bytes
from function.pipeline.record import RunRecord
from function.restoration.analysis import Analysis
from function.restoration.restore import plain_upscale, restore
from function.sidecar import Change, CheckRecord, DriftRecord, Restoration, ResultRecord

MASK_SIDE_PX = 512  # of the change mask in the sidecar: enough for an overlay, a few KB
# Peak bytes a pixel while restoring and encoding: the scene, the result, and the encoder (tests/bench/codecs.py).
FINISH_BYTES = {"png": 8, "jpeg": 10, "webp": 16}


@dataclass(frozen=True)
class Composite:
    """A finished picture, encoded."""

    status: Literal["accepted", "review"]
    content: bytes
    format: Format
    size: Size

    @property
    def ending(self) -> str:
        """File name ending, with its dot."""
        return SUFFIXES[self.format]

    @property
    def mime_type(self) -> str:
        """The media type of the bytes."""
        return MIME_TYPES[self.format]

    def record(self, uri: str) -> ResultRecord:
        """What the sidecar says of it."""
        return ResultRecord(
            uri=uri,
            mime_type=self.mime_type,
            width=self.size[0],
            height=self.size[1],
            bytes=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
        )


def finish(best: Candidate, prepared: Prepared, manifest: Manifest, deadline: Deadline, record: RunRecord) -> Composite:
    """Restore, resize and encode, within the process's memory permit."""
    scene, analysis = prepared.scene, best.analysis
    scene.settle()
    result_pixels = max(math.prod(scene.size), math.prod(prepared.result_size))
    wanted = result_pixels * FINISH_BYTES[prepared.result_format]
    if not scene.is_kept:
        wanted += decode_bytes(scene.info) // 2
    with process_permit().hold(wanted, deadline, Turn.FINISH):
        with record.stage("restore"):
            picture, record.restoration = _restored(best, prepared, manifest.restore)
        record.drift = _drift_record(analysis)
        record.checks = check_records(best.judgement)
        box = _change_box(analysis.scene.change, scene.size)
        record.change = _change_record(analysis.scene.change, box)
        product_box = _change_box(analysis.product.mask, scene.size)
        window = cover_window(scene.size, prepared.result_size, box, product_box)
        cut_off = product_whole.cut_off_by_shape(product_box, window)
        if cut_off is not None:
            record.checks[product_whole.SPEC.name] = CheckRecord(**asdict(cut_off))
        with record.stage("encode"):
            picture = resize_cover(picture, prepared.result_size, window)
            content = encode(
                picture, prepared.result_format, quality=manifest.output.quality, icc=scene.icc, like=scene.info
            )
    accepted = best.judgement.verdict == "accepted" and analysis.scene.registration.drift.registered and cut_off is None
    return Composite("accepted" if accepted else "review", content, prepared.result_format, prepared.result_size)


def _restored(best: Candidate, prepared: Prepared, mode: Literal["full", "off"]) -> tuple[np.ndarray, Restoration]:
    analysis, match = best.analysis, best.analysis.product.match
    kind = match.kind if match is not None else None
    if mode == "off":
        picture = plain_upscale(best.picture, prepared.frame, analysis.scene.registration.layout_box)
        return picture, Restoration(mode="off", match_kind=kind)
    scene = prepared.scene.full()
    # A scene that was never shrunk is what the analysis looks at as well.
    own = scene is not prepared.small_scene
    restored = restore(scene, prepared.product, analysis, prepared.frame, overwrite=own)
    return restored.image, Restoration(
        mode="full",
        share=round(restored.restored_share, 4),
        match_kind=kind,
        match_quality=round(restored.match_quality, 4),
        note=restored.note,
    )


def _drift_record(analysis: Analysis) -> DriftRecord:
    drift = asdict(analysis.scene.registration.drift)
    registered = bool(drift.pop("registered"))
    finite = {name: round(float(value), 5) if np.isfinite(value) else None for name, value in drift.items()}
    return DriftRecord(**finite, registered=registered)


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
        mask="data:image/png;base64," + base64.b64encode(mask).decode(),
    )
