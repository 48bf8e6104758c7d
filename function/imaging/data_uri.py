"""`data:` URIs (RFC 2397) and base64 (RFC 4648) as other programs write them."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote_to_bytes

_HEAD = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)


def is_data_uri(text: str) -> bool:
    """Whether `text` begins with the scheme, in capitals too."""
    return text[:5].lower() == "data:"


def decode_data_uri(uri: str) -> bytes:
    """The bytes inside a data: URI, base64 or percent-encoded. Raises ValueError when it is not one, or damaged."""
    head = _HEAD.match(uri)
    if not head:
        raise ValueError("a data: reference has the form data:image/png;base64,…")
    payload = uri[head.end() :]
    if ";base64" not in head[2].lower():
        return unquote_to_bytes(payload)
    try:
        return decode_base64(payload)
    except ValueError:
        raise ValueError("the base64 of the data: reference is damaged") from None


def decode_base64(text: str) -> bytes:
    """Base64 in the standard or the URL-safe alphabet, with or without line breaks and padding. Raises ValueError."""
    packed = re.sub(r"\s+", "", text).replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)


def encode_data_uri(content: bytes, mime_type: str) -> str:
    """`content` as a base64 data: URI."""
    return f"data:{mime_type};base64,{base64.b64encode(content).decode()}"
