"""What the sidecar says of each of several products."""

from __future__ import annotations

import math

import cv2
import numpy as np

from function.imaging.frame import Size
from function.imaging.resize import Box
from function.pipeline.asked_place import asked_record
from function.pipeline.attempts import check_records
from function.pipeline.context import Candidate, PairContext
from function.sidecar.request import ProductRecord, ViewRecord


def product_records(pair: PairContext, best: Candidate) -> list[ProductRecord]:
    """Of each product, in the manifest's order: its photographs, which of them counted, where it is, its checks."""
    inputs = pair.record.inputs
    photographs = pair.by_product(inputs.views or [one for one in [inputs.product] if one])
    scene_size = pair.decoded_sources().scene.size
    records = []
    for asked, place, shown, views, found in zip(
        pair.manifest.products or (),
        pair.prepared.asked_each,
        pair.prepared.shown,
        photographs,
        best.analysis.products,
        strict=True,
    ):
        view = ViewRecord(index=found.view, uri=views[found.view].uri, sent=len(shown.images))
        records.append(
            ProductRecord(
                name=asked.name,
                placement=asked.placement_words,
                asked_place=asked_record(place, asked.exact_placement.facing, scene_size),
                inputs=list(views),
                view=view,
                box=change_box(found.mask, scene_size),
                match_quality=None if found.match is None else round(float(found.match.correlation), 4),
                checks=check_records(best.judgement.by_product[asked.name]),
            )
        )
    return records


def change_box(change: np.ndarray, full_size: Size) -> Box | None:
    """Smallest (x, y, width, height) at `full_size` that holds the changed part of the mask (h, w) uint8."""
    x, y, width, height = cv2.boundingRect((change > 0).astype(np.uint8))
    if not width:
        return None
    scale_x, scale_y = full_size[0] / change.shape[1], full_size[1] / change.shape[0]
    # Blending reaches one pixel of the mask further than the mask itself.
    left, top = max(0, int((x - 1) * scale_x)), max(0, int((y - 1) * scale_y))
    right, bottom = math.ceil((x + width + 1) * scale_x), math.ceil((y + height + 1) * scale_y)
    return left, top, min(right, full_size[0]) - left, min(bottom, full_size[1]) - top
