"""The result at a size of the user's choice."""

from __future__ import annotations

import numpy as np
from PIL import Image

from function.imaging.frame import Size

Box = tuple[int, int, int, int]


def asked_size(scene_size: Size, width: int | None, height: int | None) -> Size:
    """The result's (width, height): as asked; a side that is not asked for follows the scene's shape."""
    if width is None and height is None:
        return scene_size
    if width is None:
        return max(1, round(scene_size[0] * height / scene_size[1])), height
    if height is None:
        return width, max(1, round(scene_size[1] * width / scene_size[0]))
    return width, height


def resize_cover(rgb: np.ndarray, size: Size, keep_box: Box | None = None) -> np.ndarray:
    """(H, W, 3) uint8 scaled without distortion to cover `size` (width, height), and cropped to it.

    The window that is kept is centred, and moved as far as it takes to have `keep_box` (x, y, width, height
    in `rgb`: the part that changed) inside; a box longer than the window is centred in it. Lanczos.
    """
    height, width = rgb.shape[:2]
    if size == (width, height):
        return rgb
    scale = max(size[0] / width, size[1] / height)
    window_width, window_height = min(width, size[0] / scale), min(height, size[1] / scale)
    x, y, keep_width, keep_height = keep_box or (0, 0, width, height)
    left = _window_start(width, window_width, x, keep_width)
    top = _window_start(height, window_height, y, keep_height)
    box = left, top, left + window_width, top + window_height
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS, box=box))


def _window_start(side: int, window: float, keep_start: int, keep: int) -> float:
    """Where a window of length `window` begins on a side, all in pixels."""
    start = (side - window) / 2
    if keep > window:
        start = keep_start + (keep - window) / 2
    else:
        start = min(max(start, keep_start + keep - window), keep_start)
    return min(max(start, 0.0), side - window)
