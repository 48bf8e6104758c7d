"""Objects that are stored packed, with `Content-Encoding: gzip`, as `gcloud storage cp --gzip-local` stores them."""

from __future__ import annotations

import zlib

GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS
_BLOCK_BYTES = 1 << 18
_MAX_MEMBERS = 1000  # that one file may be made of (RFC 1952, 2.2); one is usual


class InflatedTooLargeError(Exception):
    """The object unpacks to more than is allowed."""


class DamagedContentError(Exception):
    """The object says that it is gzip, begins so, and cannot be unpacked."""


def unpacked(content: bytes, encoding: str | None, limit: int) -> bytes:
    """The bytes that were meant: `content` itself unless `encoding` says gzip, and it is.

    Never holds more than `limit` bytes of them. Raises InflatedTooLargeError, DamagedContentError.
    """
    if (encoding or "").strip().lower() not in ("gzip", "x-gzip") or not content.startswith(GZIP_MAGIC):
        return content
    parts: list[bytes] = []
    room, place = limit, 0
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(_GZIP)
        while not inflate.eof:
            # In blocks, for what is behind a member's end is copied at it.
            block = content[place : place + _BLOCK_BYTES]
            if not block:
                raise DamagedContentError("it ends too early")
            try:
                part = inflate.decompress(block, room + 1)
            except zlib.error as error:
                raise DamagedContentError(str(error)) from None
            if len(part) > room:
                raise InflatedTooLargeError(f"more than {limit} bytes")
            parts.append(part)
            room -= len(part)
            place += len(block) - len(inflate.unused_data) - len(inflate.unconsumed_tail)
        if not content.startswith(GZIP_MAGIC, place):  # what else follows is padding
            return b"".join(parts)
    raise DamagedContentError(f"it has more than {_MAX_MEMBERS} parts")
