"""Pictures made small for the model: shrunk, laid into the model's frame, encoded."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from function.imaging.frame import Frame, Size
from function.imaging.png import write_png

# Averaging by a power of two down to 1.3 times the size or more, then Lanczos: 53 dB from pure Lanczos, a third of
# its time (tests/bench/codecs.py).
_LEAST_GAP = 1.3
_THIN_SHARE = 0.03  # of the side, per border: up to this a mirrored border passes as more of the same scene
_BAR_GREY = 128  # mid-grey bars: the least likely to pull the model's exposure or colours
_HIDDEN = 255  # colour under full transparency: a model that drops alpha then sees a white studio background
_INLINE_BYTES = 5_000_000  # of the 7 MB that the API takes for one inline image, base64 (4/3) counted in
_LOSSY_QUALITIES = (95, 85, 70, 50)


def shrink(array: np.ndarray, size: Size) -> np.ndarray:
    """(H, W, 3 or 4) uint8 at `size` (width, height) in Lanczos quality; never larger than it is.

    With alpha the colours are weighted by it, so that what is hidden does not darken the rim.
    """
    height, width = array.shape[:2]
    size = min(size[0], width), min(size[1], height)
    if size == (width, height):
        return array
    image = Image.fromarray(array)
    if image.mode == "RGBA":
        image = image.convert("RGBa")
    step = 2 ** int(math.log2(max(1.0, min(width / size[0], height / size[1]) / _LEAST_GAP)))
    box = 0, 0, width / step, height / step
    small = image.reduce(step).resize(size, Image.Resampling.LANCZOS, box=box)
    return np.asarray(small.convert("RGBA") if small.mode == "RGBa" else small)


def has_bars(frame: Frame) -> bool:
    """Whether padding is wide enough to be seen as bars, which the prompt then has to explain."""
    return any(before + after > 2 * _THIN_SHARE * side for (before, after), side in _padding(frame))


def fit_to_frame(scene_small: np.ndarray, frame: Frame) -> np.ndarray:
    """The scene laid into the picture that is sent: (h, w, 3) uint8 of `frame.sent_size`.

    `scene_small` is the scene at the content box's size (a larger one is shrunk). Thin padding mirrors the
    scene and is not noticed; wide padding is flat grey.
    """
    content = shrink(scene_small, frame.content_box[2:])
    borders = [border for border, _ in _padding(frame)]
    if has_bars(frame):
        return np.pad(content, [*borders, (0, 0)], constant_values=_BAR_GREY)
    return np.pad(content, [*borders, (0, 0)], mode="symmetric")


def encode_for_model(array: np.ndarray) -> tuple[bytes, str]:
    """(h, w, 3 or 4) uint8 → bytes and media type for the request: PNG, or WebP where that is too large."""
    if array.shape[2] == 4:
        array = np.where(array[..., 3:] == 0, np.array([_HIDDEN] * 3 + [0], np.uint8), array)
    content = write_png(array)
    if len(content) <= _INLINE_BYTES:
        return content, "image/png"
    image = Image.fromarray(array)
    for quality in _LOSSY_QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=0)
        if buffer.tell() <= _INLINE_BYTES:
            break
    return buffer.getvalue(), "image/webp"


def _padding(frame: Frame) -> list[tuple[tuple[int, int], int]]:
    """((before, after), side) in pixels of the sent picture, vertically and then horizontally."""
    x, y, width, height = frame.content_box
    sent_width, sent_height = frame.sent_size
    return [((y, sent_height - height - y), sent_height), ((x, sent_width - width - x), sent_width)]
