"""What a file is, by its first bytes; names and stored content types are not asked."""

from __future__ import annotations

from function.errors import SourceUnreadable, SourceUnsupported
from function.imaging.formats import JPEG_MAGIC, PNG_MAGIC, ReadFormat, detect_format, labels_of_readable

_OTHERS = (
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF or camera raw file"),
    (b"MM\0*", "a TIFF or camera raw file"),
    (b"II+\0", "a BigTIFF"),
    (b"MM\0+", "a BigTIFF"),
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\1\0", "an icon file"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"RIFF", "a RIFF file that is no WebP"),
)
_BRANDS = {  # ISO base media files: the brand at byte 8
    b"avif": "an AVIF",
    b"avis": "an AVIF",
    b"heic": "a HEIC",
    b"heix": "a HEIC",
    b"hevc": "a HEIC",
    b"hevx": "a HEIC",
    b"mif1": "a HEIF",
    b"msf1": "a HEIF",
    b"crx ": "a camera raw file",
}
_MARKUP = ((b"<svg", "an SVG"), (b"<!doctype html", "HTML"), (b"<html", "HTML"), (b"<?xml", "XML"))
_HEAD_BYTES = 1024  # how far markup is looked for: a prolog and a licence may stand before "<svg"


def sniff(content: bytes, field: str) -> ReadFormat:
    """The format of `content`. `field` names it in messages.

    Raises SourceUnreadable when it is empty or ends inside the first bytes of a picture, SourceUnsupported
    (saying what it looks like) when it is in no format that is read.
    """
    if not content:
        raise SourceUnreadable(f"{field}: the file is empty", field=field)
    found = detect_format(content)
    if found is not None:
        return found
    cut = PNG_MAGIC.startswith(content) or JPEG_MAGIC.startswith(content) or b"RIFF".startswith(content[:4])
    if cut and len(content) < 12:
        raise SourceUnreadable(f"{field}: the file ends after {len(content)} bytes", field=field)
    raise SourceUnsupported(f"{field}: {_looks_like(content)}; {labels_of_readable()} are read", field=field)


def _looks_like(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return f"this is {_BRANDS.get(content[8:12], 'a video, or a picture of another kind')}"
    for magic, name in _OTHERS:
        if content.startswith(magic):
            return f"this is {name}"
    head = content[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"<"):
        for tag, name in _MARKUP:
            if tag in head:
                return f"this is {name}"
    if head.startswith((b"{", b"[")):
        return "this looks like JSON"
    return "this is no picture that is known here"
