"""The name that a catalogue's row gives to its files: a word of one's own, or one made from its labels."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_BYTES = 128  # of a file; a folder, a suffix and the names of `outputs` stand around it
MAX_TEMPLATE_CHARS = 512
_LABEL = re.compile(r"\{labels\.([^{}]+)\}")
# What a file cannot be called on every system, and what tools of Cloud Storage take for a pattern.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|#\[\]{}]')


def file_name(template: str, labels: dict[str, str]) -> str:
    """`{labels.sku}-front` with the labels in it, composed (NFC) and without blanks around it.

    Raises ValueError for a label that is not there, and for what a file cannot be called.
    """

    def label(match: re.Match[str]) -> str:
        if match[1] not in labels:
            raise ValueError(f"there is no label {match[1]!r} to name it after")
        return labels[match[1]].strip()

    name = unicodedata.normalize("NFC", _LABEL.sub(label, template).strip())
    if bad := _FORBIDDEN.search(name):
        raise ValueError(f"{bad[0]!r} is not allowed in a file name")
    if not name or name.startswith(".") or name.endswith((".", " ")):
        raise ValueError("a file's name cannot be empty, begin with a dot, or end with one")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"it has more than {MAX_NAME_BYTES} bytes")
    return name
