"""What happens to files on their way, told from their bytes: a sentence that says what to do."""

from __future__ import annotations

import codecs

from function.imaging.formats import FORMATS, detect_format

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_REPLACEMENT = b"\xef\xbf\xbd"  # U+FFFD in UTF-8: what a program writes for bytes that are no text
_BLANK = b" \t\r\n\0\x0b\x0c"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAX_BLANK = 4096
# A PNG's signature is made to show such damage (PNG specification, 5.2); JPEG's begin is all above 7f.
_CONVERTED_MAGICS = (
    (b"\x89PNG\n\x1a\n", "its line ends were converted (CRLF to LF)"),
    (b"\x89PNG\r\r\n\x1a\r\n", "its line ends were converted (LF to CRLF)"),
    (b"\x89PNG\r\r\n\x1a\n", "its line ends were converted (LF to CRLF)"),
    (b"\x89PNG\r\n\x1a\r\n", "its line ends were converted (LF to CRLF)"),
    (b"\x89PNG\r\x1a\r", "its line ends were converted (CRLF to CR)"),
    (b"\xc2\x89PNG", "it was converted to UTF-8"),
    (b"\xe2\x80\xb0PNG", "it was converted to UTF-8"),
    (_REPLACEMENT + b"PNG", "it was converted to UTF-8"),
    (b"?PNG\r\n", "it was converted to ASCII"),
    (b"\tPNG\r\n", "its eighth bits were cut off"),
    (b"\xc3\xbf\xc3\x98\xc3\xbf", "it was converted to UTF-8"),
    (_REPLACEMENT * 3, "it was converted to UTF-8"),
    (b"???", "it was converted to ASCII"),
)
_HEAD_BYTES = 65_536  # has 256 line feeds, one of them behind a carriage return
_MIN_ENDS = 10  # so many in a row behind carriage returns are no chance: 1 in 256 is
_MIN_LETTERS = 8  # so many in valid UTF-8, of bytes that are any: 1 in 10^9
# One pair in 65,536 bytes is usual, and one line feed in 256: none in so many has a chance of 0.2 % (of a picture that
# cannot be decoded anyway), and of 1 in 10^10.
_MIN_BYTES_WITHOUT_CRLF, _CERTAIN_BYTES_WITHOUT_CRLF = 400_000, 1_500_000


def lfs_pointer(content: bytes) -> str | None:
    """A sentence where the content is only Git LFS's note of where the real one is."""
    if content.startswith(_LFS_POINTER):
        return "this is a Git LFS pointer, not the file itself; run `git lfs pull` and upload it again"
    return None


def mishap_before_the_picture(content: bytes) -> str | None:
    """What became of a file that begins as no picture does."""
    if said := lfs_pointer(content):
        return said
    if content.startswith(b"RIFF") and (said := conversion_of(content)):
        return said
    for magic, what in _CONVERTED_MAGICS:
        if content.startswith(magic):
            return _converted(what)
    for place in _ends_of_blank(content):
        found = detect_format(content[place:])
        if found is not None:
            return (
                f"{place} blank bytes stand before the {FORMATS[found].label}; whatever served or saved it adds them: "
                "remove them, or upload the original"
            )
    return None


def conversion_of(content: bytes, *, packed: bool = False) -> str | None:
    """How a file was converted as if it were text; None of a sound picture. Many a converted one can still be decoded,
    to noise. `packed`: its bytes look like chance, as those of JPEG, WebP, AVIF and HEIC do."""
    if packed and len(content) >= _CERTAIN_BYTES_WITHOUT_CRLF and _lost_carriage_returns(content):
        return _converted("its line ends were converted (CRLF to LF)")
    head = content[:_HEAD_BYTES]
    ends = head.count(b"\n")
    if ends == head.count(b"\r\n") and ends >= _MIN_ENDS:
        return _converted("its line ends were converted (LF to CRLF)")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    foreign = [letter for letter in text if letter > "\x7f"]
    if len(set(foreign)) >= _MIN_LETTERS or foreign.count("\ufffd") >= _MIN_LETTERS:
        return _converted("it was converted to UTF-8")
    return None


def mishap_inside_the_picture(content: bytes) -> str | None:
    """What became of a file that begins as a picture and cannot be decoded."""
    if len(content) >= _MIN_BYTES_WITHOUT_CRLF and _lost_carriage_returns(content):
        return _converted("its line ends were converted (CRLF to LF)")
    return None


def _lost_carriage_returns(content: bytes) -> bool:
    return b"\r\n" not in content and content.count(b"\n") > len(content) // 500


def _ends_of_blank(content: bytes) -> range:
    """Where a picture may begin behind blank bytes; some begin with such bytes themselves."""
    inner = content[:_MAX_BLANK].removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
    blank = min(len(content), _MAX_BLANK) - len(inner)
    return range(max(1, blank - 4), blank + 1)


def _converted(what: str) -> str:
    return f"the picture was damaged by a text conversion: {what}; transfer it as binary and upload it again"
