"""What a person asked for of a pair after looking at it, as custom metadata of its manifest.

The tools write it together with the manifest's new generation; the function carries it out, and the sidecar says so.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

from function.sidecar.request import PersonRecord

ASKED_KEY = "review-asked"  # "redo" or "pick"
ASKED_BY_KEY, ASKED_AT_KEY = "review-asked-by", "review-asked-at"  # who, and when (ISO 8601)
REDONE_KEY = "review-redone"  # how often the pair was asked for again
PICK_KEY = "review-attempt"  # of a pick: the number of the attempt that becomes the result
# SHA-256 of the manifest as its uploader or its catalogue wrote it: what was uploaded before is no news.
UPLOADED_KEY = "review-uploaded-sha256"
MAX_NAME_CHARS = 200  # of who asked
MAX_NUMBER = 10_000

Asked = Literal["redo", "pick"]


def persons_request(metadata: dict[str, str]) -> PersonRecord | None:
    """What the manifest's metadata asks for; None where that is nothing, or nothing that the tools have written."""
    asked: Asked | None = next((one for one in get_args(Asked) if one == metadata.get(ASKED_KEY)), None)
    attempt = _number(metadata.get(PICK_KEY)) if asked == "pick" else None
    if asked is None or (asked == "pick" and not attempt):
        return None
    return PersonRecord(
        asked=asked,
        attempt=attempt,
        by=metadata.get(ASKED_BY_KEY, "")[:MAX_NAME_CHARS],
        at=metadata.get(ASKED_AT_KEY, ""),
        redone=times_redone(metadata),
    )


def times_redone(metadata: dict[str, str]) -> int:
    """How often people have asked for the pair to be made again."""
    return _number(metadata.get(REDONE_KEY)) or 0


def is_of(body: bytes, metadata: dict[str, str]) -> bool:
    """Whether a stored manifest with this metadata is what people have made of an uploaded one, `body`."""
    return metadata.get(UPLOADED_KEY) == hashlib.sha256(body).hexdigest()


def _number(text: str | None) -> int | None:
    is_number = text is not None and text.isascii() and text.isdigit() and int(text[:9]) <= MAX_NUMBER
    return int(text) if text is not None and is_number else None
