"""The result at a size of the user's choice."""

from __future__ import annotations

import numpy as np
from PIL import Image

from function.imaging.frame import Size

Box = tuple[int, int, int, int]  # x, y, width, height
Window = tuple[float, float, float, float]  # left, top, right, bottom


def target_size(scene_size: Size, width: int | None, height: int | None) -> Size:
    """The result's (width, height): as asked; a side that is not asked for follows the scene's shape."""
    if width is None:
        if height is None:
            return scene_size
        return max(1, round(scene_size[0] * height / scene_size[1])), height
    if height is None:
        return width, max(1, round(scene_size[1] * width / scene_size[0]))
    return width, height


def crop_and_resize(rgb: np.ndarray, size: Size, window: Window) -> np.ndarray:
    """The `window` of (H, W, 3) uint8 scaled to `size`. Lanczos."""
    if size == rgb.shape[1::-1]:
        return rgb
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS, box=window))


def cover_window(from_size: Size, size: Size, preferred: Box | None = None, required: Box | None = None) -> Window:
    """The part of a picture of `from_size` that is shown at `size`, which it covers undistorted.

    Centred, and moved as far as it takes to have the box that is `preferred` inside, and above all the one that is
    `required`; a box longer than the window is centred in it.
    """
    scale = max(size[0] / from_size[0], size[1] / from_size[1])
    starts, ends = [], []
    for axis in (0, 1):
        side = from_size[axis]
        window = min(side, size[axis] / scale)
        start = (side - window) / 2
        for box in (preferred, required):
            if box is not None:
                start = _moved(start, window, box[axis], box[axis + 2])
        starts.append(min(max(start, 0.0), side - window))
        ends.append(starts[-1] + window)
    return starts[0], starts[1], ends[0], ends[1]


def outside_share(box: Box, window: Window) -> float:
    """Share 0..1 of a box's area that a window does not show."""
    seen = 1.0
    for axis in (0, 1):
        start, length = box[axis], max(1, box[axis + 2])
        seen *= max(0.0, min(start + length, window[axis + 2]) - max(start, window[axis])) / length
    return 1 - seen


def _moved(start: float, window: float, keep_start: int, keep: int) -> float:
    """A window's start on one side, moved so that it holds what is kept; all in pixels."""
    if keep > window:
        return keep_start + (keep - window) / 2
    return min(max(start, keep_start + keep - window), keep_start)
