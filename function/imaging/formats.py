"""The image formats: how each is recognised, what it is called, and what reading and writing it takes.

One row a format. What is read may be more than what is written: `written_as` says in which format the result of such a
scene is written. Opening one is decode.py's, encoding one encode.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ReadFormat = Literal["png", "jpeg", "webp"]
WriteFormat = Literal["png", "jpeg", "webp"]

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Writing:
    """What writing a format takes. max_side_px: the longest side that it can hold. finish_bytes: peak bytes a pixel
    while a result is restored and encoded: the scene, the result, and the encoder (tests/bench/codecs.py)."""

    max_side_px: int
    finish_bytes: int


@dataclass(frozen=True)
class ImageFormat:
    """One format that is read, and perhaps written.

    label         for people
    mime_type     such as "image/png"
    suffix        of file names, with its dot
    is_format     whether bytes begin as this format does
    decode_bytes  peak bytes a pixel while decoding a still picture (tests/imaging/test_hostile_files.py)
    animated_decode_bytes  the same of an animation, whose decoder has canvases of its own
    written_as    the format of a result whose scene is in this one
    writing       None where it is only read
    """

    label: str
    mime_type: str
    suffix: str
    is_format: Callable[[bytes], bool]
    decode_bytes: int
    animated_decode_bytes: int
    written_as: WriteFormat
    writing: Writing | None


# Longest sides: PNG's specification, 11.2.1; libjpeg's jmorecfg.h (JPEG_MAX_DIMENSION); libwebp's encode.h
# (WEBP_MAX_DIMENSION).
FORMATS: dict[ReadFormat, ImageFormat] = {
    "png": ImageFormat(
        "PNG", "image/png", ".png", lambda content: content.startswith(PNG_MAGIC),
        decode_bytes=8, animated_decode_bytes=8, written_as="png", writing=Writing(2**31 - 1, 8),
    ),
    "jpeg": ImageFormat(
        "JPEG", "image/jpeg", ".jpg", lambda content: content.startswith(JPEG_MAGIC),
        decode_bytes=8, animated_decode_bytes=8, written_as="jpeg", writing=Writing(65_500, 10),
    ),
    "webp": ImageFormat(
        "WebP", "image/webp", ".webp", lambda content: content.startswith(b"RIFF") and content[8:12] == b"WEBP",
        decode_bytes=8, animated_decode_bytes=16, written_as="webp", writing=Writing(16_383, 16),
    ),
}  # fmt: skip


def detect_format(content: bytes) -> ReadFormat | None:
    """The format that `content` begins as; None when it is none that is read. Names and stored types are not asked."""
    return next((name for name, image_format in FORMATS.items() if image_format.is_format(content)), None)


def writing_of(name: WriteFormat) -> Writing:
    """What writing a format takes."""
    writing = FORMATS[name].writing
    if writing is None:
        raise ValueError(f"{name} is not written")
    return writing


def labels_of_readable() -> str:
    """`PNG, JPEG and WebP`."""
    *first, last = (image_format.label for image_format in FORMATS.values())
    return f"{', '.join(first)} and {last}"
