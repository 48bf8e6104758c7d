"""The image formats: how each is recognised, what it is called, and what reading and writing it takes.

One row a format. What is read may be more than what is written: `written_as` says in which format the result of such a
scene is written. decode.py opens one by the module of its name (PNG by inflate.py), encode.py encodes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

ReadFormat = Literal["png", "jpeg", "webp", "avif", "heic", "tiff"]
WriteFormat = Literal["png", "jpeg", "webp", "avif"]

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
TIFF_MAGICS = (b"II*\0", b"MM\0*")
_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")


@dataclass(frozen=True)
class Writing:
    """What writing a format takes. max_side_px: the longest side that it can hold. finish_bytes: peak bytes a pixel
    while a result is restored and encoded: the scene, the result, and the encoder (tests/bench/codecs.py). max_pixels:
    what its encoder can be given memory for, None without such a limit."""

    max_side_px: int
    finish_bytes: int
    max_pixels: int | None = None

    def problem_with(self, size: tuple[int, int]) -> str | None:
        """Why a picture of (width, height) cannot be written, as the end of a sentence."""
        if max(size) > self.max_side_px:
            return f"whose sides are at most {self.max_side_px:,} pixels"
        if self.max_pixels is not None and size[0] * size[1] > self.max_pixels:
            return f"which is written up to {self.max_pixels:,} pixels; ask for jpeg, webp or png"
        return None


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


def _has_brand(content: bytes, brands: Collection[bytes]) -> bool:
    """Whether the file type box names one of them, as the major or as a compatible brand (ISO/IEC 14496-12, 4.3)."""
    if content[4:8] != b"ftyp":
        return False
    names = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
    return any(names[place : place + 4] in brands for place in range(0, len(names), 4) if place != 4)


# Longest sides: PNG's specification, 11.2.1; libjpeg's jmorecfg.h (JPEG_MAX_DIMENSION); libwebp's encode.h
# (WEBP_MAX_DIMENSION); AV1's sequence header has 16 bits for a side (5.5.1).
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
    # The encoder holds 26 bytes a pixel or more; a pair of 16.7 megapixels took 38, the whole process measured: as much
    # as a WebP of 40 megapixels.
    "avif": ImageFormat(
        "AVIF", "image/avif", ".avif", lambda content: _has_brand(content, _AVIF_BRANDS),
        decode_bytes=10, animated_decode_bytes=10, written_as="avif", writing=Writing(65_536, 40, 2**24),
    ),
    "heic": ImageFormat(
        "HEIC", "image/heic", ".heic",
        lambda content: _has_brand(content, _HEIC_BRANDS) and not _has_brand(content, _AVIF_BRANDS),
        decode_bytes=12, animated_decode_bytes=12, written_as="jpeg", writing=None,
    ),
    "tiff": ImageFormat(
        "TIFF", "image/tiff", ".tiff", lambda content: content.startswith(TIFF_MAGICS),
        decode_bytes=8, animated_decode_bytes=8, written_as="png", writing=None,
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


def labels(names: Collection[ReadFormat]) -> str:
    """`PNG, JPEG and WebP`."""
    *first, last = (image_format.label for name, image_format in FORMATS.items() if name in names)
    return f"{', '.join(first)} and {last}" if first else last
