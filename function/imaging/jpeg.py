"""JPEG: where the picture ends and what decoding takes, told from its markers; a missing end marker is added.

Pillow is given the segments that decoding takes, and no others: its loop over segments, and what it makes of some of
them, costs minutes for 50 MB that are made for it. Markers follow ITU-T T.81, annex B.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from function.imaging.frame import Size
from function.imaging.opened import CheckSize, Opened

# Passes over a colour, of all scans together: even an empty one costs 25 ms for 64 megapixels. A progressive picture
# has 14 as libjpeg writes it, 24 with inks.
MAX_PASSES = 40
# Without its end a picture is decoded twice. So many passes over pixels are 50 megapixels in three colours, or 10 as
# libjpeg writes progressive ones: 0.8 s more.
MAX_UNENDED_PASSES = 150_000_000
END = b"\xff\xd9"
START = b"\xff\xd8"
MAX_SEGMENTS = 10_000  # before and between scans; 50 MB of full ones are 800
_MAX_TABLE_BYTES = 1 << 16  # of what decoding takes before the first scan; about 1,000 are usual
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_EXIF, _PROFILE = b"Exif\0\0", b"ICC_PROFILE\0"
_MAX_PROFILE_PARTS = 255  # ICC.1:2022, B.4: their number is a byte
_FILL = re.compile(rb"\xff+")
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
_ALL_BITS = 16
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
# Inside a scan a data byte ff is followed by 00, and restart markers belong to it; anything else ends it.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Where bits are missing, what is decoded from these differs from what is decoded from zeros.
_FILLERS = (b"\x5a\xa5\x3c" * 40, b"\xff\x00" * 40, b"\x93\x0e\xd1\x77" * 40)
_LARGE_PIXELS = 8_000_000  # from here on one is enough: what it does not show is less than a block
_PILLOW_BYTES = 4  # a pixel
NO_END_NOTE = "the JPEG lacks its end marker; every row is present"


@dataclass(frozen=True)
class Extent:
    """The first picture of a file.

    end            behind its end marker; None without one
    has_all_scans  whether each colour's coefficients are there to their last bit, as far as the scans' heads say
    head           its start, and the segments before the first scan that decoding takes
    first_scan     where that scan's marker stands
    exif           the first block of it; None without one
    segments       how many there are, scans among them
    passes         over a colour, of all scans together
    """

    end: int | None
    has_all_scans: bool
    head: bytes
    first_scan: int
    exif: bytes | None
    segments: int
    passes: int


def extent_of(content: bytes, max_segments: int = MAX_SEGMENTS) -> Extent:
    """Where the first picture ends; phones append a film, a second picture or a depth map.

    Raises ValueError at more than MAX_PASSES of its scans or `max_segments` segments, and where the file
    ends inside a segment.
    """
    position, scans, passes, segments, first_scan = 2, 0, 0, 0, 0
    head, end = _Head(), None
    missing_bits: dict[int, list[int]] = {}  # by colour: of each of its 64 coefficients
    while (start := _marker_from(content, position)) is not None:
        kind = content[start + 1]
        segments += 1
        if segments > max_segments:
            raise ValueError("it has too many segments")
        if kind == _END_OF_IMAGE:
            end = start + 2
            break
        if kind in _ALONE:
            position = start + 2
            continue
        segment = _segment_body(content, start)
        position = start + 4 + len(segment)
        if kind in _FRAMES and len(segment) > 5:
            missing_bits = {colour: [_ALL_BITS] * 64 for colour in segment[6 : 6 + 3 * segment[5] : 3]}
        if kind != _START_OF_SCAN:
            if not scans:
                head.add(kind, segment)
            continue
        _note_scan(segment, missing_bits)
        first_scan = first_scan or start
        scans, passes = scans + 1, passes + segment[0]
        if passes > MAX_PASSES:
            raise ValueError(f"its scans go over its colours more than {MAX_PASSES} times")
        found = _SCAN_END.search(content, position)
        if found is None:
            break
        position = found.start()
    if not scans:
        raise ValueError("the file ends too early")
    return Extent(end, not _is_any(missing_bits), head.packed(), first_scan, head.exif, segments, passes)


def _marker_from(content: bytes, position: int) -> int | None:
    """Where the marker begins that follows `position`, after any fill bytes (B.1.1.2); None where the file ends first.

    Raises ValueError where something else follows.
    """
    if position + 1 >= len(content):
        return None
    fill = _FILL.match(content, position)
    if fill is None:
        raise ValueError("its segments do not fit together")
    start = fill.end() - 1  # of the bytes ff the last one begins the marker
    return start if start + 1 < len(content) else None


def _segment_body(content: bytes, start: int) -> bytes:
    """What follows the length of the segment whose marker is at `start`. Raises ValueError without a length."""
    if start + 4 > len(content):
        raise ValueError("the file ends too early")
    return content[start + 4 : start + 2 + struct.unpack_from(">H", content, start + 2)[0]]


class _Head:
    """What stands before the first scan, as far as decoding takes it."""

    def __init__(self) -> None:
        self.exif: bytes | None = None
        self._tables: list[bytes] = []
        self._table_bytes = 0
        self._profile: list[bytes] = []
        self._marks: dict[int, bytes] = {}  # JFIF's and Adobe's, which say what the colours are; the last one counts

    def add(self, kind: int, segment: bytes) -> None:
        """Note a segment. Raises ValueError when tables are larger than any picture needs."""
        if kind == _APP1 and segment.startswith(_EXIF):
            self.exif = self.exif or segment
        elif kind == _APP2 and segment.startswith(_PROFILE):
            self._profile.append(_segment(kind, segment))
        elif kind in (_APP0, _APP14) and segment.startswith((b"JFIF", b"Adobe")):
            self._marks[kind] = _segment(kind, segment)
        elif not (_APP0 <= kind <= _APP15 or kind == _COMMENT):
            self._tables.append(_segment(kind, segment))
            self._table_bytes += len(segment)
            if self._table_bytes > _MAX_TABLE_BYTES:
                raise ValueError(f"its tables have more than {_MAX_TABLE_BYTES:,} bytes")

    def packed(self) -> bytes:
        """The beginning of a file."""
        return b"".join([START, *self._marks.values(), *self._profile[:_MAX_PROFILE_PARTS], *self._tables])


def _segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, 2 + len(body)) + body


def _note_scan(head: bytes, missing_bits: dict[int, list[int]]) -> None:
    """What a scan adds (B.2.3): the coefficients `first` to `last` of some colours, but for the lowest bits."""
    count = head[0] if head else 0
    if len(head) < 4 + 2 * count:
        raise ValueError("the file ends too early")
    first, last, low = head[1 + 2 * count], min(head[2 + 2 * count], 63), head[3 + 2 * count] & 15
    for colour in head[1 : 1 + 2 * count : 2]:
        if colour in missing_bits:
            missing_bits[colour][first : last + 1] = [low] * max(0, last + 1 - first)


def _is_any(missing_bits: dict[int, list[int]]) -> bool:
    return not missing_bits or any(any(bits) for bits in missing_bits.values())


def open_jpeg(content: bytes, check_size: CheckSize) -> Opened:
    """Read the header. Raises ValueError and what Pillow raises at damaged data."""
    extent = extent_of(content)
    whole = extent.end is not None
    if not (whole or extent.has_all_scans):
        raise ValueError("the file ends too early")
    picture = extent.head + content[extent.first_scan : extent.end]
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(picture)) if whole else _Unended(picture)
    check_size(image.size)
    if not whole and extent.passes * image.width * image.height > MAX_UNENDED_PASSES:
        raise ValueError("its end marker is missing, and it is too large to verify that nothing else is")
    return Opened(
        image,
        extent.exif,
        extra_bytes=0 if whole else _PILLOW_BYTES * image.width * image.height,
        notes=() if whole else (NO_END_NOTE,),
    )


class _Unended(JpegImagePlugin.JpegImageFile):
    """A JPEG without its end marker, decoded with one. `load` raises OSError unless every row is present: decoders fill
    what is missing without saying so, and what they fill in depends on the bytes that follow."""

    def __init__(self, content: bytes):
        self._content = content.removesuffix(b"\xff")
        super().__init__(io.BytesIO(self._content + END))

    def draft(self, mode: str | None, size: Size | None) -> None:
        """Nothing: at a fraction of its size a picture looks whole before all of it has been read."""

    def load(self) -> Any:
        """Decode again with other ends; a picture that is whole is the same each time."""
        if not self.tile:
            return super().load()
        loaded = super().load()
        for filler in _FILLERS if self.width * self.height < _LARGE_PIXELS else _FILLERS[:1]:
            other = JpegImagePlugin.JpegImageFile(io.BytesIO(self._content + filler + END))
            other.load()
            if not _same(self, other):
                raise OSError("the file ends too early")
        return loaded


def _same(one: Image.Image, other: Image.Image) -> bool:
    """Compared in bands, so that no third copy is in memory."""
    width, height = one.size
    bands = ((0, top, width, min(top + 256, height)) for top in range(0, height, 256))
    return all(np.array_equal(np.asarray(one.crop(band)), np.asarray(other.crop(band))) for band in bands)
