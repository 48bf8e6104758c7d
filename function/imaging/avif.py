"""AVIF by Pillow's libavif: sizes first, then the picture."""

from __future__ import annotations

import io

from PIL import AvifImagePlugin

from function.imaging.heif import check_sizes, colour_code
from function.imaging.icc import profile_of_code
from function.imaging.opened import CheckSize, NotReadError, Opened


def open_avif(content: bytes, check_size: CheckSize) -> Opened:
    """Read the header. Raises NotReadError, ValueError and what Pillow raises at damaged data."""
    if content[8:12] == b"avis":
        raise NotReadError("this is an animated AVIF; save one frame of it as AVIF or PNG")
    check_sizes(content, "av01", check_size)
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(content))
    check_size(image.size)
    icc, notes = profile_of_code(colour_code(content))
    return Opened(image, image.info.get("exif"), icc=icc, notes=notes)
