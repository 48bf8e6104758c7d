"""A file's credentials as they lie in it, where the library that reads them is not installed.

The manifest store is one JUMBF box (ISO 19566-5). It lies in one piece in every format but JPEG, whose segments have
64 KB each (C2PA 2.2, appendix A.3; ISO 18477-3, annex B).
"""

from __future__ import annotations

import re

# The outermost box of a manifest store: the type, and the description with the UUID of C2PA 2.2, 11.1.4.2. It begins in
# one piece in every format, so that files without it (nearly all) cost a search, and no library is loaded for them.
STORE = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
MAX_SEGMENTS = 32  # of a JPEG: 2 MB
BOX_HEAD_BYTES, JPEG_HEAD_BYTES = 8, 12  # length and type; marker, length, "JP", number of the box, of the segment
# Words of assertions that say where something was, "gps" with what follows it as a name or before it in CBOR (three
# letters alone are in many a thumbnail), and the type of a box that is compressed (C2PA 2.2, 8.4.2.5).
TELLS_A_PLACE = re.compile(rb"gps[a-z_\"]|\x63gps|latitude|longitude|location|brob", re.IGNORECASE)


def stored_credentials(content: bytes, max_bytes: int) -> bytes | None:
    """The manifest store; None where it is cut off, has more than `max_bytes`, or may say where a picture was taken."""
    begin = content.find(STORE) - 4 - BOX_HEAD_BYTES  # before the description's own length
    if begin < 0:
        return None
    size = int.from_bytes(content[begin : begin + 4])
    if not BOX_HEAD_BYTES < size <= max_bytes:
        return None
    store = _of_jpeg(content, begin, size) if content.startswith(b"\xff\xd8") else content[begin : begin + size]
    return store if len(store) == size and not TELLS_A_PLACE.search(store) else None


def _of_jpeg(content: bytes, begin: int, size: int) -> bytes:
    """The box's parts, one segment after the other; each but the first repeats the box's head."""
    segment, store = begin - JPEG_HEAD_BYTES, b""
    box = content[segment + 4 : segment + 8]
    for _ in range(MAX_SEGMENTS):
        if content[segment : segment + 2] != b"\xff\xeb" or content[segment + 4 : segment + 8] != box:
            break
        end = segment + 2 + int.from_bytes(content[segment + 2 : segment + 4])
        store += content[segment + JPEG_HEAD_BYTES + (BOX_HEAD_BYTES if store else 0) : end]
        segment = end
    return store
