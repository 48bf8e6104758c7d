"""Untrusted picture bytes → 8-bit RGB(A) arrays.

Only the decoders of formats.py are reachable: their classes are used directly, not Pillow's registry.
Pixels are allocated after the declared size has been checked. Of an animation the first frame is taken.
"""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from PIL import Image, JpegImagePlugin

from function.errors import SourceTooLargeError, UnreadableSourceError, UnsupportedSourceError
from function.imaging.exif import read_exif
from function.imaging.formats import FORMATS, ReadFormat
from function.imaging.frame import Size
from function.imaging.icc import ProfileSupport, adobe_rgb, convert_image, printing_inks, problem_with, profile_support
from function.imaging.inflate import ISAL_ERROR, open_png
from function.imaging.jpeg import open_jpeg
from function.imaging.mishaps import conversion_of, mishap_inside_the_picture
from function.imaging.opened import CheckSize, NotReadError, Opened
from function.imaging.sniff import sniff
from function.imaging.webp import open_webp

# What the readers raise at damaged bytes; fuzzing (tests/test_fuzz.py) found no other.
_DAMAGE: tuple[type[Exception], ...] = (
    OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, RuntimeError, struct.error, zlib.error,
    ISAL_ERROR,
)  # fmt: skip
# Pillow warns of damaged EXIF on stderr, where every line is a log entry; what matters of it is read or refused here.
warnings.filterwarnings("ignore", module=r"PIL\.")
_BAND_ROWS = 256  # copied at a time
NO_INKS_NOTE = "it is CMYK without a usable profile; its inks were taken for coated paper (SWOP)"
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class ImageInfo:
    """What a picture's header says. `size` is (width, height) as displayed, after EXIF orientation."""

    format: ReadFormat
    size: Size
    orientation: int  # EXIF, 1..8
    has_alpha: bool
    lossless: bool
    animated: bool
    icc: bytes | None  # as embedded, whatever it is for
    jpeg_tables: tuple[tuple[int, ...], ...] = ()  # quantisation, as Pillow orders it: brightness, colour
    extra_bytes: int = 0  # that decoding takes besides the format's bytes a pixel

    @property
    def mime_type(self) -> str:
        """The media type of the bytes, such as "image/png"."""
        return FORMATS[self.format].mime_type

    @property
    def decode_bytes(self) -> int:
        """Peak bytes of decoding the picture."""
        image_format = FORMATS[self.format]
        return (
            math.prod(self.size) * (image_format.animated_decode_bytes if self.animated else image_format.decode_bytes)
            + self.extra_bytes
        )


@dataclass(frozen=True)
class Pixels:
    """A decoded picture.

    array: (height, width, 3 or 4) uint8 RGB or RGBA, read-only. icc: the RGB profile its numbers are in, None
    for sRGB. notes: what was passed over on the way, for people.
    """

    array: np.ndarray
    icc: bytes | None
    info: ImageInfo
    notes: tuple[str, ...] = ()


def inspect(
    content: bytes,
    field: str,
    *,
    max_pixels: int,
    min_side_px: int = 1,
    formats: Collection[ReadFormat] = tuple(FORMATS),
) -> ImageInfo:
    """Read the header; no pixel is decoded. The file has to be in one of `formats`.

    Raises UnsupportedSourceError (a picture with a side below `min_side_px` too), SourceTooLargeError or
    UnreadableSourceError, with messages that begin with `field`.
    """
    info = _open(content, field, max_pixels, formats)[1]
    width, height = info.size
    if min(width, height) < min_side_px:
        raise UnsupportedSourceError(
            f"{field}: {width} x {height} pixels are too few for a picture; {min_side_px} a side are the least",
            field=field,
        )
    return info


def decode(
    content: bytes, field: str, *, max_pixels: int, flatten: bool = False, at_least: Size | None = None
) -> Pixels:
    """Decode to 8-bit RGB, or RGBA where there is transparency.

    Grey, palette, 16-bit and CMYK pictures become RGB; grey and CMYK with a profile of their own become sRGB, CMYK
    without one by a profile of usual inks.
    `flatten` lays transparency onto white. `at_least` (width, height as displayed) lets a JPEG be decoded at
    1/2, 1/4 or 1/8 of its size, no side falling below it; the other formats have no such shortcut.
    Raises UnsupportedSourceError, SourceTooLargeError or UnreadableSourceError, with messages that begin with `field`.
    """
    opened, info = _open(content, field, max_pixels)
    try:
        if at_least is not None and info.format == "jpeg":
            opened.image.draft(None, at_least if info.orientation < 5 else at_least[::-1])
        image, icc, colours, notes = opened.load(), opened.icc or info.icc, opened.colours, opened.notes
        del opened  # its pixels would stay beside those that are made of them
        image, icc, more_notes = _as_rgb(image, icc, colours)
        if flatten and image.mode == "RGBA":
            white = Image.new("RGB", image.size, "white")
            white.paste(image, mask=image.getchannel("A"))
            image = white
        if info.orientation in _TRANSPOSE:
            image = image.transpose(_TRANSPOSE[info.orientation])
    except _DAMAGE as error:
        raise _damaged(content, field, info.format, error) from None
    return Pixels(_as_array(image), icc, info, (*notes, *more_notes))


