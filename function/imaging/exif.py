"""EXIF as far as it changes what is seen: which way is up, and whether the colours are Adobe RGB.

Read here, and not by Pillow: it unpacks every value of every directory, of which a block may have 65,535 that are each
as long as the whole. Directories follow TIFF 6.0, section 2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_PREFIX = b"Exif\0\0"
_ORIENTATION, _EXIF_IFD, _INTEROPERABILITY_IFD = 0x0112, 0x8769, 0xA005  # EXIF 2.32, 4.6.4 and 4.6.3
_COLOUR_SPACE, _INDEX = 0xA001, 1
_ADOBE_RGB_INDEX = b"R03"  # DCF 2.0, 5.6: its "option file", which is in Adobe RGB
_ADOBE_RGB_COLOUR_SPACE = 2  # never standardised; older cameras write it
_NUMBERS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG
_ASCII, MAX_TEXT = 2, 2000
_ENTRY_BYTES = 12


@dataclass(frozen=True)
class Exif:
    """What matters of a block; the defaults are what counts without one, and where it is damaged."""

    orientation: int = 1  # 1..8, 1 is upright
    is_adobe_rgb: bool = False  # a camera says so in the way of DCF, which most do instead of embedding a profile


def read_exif(block: bytes | None) -> Exif:
    """The block with or without its "Exif" prefix → what matters of it."""
    block = (block or b"").removeprefix(_PREFIX).removeprefix(_PREFIX)
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return Exif()
    tags = _Tags(block, order)
    main = struct.unpack_from(order + "I", block, 4)[0]
    orientation = tags.number(main, _ORIENTATION)
    inner = tags.number(main, _EXIF_IFD)
    index = tags.value(tags.number(inner, _INTEROPERABILITY_IFD), _INDEX)
    return Exif(
        orientation if orientation in range(1, 9) else 1,
        index.strip(b"\0 ") == _ADOBE_RGB_INDEX or tags.number(inner, _COLOUR_SPACE) == _ADOBE_RGB_COLOUR_SPACE,
    )


def exif_text(block: bytes, tag: int) -> bytes:
    """The characters of a tag of the main directory, for people; empty where there are none, or more than MAX_TEXT."""
    block = block.removeprefix(_PREFIX)
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return b""
    return _Tags(block, order).text(struct.unpack_from(order + "I", block, 4)[0], tag)


class _Tags:
    def __init__(self, block: bytes, order: str):
        self._block, self._order = block, order

    def _entry(self, directory: int, tag: int) -> tuple[int, int, bytes] | None:
        """Type and the four bytes of the value of a tag; None where there is no such directory or tag."""
        if not 8 <= directory <= len(self._block) - 2:
            return None
        count = struct.unpack_from(self._order + "H", self._block, directory)[0]
        entries = self._block[directory + 2 : directory + 2 + _ENTRY_BYTES * count]
        entries = entries[: len(entries) // _ENTRY_BYTES * _ENTRY_BYTES]
        for found, kind, count, value in struct.iter_unpack(self._order + "HHI4s", entries):
            if found == tag:
                return kind, count, value
        return None

    def number(self, directory: int, tag: int) -> int:
        """The first whole number of a tag, if it fits into its entry; 0 where there is none."""
        kind, _, value = self._entry(directory, tag) or (0, 0, b"")
        return struct.unpack_from(self._order + _NUMBERS[kind], value)[0] if kind in _NUMBERS else 0

    def value(self, directory: int, tag: int) -> bytes:
        """The four bytes that stand in the entry itself."""
        return (self._entry(directory, tag) or (0, 0, b""))[2]

    def text(self, directory: int, tag: int) -> bytes:
        """The characters of a tag; empty where there are none, or too many."""
        kind, count, value = self._entry(directory, tag) or (0, 0, b"")
        if kind != _ASCII or count > MAX_TEXT:
            return b""
        place = struct.unpack(self._order + "I", value)[0]
        return value[:count].rstrip(b"\0") if count <= len(value) else self._block[place : place + count].rstrip(b"\0")
