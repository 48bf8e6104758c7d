"""Objects that are stored packed, with `Content-Encoding: gzip`, as `gcloud storage cp --gzip-local` stores them."""

from __future__ import annotations

import zlib

GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS
_MAX_MEMBERS = 1000  # that one file may be made of (RFC 1952, 2.2); one is usual


class Overflow(Exception):
    """The object unpacks to more than is allowed."""


class Damaged(Exception):
    """The object says that it is gzip, begins so, and cannot be unpacked."""


def unpacked(content: bytes, encoding: str | None, limit: int) -> bytes:
    """The bytes that were meant: `content` itself unless `encoding` says gzip, and it is.

    Never holds more than `limit` bytes of them. Raises Overflow, Damaged.
    """
    if (encoding or "").strip().lower() not in ("gzip", "x-gzip") or not content.startswith(GZIP_MAGIC):
        return content
    parts: list[bytes] = []
    room = limit
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(_GZIP)
        try:
            part = inflate.decompress(content, room + 1)
        except zlib.error as error:
            raise Damaged(str(error)) from None
        if len(part) > room:
            raise Overflow(f"more than {limit} bytes")
        if not inflate.eof:
            raise Damaged("it ends too early")
        parts.append(part)
        room -= len(part)
        content = inflate.unused_data
        if not content.startswith(GZIP_MAGIC):  # what else follows is padding
            return parts[0] if len(parts) == 1 else b"".join(parts)
    raise Damaged(f"it has more than {_MAX_MEMBERS} parts")
