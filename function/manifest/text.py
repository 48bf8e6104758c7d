"""Bytes of a manifest or a catalogue → text: its encoding by its first bytes, and what no eye can see taken away."""

from __future__ import annotations

import codecs

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MARK = "\ufeff"
# Zero-width space, non-joiner, joiner, word joiner, mark, soft hyphen, directions: pasted from web pages and chats.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
_BLANK = "".join(filter(str.isspace, map(chr, range(0x3001))))  # the last one of Unicode is 3000
_AT_ENDS = _BLANK + _INVISIBLE
_WITHOUT_INVISIBLE = str.maketrans("", "", _INVISIBLE)
_HEAD_BYTES = 4096


def encoding_of(content: bytes) -> str:
    """UTF-8 unless a byte order mark, or zeros in every second place, say UTF-16 or UTF-32.

    Nothing is guessed beyond that: an old Windows or Mac code page read as another one would name images that do not
    exist, and spoil labels silently.
    """
    for mark, name in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return name
    head = content[:_HEAD_BYTES]
    zeros = [head[start::2].count(0) * 2 for start in (0, 1)]
    if max(zeros) > len(head) // 2:  # every second byte of Latin text
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    return "utf-8"


def text_of(content: bytes, errors: str = "strict") -> str:
    """The text without its byte order marks: some programs write one before the one that is there. Raises
    UnicodeDecodeError; `errors` is for UTF-8 alone."""
    encoding = encoding_of(content)
    return content.decode(encoding, errors if encoding == "utf-8" else "strict").lstrip(_MARK)


def without_invisible(text: str) -> str:
    """The text without characters that have no width."""
    return text.translate(_WITHOUT_INVISIBLE)


def trimmed(text: str) -> str:
    """The text without blanks, and what cannot be seen, at its ends."""
    return text.strip(_AT_ENDS)
