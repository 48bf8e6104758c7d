"""What a source image has to be, by its header, before anything is paid for."""

from __future__ import annotations

from function.imaging.decode import ImageInfo, inspect
from function.settings import Settings

MIN_SOURCE_SIDE_PX = 32  # smaller ones are icons and tracking pixels, not photographs: no model makes anything of them


def inspect_source(content: bytes, field: str, settings: Settings) -> ImageInfo:
    """Read a source's header. Raises UnsupportedSourceError, SourceTooLargeError, UnreadableSourceError, all naming
    `field`."""
    return inspect(
        content,
        field,
        max_pixels=settings.max_source_pixels,
        min_side_px=MIN_SOURCE_SIDE_PX,
        formats=settings.source_formats,
    )
