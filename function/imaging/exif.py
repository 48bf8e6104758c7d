"""EXIF as far as it changes what is seen: which way is up, and whether the colours are Adobe RGB."""

from __future__ import annotations

import struct

from PIL import Image

_ORIENTATION, _EXIF_IFD, _INTEROPERABILITY_IFD = 0x0112, 0x8769, 0xA005  # EXIF 2.32, 4.6.4 and 4.6.3
_COLOUR_SPACE, _INDEX = 0xA001, 1
_ADOBE_RGB_INDEX = "R03"  # DCF 2.0, 5.6: its "option file", which is in Adobe RGB
_ADOBE_RGB_COLOUR_SPACE = 2  # never standardised; older cameras write it
# What a damaged block raises in Pillow.
_DAMAGE = (OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, struct.error)


def read_exif(block: bytes | None) -> Image.Exif | None:
    """The tags; None where there are none, or the block is damaged."""
    if not block:
        return None
    tags = Image.Exif()
    try:
        tags.load(block)
    except _DAMAGE:
        return None
    return tags


def orientation_of(tags: Image.Exif | None) -> int:
    """1..8; 1 (upright) where it is absent, damaged or out of range."""
    try:
        orientation = tags.get(_ORIENTATION, 1) if tags is not None else 1
    except _DAMAGE:
        return 1
    return orientation if orientation in range(1, 9) else 1


def is_adobe_rgb(tags: Image.Exif | None) -> bool:
    """Whether a camera says so in the way of DCF, which most do instead of embedding a profile."""
    if tags is None:
        return False
    try:
        index = tags.get_ifd(_INTEROPERABILITY_IFD).get(_INDEX)
        colour_space = tags.get_ifd(_EXIF_IFD).get(_COLOUR_SPACE)
    except _DAMAGE:
        return False
    text = index.decode("latin-1") if isinstance(index, bytes) else str(index)
    return text.strip("\0 ") == _ADOBE_RGB_INDEX or colour_space == _ADOBE_RGB_COLOUR_SPACE
