"""HEIC by pi-heif: sizes first, then the picture."""

from __future__ import annotations

import io

from PIL import Image

from function.imaging.heif import check_sizes, colour_code
from function.imaging.icc import profile_of_code
from function.imaging.opened import CheckSize, NotReadError, Opened

_SEQUENCES = (b"hevc", b"hevx", b"msf1")


def open_heic(content: bytes, check_size: CheckSize) -> Opened:
    """Read the header. Raises NotReadError, ValueError and what pi-heif raises at damaged data."""
    if content[8:12] in _SEQUENCES:
        raise NotReadError("this is a HEIF sequence; save one picture of it as HEIC or JPEG")
    check_sizes(content, "hvc1", check_size)
    # Imported when such a picture comes: the function starts without it.
    from pi_heif.as_plugin import HeifImageFile  # noqa: PLC0415

    image = HeifImageFile(io.BytesIO(content))
    check_size(image.size)
    icc, notes = profile_of_code(colour_code(content))
    return Opened(image, icc=icc, notes=notes, finish=lambda: _loaded(image))


def _loaded(image: Image.Image) -> Image.Image:
    """The picture, turned as the container says; EXIF's orientation is only a remark there (23008-12, annex A)."""
    size = image.size
    image.load()
    if image.size != size:
        raise ValueError("its code has another size than the file says")
    return image
