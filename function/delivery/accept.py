"""What a caller accepts (RFC 9110, 12.5.1) → the form of the answer, and the picture's format."""

from __future__ import annotations

from werkzeug.datastructures import MIMEAccept

from function.imaging.formats import FORMATS, WriteFormat

# In this order where a caller likes several as much; the scene's own format comes before all of them.
OFFERED: tuple[WriteFormat, ...] = ("png", "jpeg", "webp", "avif")
MIME_TYPES = tuple(FORMATS[name].mime_type for name in OFFERED)
JSON = "application/json"


class NotAcceptableError(Exception):
    """The answer would be nothing that the caller accepts; the message says what there is."""


def wants_picture(accepted: MIMEAccept) -> bool:
    """Whether the answer is the picture itself: only where pictures are named, and liked at least as much as JSON.

    Raises NotAcceptableError when all that is named are pictures that are not written.
    """
    named = [(name.lower(), quality) for name, quality in accepted if name.lower().startswith("image/") and quality > 0]
    best = max((quality for name, quality in named if name in ("image/*", *MIME_TYPES)), default=0)
    json_quality = accepted.quality(JSON)
    if named and not best and not json_quality:
        raise NotAcceptableError(f"{accepted.to_header()} is not written; {', '.join(MIME_TYPES)} and {JSON} are")
    return best > 0 and best >= json_quality


def picture_format(accepted: MIMEAccept, stated: WriteFormat | None, own: WriteFormat | None) -> WriteFormat | None:
    """The format of the picture that is the answer; None: as without a wish.

    `stated` is the manifest's, `own` what the scene's would be, where that is known. Raises NotAcceptableError when the
    manifest asks for what the caller does not accept.
    """
    qualities = {name: accepted.quality(FORMATS[name].mime_type) for name in OFFERED}
    if stated:
        if not qualities[stated]:
            raise NotAcceptableError(f"output.format is {stated}, which Accept does not include")
        return stated
    best = max(qualities.values())
    # What stands in for a scene's own format, where that cannot hold the picture, is a JPEG.
    if own and qualities[own] == best and qualities["jpeg"]:
        return None
    liked = [name for name in OFFERED if qualities[name] == best]
    return own if own in liked else liked[0]
