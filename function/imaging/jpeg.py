"""JPEG: where the picture ends and how many scans it has, told from its markers; what lacks only its end is mended.

Markers follow ITU-T T.81, annex B.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image, JpegImagePlugin

from function.imaging.frame import Size
from function.imaging.opened import CheckSize, Opened

MAX_SCANS = 100  # about 10 are usual; even an empty one costs a pass over the whole picture
END = b"\xff\xd9"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
_ALL_BITS = 16
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
# Inside a scan a data byte ff is followed by 00, and restart markers belong to it; anything else ends it.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Where bits are missing, what is decoded from these differs from what is decoded from zeros.
_FILLERS = (b"\x5a\xa5\x3c" * 40, b"\xff\x00" * 40, b"\x93\x0e\xd1\x77" * 40)
_PILLOW_BYTES = 4  # a pixel
NO_END_NOTE = "the JPEG lacks its end marker; every row is there"


@dataclass(frozen=True)
class Extent:
    """The first picture of a file: `end` is behind its end marker, None without one. `has_all_scans`: whether each
    colour's coefficients are there to their last bit, as far as the scans' heads say."""

    end: int | None
    has_all_scans: bool


def extent_of(content: bytes) -> Extent:
    """Where the first picture ends; phones append a film, a second picture or a depth map.

    Raises ValueError at more than MAX_SCANS scans, and where the file ends inside a segment.
    """
    position, scans = 2, 0
    missing_bits: dict[int, list[int]] = {}  # by colour: of each of its 64 coefficients
    while position + 1 < len(content):
        if content[position] != 0xFF:
            raise ValueError("its segments do not fit together")
        kind = content[position + 1]
        if kind == 0xFF:  # fill byte
            position += 1
        elif kind == _END_OF_IMAGE:
            return Extent(position + 2, not _is_any(missing_bits))
        elif kind in _ALONE:
            position += 2
        else:
            if position + 4 > len(content):
                raise ValueError("the file ends too early")
            segment = content[position + 4 : position + 2 + struct.unpack_from(">H", content, position + 2)[0]]
            position += 4 + len(segment)
            if kind in _FRAMES and len(segment) > 5:
                missing_bits = {colour: [_ALL_BITS] * 64 for colour in segment[6 : 6 + 3 * segment[5] : 3]}
            if kind == _START_OF_SCAN:
                _note_scan(segment, missing_bits)
                scans += 1
                if scans > MAX_SCANS:
                    raise ValueError(f"it has more than {MAX_SCANS} scans")
                found = _SCAN_END.search(content, position)
                if found is None:
                    break
                position = found.start()
    if not scans:
        raise ValueError("the file ends too early")
    return Extent(None, not _is_any(missing_bits))


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
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(content)) if whole else _Unended(content)
    check_size(image.size)
    return Opened(
        image,
        image.info.get("exif"),
        extra_bytes=0 if whole else _PILLOW_BYTES * image.width * image.height,
        notes=() if whole else (NO_END_NOTE,),
    )


class _Unended(JpegImagePlugin.JpegImageFile):
    """A JPEG without its end marker, decoded with one. `load` raises OSError unless every row is there: decoders fill
    what is missing without saying so, and what they fill in depends on the bytes that follow."""

    def __init__(self, content: bytes):
        self._content = content.removesuffix(b"\xff")
        super().__init__(io.BytesIO(self._content + END))

    def draft(self, mode: str | None, size: Size | None) -> None:
        """Nothing: at a fraction of its size a picture looks whole before all of it has been read."""

    def load(self):
        """Decode again with other ends; a picture that is whole is the same each time."""
        if not self.tile:
            return super().load()
        loaded = super().load()
        for filler in _FILLERS:
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
