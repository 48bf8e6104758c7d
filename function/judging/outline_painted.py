"""How much of the outline that showed the model where the product is to stand it has painted into its picture."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.inspection import Inspection

# A pixel belongs to a painted line where it has gone this share of the way from the scene's colour to the line's, …
MIN_PAINTED = 0.3
# … and beside that way by no more than this share of what it has gone.
MAX_BESIDE = 0.35
# Of the way's length in RGB: where scene and line are as alike as this, nothing is seen of it.
MIN_WAY = 60.0
# How far a model may draw it beside its place, as a share of the picture's longer side: drift, and a line's thickness.
REACH = 1 / 150


def outline_painted(inspection: Inspection) -> float:
    """Share 0..1 of the outline that is seen; 0 where none was shown."""
    asked, scene = inspection.asked, inspection.scene
    if asked is None or asked.mark is None:
        return 0.0
    height, width = scene.given.shape[:2]
    path = asked.outline((width, height), 1) > 0
    reach = max(1, round(REACH * max(width, height)))
    band = cv2.dilate(path.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    given, answer = (picture[band].astype(np.float32) for picture in (scene.given, scene.generated_plain))
    way = np.array(asked.mark, np.float32) - given
    length = np.maximum(np.linalg.norm(way, axis=1), 1e-6)
    moved = answer - given
    gone = (moved * way).sum(1) / length
    beside = np.sqrt(np.maximum((moved * moved).sum(1) - gone * gone, 0))
    painted = np.zeros(path.shape, np.uint8)
    painted[band] = (length >= MIN_WAY) & (gone >= MIN_PAINTED * length) & (beside <= MAX_BESIDE * gone)
    near = cv2.dilate(painted, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    return float((near & path).sum() / max(1, path.sum()))
