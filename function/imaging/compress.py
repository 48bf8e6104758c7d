"""Pictures made small for the model: shrunk, laid into the model's frame, encoded."""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
from PIL import Image

from function.imaging.frame import Frame, Size
from function.imaging.png import write_png

# Averaging by a power of two down to 1.3 times the size or more, then Lanczos: 53 dB from pure Lanczos, a third of
# its time (tests/bench/codecs.py).
_REDUCING_GAP = 1.3
_THIN_SHARE = 0.03  # of the side, per border: up to this a mirrored border passes as more of the same scene
_BAR_GREY = 128  # mid-grey bars: the least likely to pull the model's exposure or colours
_TRANSPARENT_FILL = 255  # colour under full transparency: a model that drops alpha then sees a white studio background
_INLINE_SHARE = 5 / 7  # of a model's limit for one inline image: base64 takes 4/3, and there is JSON around it
_LOSSY_QUALITIES = (95, 85, 70, 50)


def downscale(array: np.ndarray, size: Size) -> np.ndarray:
    """(H, W, 3 or 4) uint8 at `size` (width, height) in Lanczos quality; never larger than it is.

    With alpha the colours are weighted by it, so that what is hidden does not darken the rim.
    """
    height, width = array.shape[:2]
    size = min(size[0], width), min(size[1], height)
    if size == (width, height):
        return array
    has_alpha = array.shape[2] == 4
    if has_alpha:
        array = cv2.cvtColor(array, cv2.COLOR_RGBA2mRGBA)
    step = _prereduction(array, size, _REDUCING_GAP)
    averaged = _averaged(array, step)
    # Four channels of any meaning: Pillow would multiply those of RGBA by alpha once more.
    mode = "CMYK" if has_alpha else "RGB"
    image = Image.frombuffer(mode, averaged.shape[1::-1], averaged, "raw", mode, 0, 1)
    box = 0, 0, width / step, height / step
    small = np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=box))
    if not has_alpha:
        return small
    small = np.minimum(small, small[..., 3:])  # Lanczos may overshoot: no colour is brighter than its coverage
    result: np.ndarray = cv2.cvtColor(small, cv2.COLOR_mRGBA2RGBA)
    return result


def downscale_area(array: np.ndarray, size: Size) -> np.ndarray:
    """(H, W, 3) uint8 at `size` (width, height), each pixel the mean of what it covers; never larger than it is.

    A third of the time of `downscale`, a little softer: for pictures that are measured and not shown.
    """
    size = min(size[0], array.shape[1]), min(size[1], array.shape[0])
    if size == array.shape[1::-1]:
        return array
    step = _prereduction(array, size, 1.0)
    # Padded for its average a picture would come to lie up to half a pixel beside the one that it is made from.
    if all(side % step == 0 for side in array.shape[:2]):
        array = _averaged(array, step)
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA)


def _prereduction(array: np.ndarray, size: Size, reducing_gap: float) -> int:
    """The largest power of two by which `array` may be shrunk and still be `reducing_gap` times larger than `size`."""
    height, width = array.shape[:2]
    found: int = 2 ** int(math.log2(max(1.0, min(width / size[0], height / size[1]) / reducing_gap)))
    return found


def _averaged(array: np.ndarray, step: int) -> np.ndarray:
    """`array` (h, w, n) uint8 with sides `step` times shorter, rounded up where it does not divide them."""
    if step == 1:
        return np.ascontiguousarray(array)
    right, below = -array.shape[1] % step, -array.shape[0] % step
    if right or below:
        array = cv2.copyMakeBorder(array, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return cv2.resize(array, (array.shape[1] // step, array.shape[0] // step), interpolation=cv2.INTER_AREA)


def is_letterboxed(frame: Frame) -> bool:
    """Whether padding is wide enough to be seen as bars, which the prompt then has to explain."""
    return any(before + after > 2 * _THIN_SHARE * side for (before, after), side in _padding(frame))


def letterbox(scene_small: np.ndarray, frame: Frame) -> np.ndarray:
    """The scene laid into the picture that is sent: (h, w, 3) uint8 of `frame.sent_size`.

    `scene_small` is the scene at the content box's size (a larger one is shrunk). Thin padding mirrors the
    scene and is not noticed; wide padding is flat grey.
    """
    content = downscale(scene_small, frame.content_box[2:])
    borders = [border for border, _ in _padding(frame)]
    if is_letterboxed(frame):
        return np.pad(content, [*borders, (0, 0)], constant_values=_BAR_GREY)
    return np.pad(content, [*borders, (0, 0)], mode="symmetric")


def encode_for_model(array: np.ndarray, max_inline_bytes: int) -> tuple[bytes, str]:
    """(h, w, 3 or 4) uint8 → bytes and media type for the request: PNG, or WebP where that is too large for a model
    that takes `max_inline_bytes` for one image."""
    max_bytes = int(_INLINE_SHARE * max_inline_bytes)
    if array.shape[2] == 4:
        array = np.where(array[..., 3:] == 0, np.array([_TRANSPARENT_FILL] * 3 + [0], np.uint8), array)
    content = write_png(array)
    if len(content) <= max_bytes:
        return content, "image/png"
    image = Image.fromarray(array)
    for quality in _LOSSY_QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=0)
        if buffer.tell() <= max_bytes:
            break
    return buffer.getvalue(), "image/webp"


def _padding(frame: Frame) -> list[tuple[tuple[int, int], int]]:
    """((before, after), side) in pixels of the sent picture, vertically and then horizontally."""
    x, y, width, height = frame.content_box
    sent_width, sent_height = frame.sent_size
    return [((y, sent_height - height - y), sent_height), ((x, sent_width - width - x), sent_width)]
