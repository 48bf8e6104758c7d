"""WebP: its canvas read before it is allocated, and a still picture's pixels by OpenCV.

Decoders are given the first frame and no other part of the file: they would keep a list of all, and copy a profile of
any size. Chunks follow https://developers.google.com/speed/webp/docs/riff_container.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, WebPImagePlugin

from function.imaging.frame import Size
from function.imaging.opened import CheckSize, Opened

_MAX_SIDE_PX = 16_383  # of a frame (libwebp's WEBP_MAX_DIMENSION); the header of the canvas has room for 2**24
_MAX_CHUNKS = 100_000  # an animation has one for each of its frames
_FIRST_FRAME = (b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L")
_ALPHA, _ANIMATION = 0x10, 0x02  # flags of the extended header


@dataclass
class _Parts:
    """The first chunk of each kind, and how many frames there are."""

    chunks: dict[bytes, memoryview]
    frames: int

    @property
    def picture(self) -> bytes:
        """A file of the first frame alone."""
        flags = self.chunks[b"VP8X"][0] & (_ALPHA | _ANIMATION) if b"VP8X" in self.chunks else 0
        canvas = [(b"VP8X", bytes([flags]) + bytes(self.chunks[b"VP8X"][1:]))] if b"VP8X" in self.chunks else []
        body = [(kind, self.chunks[kind]) for kind in _FIRST_FRAME if kind in self.chunks]
        packed = [part for kind, data in canvas + body for part in _chunk(kind, data)]
        size = 4 + sum(map(len, packed))
        return b"".join([b"RIFF", struct.pack("<I", size), b"WEBP", *packed])


def open_webp(content: bytes, check_size: CheckSize) -> Opened:
    """Read the header. Raises ValueError and what Pillow raises at damaged data."""
    # Creating the decoder allocates the canvas, so its size is read first.
    width, height = _canvas_size(content)
    check_size((width, height))
    if max(width, height) > _MAX_SIDE_PX:
        raise ValueError(f"its canvas is {width:,} x {height:,}, wider or higher than its frames can be")
    parts = _read(content)
    picture = parts.picture
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(picture))
    if profile := parts.chunks.get(b"ICCP"):
        image.info["icc_profile"] = bytes(profile)
    exif, animated = parts.chunks.get(b"EXIF"), parts.frames > 1
    return Opened(
        image,
        None if exif is None else bytes(exif),
        animated=animated,
        lossless=b"VP8L" in content[12:16],
        finish=None if animated else (lambda: _decode_static(picture, image)),
    )


def _read(content: bytes) -> _Parts:
    chunks: dict[bytes, memoryview] = {}
    frames = 0
    for kind, data in _chunks(content):
        chunks.setdefault(kind, data)
        frames += kind == b"ANMF"
    return _Parts(chunks, frames)


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(type, data) of every chunk. Raises ValueError where one does not fit into the file."""
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise ValueError("the file ends too early")
    view, position = memoryview(content)[:end], 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > end:
            break
        kind, length = struct.unpack_from("<4sI", view, position)
        position += 8 + length
        if position > end:
            raise ValueError("the file ends too early")
        yield kind, view[position - length : position]
        position += length & 1
    else:
        raise ValueError(f"it has more than {_MAX_CHUNKS:,} chunks")


def _chunk(kind: bytes, data: bytes | memoryview) -> tuple[bytes, bytes | memoryview, bytes]:
    return kind + struct.pack("<I", len(data)), data, bytes(len(data) & 1)


def _decode_static(content: bytes, header: Image.Image) -> Image.Image:
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
    """Width and height from the first chunk."""
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise ValueError("its first chunk is none that WebP knows")
