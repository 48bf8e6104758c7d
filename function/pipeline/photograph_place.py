"""Where the product's photograph lies in the result, so that a person can see both labels side by side."""

from __future__ import annotations

import numpy as np

from function.imaging.frame import Size
from function.imaging.resize import Window
from function.matching.match import ProductMatch
from function.sidecar.processing import Corners

MIN_PIXELS = 100  # where the photograph is verified; fewer say nothing about the whole of it
MAX_FITTED = 4000  # pixels that the fit looks at: a hundred would be enough


def find_corners(
    match: ProductMatch | None, analysed: Size, scene: Size, window: Window, result: Size
) -> Corners | None:
    """The photograph's top left, top right and bottom left corners in the result's pixels, by the straight map that
    fits best where the photograph was verified: of a round product that is the middle of its label.

    `analysed`, `scene` and `result` are (width, height); `window` is the part of the scene that the result shows. None
    where the photograph was not found.
    """
    if match is None or match.mirrored:
        return None
    rows, columns = np.nonzero(match.weight > 127)
    if len(rows) < MIN_PIXELS:
        return None
    some = np.s_[:: max(1, len(rows) // MAX_FITTED)]
    rows, columns = rows[some], columns[some]
    in_photograph = np.c_[match.mapping[rows, columns], np.ones(len(rows))]
    in_answer = np.c_[columns + match.box[0] + 0.5, rows + match.box[1] + 0.5]
    straight, *_ = np.linalg.lstsq(in_photograph, in_answer, rcond=None)
    left, top, right, bottom = window
    to_scene = np.array(scene) / np.array(analysed)
    to_result = np.array(result) / np.array([right - left, bottom - top])
    corners = (np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]]) @ straight * to_scene - [left, top]) * to_result
    if not np.isfinite(corners).all():
        return None
    first, second, third = ((round(float(x), 1), round(float(y), 1)) for x, y in corners)
    return first, second, third
