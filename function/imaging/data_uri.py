"""`data:` URIs (RFC 2397) and base64 (RFC 4648) as other programs write them."""

from __future__ import annotations

import base64
from urllib.parse import unquote_to_bytes

_MAX_HEAD_CHARS = 1024  # before the comma; "data:image/png;base64" has 21
_MAX_PERCENT_ENCODED_CHARS = 1 << 20  # unpacked they take up to twenty times as much; pictures come as base64
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n\f\v"


def is_data_uri(text: str) -> bool:
    """Whether `text` begins with the scheme, in capitals too."""
    return text[:5].lower() == "data:"


def decode_data_uri(uri: str) -> bytes:
    """The bytes inside a data: URI, base64 or percent-encoded. Raises ValueError when it is not one, or damaged."""
    comma = uri.find(",", 0, _MAX_HEAD_CHARS)
    if comma < 0 or not is_data_uri(uri):
        raise ValueError("a data: reference has the form data:image/png;base64,…")
    payload = uri[comma + 1 :]
    if ";base64" not in uri[:comma].lower():
        if len(payload) > _MAX_PERCENT_ENCODED_CHARS:
            raise ValueError("a data: reference as long as this has to be base64: data:image/png;base64,…")
        return unquote_to_bytes(payload)
    try:
        return decode_base64(payload)
    except ValueError:
        raise ValueError("the base64 of the data: reference is damaged") from None


def decode_base64(text: str) -> bytes:
    """Base64 in the standard or the URL-safe alphabet, with or without line breaks and padding. Raises ValueError."""
    packed = text.encode("ascii").translate(_URL_SAFE, _BLANKS).rstrip(b"=")
    return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)


def encode_data_uri(content: bytes, mime_type: str) -> str:
    """`content` as a base64 data: URI."""
    return f"data:{mime_type};base64,{base64.b64encode(content).decode()}"
