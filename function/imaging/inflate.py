"""Pillow's PNG reader, given the chunks that decoding takes and no others, with ISA-L's inflate.

Kept for what it saves: decoding takes .11 instead of .18 CPU s at 8 megapixels, where a whole pair takes 1, and .66
instead of 1.02 at 50 (OpenCV, which drops profiles: .12 and .77). `python -m tests.bench.codecs` measures it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, cast

from isal import isal_zlib
from PIL import PngImagePlugin

from function.imaging.avx import vzeroupper
from function.imaging.formats import PNG_MAGIC
from function.imaging.icc import MAX_PROFILE_BYTES
from function.imaging.opened import CheckSize, Opened
from function.imaging.png import chunk, read_chunks

_BLOCK_BYTES = 0xFFFF  # the most that a stored block holds (RFC 1951, 3.2.4), and inflated at a time
_ZLIB_HEADER = b"\x78\x01"  # RFC 1950


ISAL_ERROR = cast("type[Exception]", isal_zlib.error)  # its stubs say an instance
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"iCCP")  # of an animation the still picture: its first frame, as a rule
_PALETTE = 3
_UNCHECKED = bytes(4)  # in the place of a checksum: `read_chunks` has looked at those that were there
_COLOURS = {0: "L", 2: "RGB", 3: "RGB", 4: "L", 6: "RGB"}  # by colour type (PNG specification, 11.2.1)


def open_png(content: bytes, check_size: CheckSize) -> Opened:
    """Read the header. Raises ValueError and what Pillow raises at damaged data."""
    # Pillow looks at no checksum of pixel data, and finds a late eXIf chunk only by decoding everything.
    before: dict[bytes, memoryview] = {}
    pixels: list[memoryview] = []
    exif, frames = None, 0
    for kind, data in read_chunks(content):
        if not before and kind != b"IHDR":
            raise ValueError("its header is not its first chunk")
        if kind == b"IDAT":
            pixels.append(data)
        elif kind == b"eXIf":
            exif = data
        elif kind == b"acTL":
            frames = int.from_bytes(data[:4])
        elif kind in _KEPT and not pixels:
            before.setdefault(kind, data)
    width, height, _, colour_type = struct.unpack_from(">IIBB", before[b"IHDR"])
    check_size((width, height))
    if colour_type == _PALETTE and b"PLTE" not in before:
        raise ValueError("it has no palette before its pixels")
    profile, notes = _profile_of(before.pop(b"iCCP", None))
    chunks = [part for kind, data in before.items() for part in chunk(kind, data)]
    length = struct.pack(">I4s", sum(map(len, pixels)), b"IDAT")
    lean = b"".join([PNG_MAGIC, *chunks, length, *pixels, _UNCHECKED, *chunk(b"IEND", b"")])
    image = IsalPngImageFile(io.BytesIO(lean))
    if profile:
        image.info["icc_profile"] = profile
    return Opened(
        image,
        None if exif is None else bytes(exif),
        colours=_COLOURS.get(colour_type),
        animated=frames > 1,
        lossless=True,
        notes=notes,
    )


def _profile_of(packed: memoryview | None) -> tuple[bytes | None, tuple[str, ...]]:
    """An iCCP chunk's profile (11.3.2.3), and why it was left out."""
    if packed is None:
        return None, ()
    stream = bytes(packed).partition(b"\0")[2][1:]
    try:
        profile = isal_zlib.decompressobj().decompress(stream, MAX_PROFILE_BYTES + 1)
    except ISAL_ERROR:
        return None, ("its ICC profile was left out: it is damaged",)
    return profile, ()


class IsalPngImageFile(PngImagePlugin.PngImageFile):
    """Hands Pillow's decoder, which undoes filters and interlacing, the pixel data's zlib stream as stored blocks. It
    stops when the picture is whole: a stream that ends before is a damaged one, without a last block or checksum.

    Raises isal_zlib.error at damaged data, besides what Pillow raises.
    """

    _stream: Iterator[bytes] | None = None

    def load(self) -> Any:
        """Decode the pixels, once."""
        try:
            return super().load()
        finally:
            if self._stream is not None:
                self._stream = None  # it refers to this picture, whose pixels would wait for the garbage collector
                vzeroupper()

    def load_prepare(self) -> None:
        """Pillow's hook before the first `load_read`."""
        self._stream = self._stored()
        super().load_prepare()

    def load_read(self, read_bytes: int) -> bytes:
        """Pillow's hook: the next part of the stream, empty at its end. The decoder takes any number of bytes."""
        return b"" if self._stream is None else next(self._stream, b"")

    def _stored(self) -> Iterator[bytes]:
        inflate = isal_zlib.decompressobj()
        yield _ZLIB_HEADER
        while not inflate.eof and (packed := super().load_read(_BLOCK_BYTES)):
            while data := inflate.decompress(packed, _BLOCK_BYTES):
                yield struct.pack("<BHH", 0, len(data), len(data) ^ 0xFFFF) + data
                packed = inflate.unconsumed_tail  # may be empty while there is more to come
