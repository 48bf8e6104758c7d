"""TIFF: its first page, and only what a photograph is: grey, palette, RGB(A) or CMYK with 8 or 16 bits.

The directory is read here first, within its bounds (TIFF 6.0, sections 2, 8, 15 and 19), so that what Pillow and
libtiff are given has a known size, and a camera's raw file is not taken for its thumbnail. They are given a directory
of what decoding takes: they would unpack every value of all others, EXIF's among them.
"""

from __future__ import annotations

import ctypes
import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import PIL
from PIL import TiffImagePlugin

from function.imaging.jpeg import extent_of
from function.imaging.opened import CheckSize, NotReadError, Opened

_RAW_ADVICE = "develop it to a JPEG or a 16-bit TIFF first"
_ADVICE = "save it as RGB, grey or CMYK with 8 or 16 bits, uncompressed or with LZW"
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes by field type
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I"}
_MAX_ENTRIES = 4096  # of a directory; about 20 are usual
_MAX_CHANNELS = 6
_MAX_PARTS = 50_000  # strips or tiles: 64 megapixels in tiles of 64 pixels are 16,000
_MAX_SEGMENTS = 300_000  # of all JPEG strips or tiles together; each has 6, or 2 where they share their tables
_OVERLAP = 1.1  # times the file's bytes: a part's length may be rounded up
_JPEG = 7
_COMPRESSIONS = {1, 5, _JPEG, 8, 32946, 32773, 50000}  # none, LZW, JPEG, Deflate (both), PackBits, Zstandard
_COLOURS = {0: "L", 1: "L", 2: "RGB", 3: "RGB", 5: "CMYK", 6: "RGB"}  # by PhotometricInterpretation
_RAW_PHOTOMETRIC = {32803, 34892}  # a colour filter array, linear raw (DNG 1.6, chapter 4)
_RAW_COMPRESSIONS = {32767, 32769, 34713, 65000, 65535}  # Sony, Epson, Nikon, Kodak, Pentax
(_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _CHANNELS, _ROWS, _STRIP_BYTES, _PLANAR) = (
    254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 284,
)  # fmt: skip
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _SUB_IFDS, _SAMPLE_FORMAT = 322, 323, 324, 325, 330, 339
_DNG_VERSION = 50706
_ORIENTATION = 274
# How many values each tag has that decoding takes, at the most; the directory that is handed on has no other tags.
_KEPT = {
    _WIDTH: 1, _HEIGHT: 1, _BITS: _MAX_CHANNELS, _COMPRESSION: 1, _PHOTOMETRIC: 1, 266: 1, _STRIPS: _MAX_PARTS,
    _ORIENTATION: 1, _CHANNELS: 1, _ROWS: 1, _STRIP_BYTES: _MAX_PARTS, _PLANAR: 1, 317: 1, 320: 3 << 16,
    _TILE_WIDTH: 1, _TILE_HEIGHT: 1, _TILES: _MAX_PARTS, _TILE_BYTES: _MAX_PARTS, 332: 1, 338: _MAX_CHANNELS,
    _SAMPLE_FORMAT: _MAX_CHANNELS, 347: 1 << 16, 529: 3, 530: 2, 531: 1, 532: 6,
}  # fmt: skip
_PROFILE = 34675
_CANON = b"CR"  # of a CR2, behind the header


def open_tiff(content: bytes, check_size: CheckSize) -> Opened:
    """Read the first page's header. Raises NotReadError, ValueError, and what Pillow raises at damaged data."""
    page = None if content[8:10] == _CANON else _Page(content)
    if page is None or page.is_raw:
        raise NotReadError(f"this is a camera raw file; {_RAW_ADVICE}")
    check_size((page.width, page.height))
    unread = page.unread()
    if unread:
        raise NotReadError(f"this TIFF has {unread}; {_ADVICE}")
    page.check_data()
    try:
        image = _FirstPage(io.BytesIO(page.alone()))
    except SyntaxError:  # what Pillow says of every combination that its table does not have
        raise NotReadError(f"this TIFF has channels of an unusual kind; {_ADVICE}") from None
    shown = (image.height, image.width) if page.value(_ORIENTATION) in (5, 6, 7, 8) else image.size
    if shown != (page.width, page.height):
        raise ValueError("its directory contradicts itself")
    if page.icc:
        image.info["icc_profile"] = page.icc
    colours = "L" if image.mode in ("LA", "La", "I;16") else _COLOURS[page.photometric]
    return Opened(image, colours=colours, lossless=page.compression != _JPEG, extra_bytes=page.part_bytes)


