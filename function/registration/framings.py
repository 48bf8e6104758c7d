"""The nominal places of a scene in the model's answer, and affine maps between pictures."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.frame import Frame, Size

Box = tuple[float, float, float, float]


def nominal_layouts(frame: Frame, answer_size: Size) -> list[Box]:
    """Nominal places (x, y, width, height) of the scene in an answer, most expected first, in answer pixels.

    The padding kept; the scene stretched over the whole answer; the scene fitted into it undistorted; the
    scene filling it undistorted, its sides cut.
    """
    width, height = answer_size
    scene_width, scene_height = frame.scene_size
    boxes: list[Box] = [frame.content_box_in(answer_size), (0.0, 0.0, float(width), float(height))]
    for choose in (min, max):
        scale = choose(width / scene_width, height / scene_height)
        fitted = scene_width * scale, scene_height * scale
        boxes.append(((width - fitted[0]) / 2, (height - fitted[1]) / 2, *fitted))
    distinct: list[Box] = []
    for box in boxes:
        if all(max(abs(a - b) for a, b in zip(box, other, strict=True)) > 1.0 for other in distinct):
            distinct.append(box)
    return distinct


def nearest_layout(fit: np.ndarray, boxes: list[Box], size: Size) -> Box:
    """The one of `boxes` whose corners lie nearest to those of the affine `fit` (2, 3)."""

    def distance(box: Box) -> float:
        return float(np.abs(corners(fit, size) - corners(box_matrix(box, size), size)).mean())

    return min(boxes, key=distance)


def box_matrix(box: Box, size: Size) -> np.ndarray:
    """(2, 3) float64 that takes pixel centres of a picture of `size` to where `box` puts them."""
    x, y, width, height = box
    scale_x, scale_y = width / size[0], height / size[1]
    return np.array([[scale_x, 0, x + scale_x / 2 - 0.5], [0, scale_y, y + scale_y / 2 - 0.5]])


def rescaled(matrix: np.ndarray, from_size: Size, to_size: Size) -> np.ndarray:
    """`matrix`, made for scene pixels of `from_size`, for scene pixels of `to_size`."""
    inner = np.vstack([box_matrix((0, 0, *from_size), to_size), [0, 0, 1]])
    result: np.ndarray = matrix @ inner
    return result


def affine_mapping(matrix: np.ndarray, size: Size, answer_size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Where `matrix` (2, 3) leads each pixel of a picture of `size`: (h, w, 2) float32, and whether that lies inside a
    picture of `answer_size`: (h, w) bool."""
    x = np.arange(size[0], dtype=np.float32)[None, :]
    y = np.arange(size[1], dtype=np.float32)[:, None]
    m = matrix.astype(np.float32)
    across, down = (m[k, 0] * x + m[k, 1] * y + m[k, 2] for k in (0, 1))
    inside = (across > -0.5) & (across < answer_size[0] - 0.5) & (down > -0.5) & (down < answer_size[1] - 0.5)
    mapping = cv2.merge([across, down])
    return mapping, inside


def corners(matrix: np.ndarray, size: Size) -> np.ndarray:
    """(4, 2) float64: where `matrix` (2, 3) puts the corners of a picture of `size`."""
    places = np.array([[0, 0, 1], [size[0], 0, 1], [0, size[1], 1], [size[0], size[1], 1]], float)
    result: np.ndarray = places @ matrix.T
    return result
