"""What a file is, by its first bytes; names and stored content types are not asked."""

from __future__ import annotations

from collections.abc import Collection

from function.errors import UnreadableSourceError, UnsupportedSourceError
from function.imaging.formats import FORMATS, ReadFormat, detect_format, labels
from function.imaging.mishaps import mishap_before_the_picture

_AS_PNG = "save it as PNG"
_RAW = "a camera raw file", "develop it to a JPEG or a 16-bit TIFF"
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"GIF8", "a GIF", _AS_PNG),
    (b"II+\0", "a BigTIFF", "save it as an ordinary TIFF"),
    (b"MM\0+", "a BigTIFF", "save it as an ordinary TIFF"),
    (b"BM", "a BMP", _AS_PNG),
    (b"8BPS", "a Photoshop document", "export it as PNG, which keeps transparency, or as TIFF"),
    (b"\0\0\1\0", "an icon file", "use the picture that it was made from"),
    (b"\xff\x0a", "a JPEG XL", "save it as PNG or JPEG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL", "save it as PNG or JPEG"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000", "save it as PNG or JPEG"),
    (b"%PDF", "a PDF", "export its picture as PNG or TIFF"),
    (b"%!PS", "a PostScript file", "export its picture as PNG or TIFF"),
    (b"PK\3\4", "a ZIP archive", "unpack it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it, or store it with Content-Encoding: gzip"),
    (b"RIFF", "a RIFF file that is no WebP", "use a picture"),
    *((magic, *_RAW) for magic in (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM")),
)
_VIDEO = "a video, or a picture of another kind", "save it as JPEG"
_MARKUP = (
    (b"<svg", "an SVG", "render it to a PNG of 2000 pixels or more"),
    (b"<!doctype html", "HTML", "upload the picture itself"),
    (b"<html", "HTML", "upload the picture itself"),
    (b"<?xml", "XML", "upload the picture itself"),
)
_MIN_BYTES = 12  # that tell a format
_HEAD_BYTES = 1024  # how far markup is looked for: a prolog and a licence may stand before "<svg"


def sniff(content: bytes, field: str, formats: Collection[ReadFormat] = tuple(FORMATS)) -> ReadFormat:
    """The format of `content`, one of `formats`. `field` names it in messages.

    Raises UnreadableSourceError when it is empty, ends inside the first bytes of a picture or was damaged on its way,
    UnsupportedSourceError (saying what it looks like, and what to do) when it is in no format that is read.
    """
    if not content:
        raise UnreadableSourceError(f"{field}: the file is empty", field=field)
    found = detect_format(content)
    if found is not None and found in formats:
        return found
    if found is not None:
        raise UnsupportedSourceError(
            f"{field}: this is a file of format {FORMATS[found].label}; {labels(formats)} are read here "
            "(SOURCE_FORMATS)",
            field=field,
        )
    if len(content) < _MIN_BYTES:
        raise UnreadableSourceError(f"{field}: the file ends after {len(content)} bytes", field=field)
    if mishap := mishap_before_the_picture(content):
        raise UnreadableSourceError(f"{field}: {mishap}", field=field)
    what, advice = _looks_like(content)
    raise UnsupportedSourceError(f"{field}: {what}; {advice} ({labels(formats)} are read)", field=field)


def _looks_like(content: bytes) -> tuple[str, str]:
    """What it is, and what to do."""
    if content[4:8] == b"ftyp":
        name, advice = _RAW if content[8:12] == b"crx " else _VIDEO
        return f"this is {name}", advice
    for magic, name, advice in _OTHERS:
        if content.startswith(magic):
            return f"this is {name}", advice
    head = content[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"<"):
        for tag, name, advice in _MARKUP:
            if tag in head:
                return f"this is {name}", advice
    if head.startswith((b"{", b"[")):
        return "this looks like JSON", "upload the picture itself"
    return "this is no picture that is known here", "save it as PNG or JPEG"