def _silence_libtiff() -> None:
    """libtiff writes what it finds wrong to stderr, where every line is a log entry; Pillow says that it failed."""
    for path in Path(PIL.__file__).parent.parent.glob("pillow.libs/libtiff-*.so*"):
        library = ctypes.CDLL(str(path))  # the one that Pillow has loaded already
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)


_silence_libtiff()


class _FirstPage(TiffImagePlugin.TiffImageFile):
    """Pillow's reader, which turns the picture upright itself. Pages behind the first are not looked for."""

    def _open(self) -> None:
        super()._open()
        self._n_frames, self.is_animated = 1, False


@dataclass(frozen=True)
class _Entry:
    kind: int
    count: int
    place: int  # of the values in the file
    size: int  # bytes


class _Page:
    """The first directory of a TIFF. Raises ValueError where it does not fit into the file."""

    def __init__(self, content: bytes):
        self._content = content
        self._order = "<" if content[:1] == b"I" else ">"
        start = self._number("I", 4)
        entries = self._number("H", start)
        if not 0 < entries <= _MAX_ENTRIES:
            raise ValueError(f"its directory has {entries} entries")
        self._entries: dict[int, _Entry] = {}
        for place in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, count = self._number("H", place), self._number("H", place + 2), self._number("I", place + 4)
            size = _SIZES.get(kind, 1) * count
            values = place + 8 if size <= 4 else self._number("I", place + 8)
            if values + size > len(content):
                raise ValueError("the file ends too early")
            self._entries.setdefault(tag, _Entry(kind, count, values, size))
        self.width, self.height = self._required(_WIDTH, "width"), self._required(_HEIGHT, "height")
        self.photometric = self.value(_PHOTOMETRIC, 0)
        self.compression = self.value(_COMPRESSION, 1)
        self.channels = self.value(_CHANNELS, 1)

    def _number(self, kind: str, place: int) -> int:
        found: int = struct.unpack_from(self._order + kind, self._content, place)[0]
        return found

    def _required(self, tag: int, name: str) -> int:
        value = self.value(tag, 0)
        if not value:
            raise ValueError(f"its directory has no {name}")
        return value

    def values(self, tag: int) -> tuple[int, ...]:
        """Whole numbers of an entry, as many as decoding takes; none where it is absent or holds something else."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _WHOLE_NUMBERS:
            return ()
        count = min(entry.count, _KEPT[tag])
        return struct.unpack_from(f"{self._order}{count}{_WHOLE_NUMBERS[entry.kind]}", self._content, entry.place)

    def value(self, tag: int, default: int = 0) -> int:
        """The first number of an entry."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _WHOLE_NUMBERS or not entry.count:
            return default
        return self._number(_WHOLE_NUMBERS[entry.kind], entry.place)

    @property
    def icc(self) -> bytes | None:
        """The profile."""
        entry = self._entries.get(_PROFILE)
        return None if entry is None else self._content[entry.place : entry.place + entry.size]

    def alone(self) -> bytes:
        """The file with a directory of what decoding takes, behind everything else, and none after it."""
        kept = sorted((tag, entry) for tag, entry in self._entries.items() if tag in _KEPT)
        padding = bytes(len(self._content) & 1)
        start = len(self._content) + len(padding)
        values = start + 2 + 12 * len(kept) + 4
        directory, moved = struct.pack(self._order + "H", len(kept)), b""
        for tag, entry in kept:
            packed = self._content[entry.place : entry.place + entry.size]
            place = packed.ljust(4, b"\0")
            if entry.size > 4:
                place = struct.pack(self._order + "I", values + len(moved))
                moved += packed + bytes(len(packed) & 1)
            directory += struct.pack(self._order + "HHI", tag, entry.kind, entry.count) + place
        head = self._content[:4] + struct.pack(self._order + "I", start)
        rest = memoryview(self._content)[8:]
        return b"".join([head, rest, padding, directory, bytes(4), moved])

    @property
    def is_raw(self) -> bool:
        """Whether a camera wrote it: the first page is then a thumbnail, or the sensor's own pattern."""
        return (
            _DNG_VERSION in self._entries
            or self.photometric in _RAW_PHOTOMETRIC
            or self.compression in _RAW_COMPRESSIONS
            or (self.value(_SUBFILE) & 1 == 1 and _SUB_IFDS in self._entries)
        )

    def unread(self) -> str | None:
        """What it has that is not read, in words; None when all is well."""
        if self.photometric not in _COLOURS:
            return f"colours of kind {self.photometric}"
        if self.compression not in _COMPRESSIONS:
            return f"compression {self.compression}"
        if set(self.values(_SAMPLE_FORMAT)) - {1}:
            return "samples that are not integers"
        bits = set(self.values(_BITS)) or {1}
        if bits - {1, 2, 4, 8, 16} or len(bits) > 1:
            return f"{' and '.join(str(one) for one in sorted(bits))} bits a sample"
        if not 0 < self.channels <= _MAX_CHANNELS:
            return f"{self.channels} channels"
        if self.photometric == 0 and 16 in bits:
            return "16 bits with white as zero"
        if self.value(_PLANAR, 1) == 2 and (max(bits) > 8 or self.photometric not in (2, 5)):
            return "channels stored one after another"
        return None

    @property
    def _part(self) -> tuple[int, int]:
        """Width and height of a tile, or of a strip."""
        if _TILES in self._entries:
            return self._required(_TILE_WIDTH, "tile width"), self._required(_TILE_HEIGHT, "tile height")
        return self.width, min(self.height, self.value(_ROWS, self.height) or self.height)

    @property
    def part_bytes(self) -> int:
        """Of a tile or strip, unpacked: libtiff holds one at a time."""
        return math.prod(self._part) * self.channels * (2 if 16 in self.values(_BITS) else 1)

    def check_data(self) -> None:
        """Raises ValueError when tiles or strips do not cover the picture, or lie outside the file."""
        for tag, entry in self._entries.items():
            if entry.count > _KEPT.get(tag, entry.count):
                raise ValueError(f"tag {tag} has {entry.count:,} values; at most {_KEPT[tag]:,} are allowed")
        across, down = self._part
        if across * down > 4 * max(self.width * self.height, 1 << 18):
            raise ValueError("its tiles are larger than the picture")
        planes = self.channels if self.value(_PLANAR, 1) == 2 else 1
        wanted = math.ceil(self.width / across) * math.ceil(self.height / down) * planes
        tiled = _TILES in self._entries
        starts = self.values(_TILES if tiled else _STRIPS)
        lengths = self.values(_TILE_BYTES if tiled else _STRIP_BYTES)
        if len(starts) < wanted or (len(lengths) < wanted and (lengths or wanted > 1)):
            raise ValueError(f"it has {len(starts)} of {wanted} strips or tiles")
        parts = set(zip(starts, lengths, strict=False))  # equal ones may stand in one place
        if any(start + length > len(self._content) for start, length in parts):
            raise ValueError("the file ends too early")
        # libtiff reads all of a part, however little of it is needed, and each as often as it is named.
        read_bytes = max(sum(length for _, length in parts), sum(lengths) - self.width * self.height)
        if read_bytes > _OVERLAP * len(self._content):
            raise ValueError("its strips or tiles overlap")
        if self.compression == _JPEG:
            segments = _MAX_SEGMENTS
            for start, length in parts:
                segments -= extent_of(self._content[start : start + length], segments).segments
