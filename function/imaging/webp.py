"""WebP: its canvas read before it is allocated, and a still picture's pixels by OpenCV."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, WebPImagePlugin

from function.imaging.frame import Size
from function.imaging.opened import CheckSize, Opened


def open_webp(content: bytes, check_size: CheckSize) -> Opened:
    """Read the header. Raises ValueError and what Pillow raises at damaged data."""
    # Creating the decoder allocates the canvas, so its size is read first.
    check_size(_canvas_size(content))
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(content))
    still = not image.is_animated
    return Opened(
        image,
        image.info.get("exif"),
        lossless=b"VP8L" in content[12:16],
        finish=(lambda: _still(content, image)) if still else None,
    )


def _still(content: bytes, header: Image.Image) -> Image.Image:
    """The picture by OpenCV: Pillow's decoder, made for animations, has two canvases of 4 bytes a pixel besides.

    Raises ValueError at damaged data.
    """
    flags = cv2.IMREAD_UNCHANGED if header.mode == "RGBA" else cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if pixels is None or pixels.shape != (header.height, header.width, len(header.mode)):
        raise ValueError("its pixel data is damaged")
    if header.mode == "RGBA":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
    return Image.fromarray(pixels)


def _canvas_size(content: bytes) -> Size:
    """Width and height from the first chunk (https://developers.google.com/speed/webp/docs/riff_container)."""
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise ValueError("its first chunk is none that WebP knows")