def _open(
    content: bytes, field: str, max_pixels: int, formats: Collection[ReadFormat] = tuple(FORMATS)
) -> tuple[Opened, ImageInfo]:
    """The picture, not yet decoded, and what its header says."""
    kind = sniff(content, field, formats)
    if converted := conversion_of(content, packed=kind not in ("png", "tiff")):
        raise UnreadableSourceError(f"{field}: {converted}", field=field)
    try:
        opened = _open_as(kind, content, lambda size: _check_pixels(size, field, max_pixels))
    except NotReadError as error:
        raise UnsupportedSourceError(f"{field}: {error}", field=field) from None
    except _DAMAGE as error:
        raise _damaged(content, field, kind, error) from None
    image, tags = opened.image, read_exif(opened.exif)
    orientation = tags.orientation
    width, height = image.size
    icc = image.info.pop("icc_profile", None) or None
    if icc is not None and (problem := problem_with(icc)):
        opened, icc = replace(opened, notes=(*opened.notes, f"its ICC profile was left out: it {problem}")), None
    elif icc is None and opened.icc is None and image.mode in ("RGB", "RGBA") and tags.is_adobe_rgb:
        opened = replace(opened, icc=adobe_rgb())
    return opened, ImageInfo(
        format=kind,
        size=(height, width) if orientation >= 5 else (width, height),
        orientation=orientation,
        has_alpha=image.has_transparency_data,
        lossless=opened.lossless,
        animated=opened.animated,
        icc=icc,
        jpeg_tables=_jpeg_tables(image),
        extra_bytes=opened.extra_bytes,
    )


def _open_as(kind: ReadFormat, content: bytes, check_size: CheckSize) -> Opened:
    """The rarer formats' readers are imported when such a picture comes: the first pair waits for what is imported."""
    match kind:
        case "png":
            return open_png(content, check_size)
        case "jpeg":
            return open_jpeg(content, check_size)
        case "webp":
            return open_webp(content, check_size)
        case "avif":
            from function.imaging.avif import open_avif  # noqa: PLC0415

            return open_avif(content, check_size)
        case "heic":
            from function.imaging.heic import open_heic  # noqa: PLC0415

            return open_heic(content, check_size)
        case "tiff":
            from function.imaging.tiff import open_tiff  # noqa: PLC0415

            return open_tiff(content, check_size)
    assert_never(kind)


def _jpeg_tables(image: Image.Image) -> tuple[tuple[int, ...], ...]:
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return ()
    return tuple(tuple(table) for _, table in sorted(image.quantization.items()))


def _check_pixels(size: Size, field: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise SourceTooLargeError(
            f"{field}: {width} x {height} are {width * height:,} pixels; "
            f"{max_pixels:,} are allowed (MAX_SOURCE_PIXELS)",
            field=field,
        )


def _as_rgb(
    image: Image.Image, icc: bytes | None, colours: str | None
) -> tuple[Image.Image, bytes | None, tuple[str, ...]]:
    """A decoded picture as RGB or RGBA, the RGB profile it is in (None: sRGB), and what was passed over.

    `colours` are those that its profile has to be for ("RGB", "L" or "CMYK"); None where its mode says it."""
    transparent = image.has_transparency_data
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if colours is None:
        colours = "CMYK" if image.mode == "CMYK" else "L" if image.mode in ("1", "L", "LA") else "RGB"
    use = ProfileSupport.NONE if icc is None else profile_support(icc, colours)
    notes: tuple[str, ...] = ()
    if colours == "CMYK" and use is ProfileSupport.NONE:
        icc, use, notes = printing_inks(), ProfileSupport.BIDIRECTIONAL, (NO_INKS_NOTE,)
    if use is ProfileSupport.INPUT_ONLY or (use is ProfileSupport.BIDIRECTIONAL and colours != "RGB"):
        alpha = image.convert("RGBA").getchannel("A") if transparent else None
        image = convert_image(image if image.mode == colours else image.convert(colours), icc, None)
        if alpha is not None:
            image.putalpha(alpha)
        return image, None, notes
    wanted = "RGBA" if transparent else "RGB"
    if image.mode == "La":  # Pillow has no way from here to RGBA
        image = image.convert("LA")
    if image.mode != wanted:  # Pillow would copy it all the same
        image = image.convert(wanted)
    # A grey picture may come with a profile for RGB: its equal channels mean what that profile says.
    if use is ProfileSupport.BIDIRECTIONAL or (
        icc is not None and colours == "L" and profile_support(icc, "RGB") is ProfileSupport.BIDIRECTIONAL
    ):
        return image, icc, ()
    return image, None, () if icc is None else ("its ICC profile cannot be used and was left out",)


def _as_array(image: Image.Image) -> np.ndarray:
    """An RGB or RGBA picture as a read-only array, in bands: in one go the pixels would be in memory three times."""
    width, height = image.size
    array = np.empty((height, width, len(image.getbands())), np.uint8)
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        array[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    array.flags.writeable = False
    return array


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey → 8-bit grey, with alpha where one level is declared transparent."""
    levels = np.asarray(image)
    grey = Image.fromarray((levels >> 8).astype(np.uint8))
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))
    return grey


def _damaged(content: bytes, field: str, kind: ReadFormat, error: Exception) -> UnreadableSourceError:
    why = mishap_inside_the_picture(content) or error
    return UnreadableSourceError(f"{field}: this {FORMATS[kind].label} cannot be decoded: {why}", field=field)
