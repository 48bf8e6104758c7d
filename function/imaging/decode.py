"""Untrusted PNG, JPEG and WebP bytes → 8-bit RGB(A) arrays.

Only the three decoders named here are reachable: their classes are used directly, not Pillow's registry.
Pixels are allocated after the declared size has been checked. Of an animation the first frame is taken.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from isal import isal_zlib
from PIL import Image, JpegImagePlugin, WebPImagePlugin

from function.errors import SourceTooLarge, SourceUnreadable
from function.imaging.formats import FORMATS, ReadFormat
from function.imaging.frame import Size
from function.imaging.icc import Use, convert_image, use_of
from function.imaging.inflate import PngFile
from function.imaging.png import read_chunks
from function.imaging.sniff import sniff

_ISAL_ERROR = cast("type[Exception]", isal_zlib.error)  # its stubs say an instance
# What the readers raise at damaged bytes; fuzzing (tests/test_fuzz.py) found no other.
_DAMAGE: tuple[type[Exception], ...] = (
    OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, struct.error, zlib.error, _ISAL_ERROR
)  # fmt: skip
# Pillow warns of damaged EXIF on stderr, where every line is a log entry; what matters of it is read or refused here.
warnings.filterwarnings("ignore", module=r"PIL\.")
_MAX_JPEG_SCANS = 100  # about 10 are usual; even an empty one costs a pass over the whole picture
_BAND_ROWS = 256  # copied at a time
_ORIENTATION_TAG = 0x0112  # EXIF 2.32, 4.6.4
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

    @property
    def mime_type(self) -> str:
        """The media type of the bytes, such as "image/png"."""
        return FORMATS[self.format].mime_type

    @property
    def decode_bytes(self) -> int:
        """Peak bytes of decoding the picture."""
        image_format = FORMATS[self.format]
        return math.prod(self.size) * (
            image_format.animated_decode_bytes if self.animated else image_format.decode_bytes
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


def inspect(content: bytes, field: str, *, max_pixels: int) -> ImageInfo:
    """Read the header; no pixel is decoded.

    Raises SourceUnsupported, SourceTooLarge or SourceUnreadable, with messages that begin with `field`.
    """
    return _open(content, field, max_pixels)[1]


def decode(
    content: bytes, field: str, *, max_pixels: int, flatten: bool = False, at_least: Size | None = None
) -> Pixels:
    """Decode to 8-bit RGB, or RGBA where there is transparency.

    Grey, palette, 16-bit and CMYK pictures become RGB; grey and CMYK with a profile of their own become sRGB.
    `flatten` lays transparency onto white. `at_least` (width, height as displayed) lets a JPEG be decoded at
    1/2, 1/4 or 1/8 of its size, no side falling below it; the other formats have no such shortcut.
    Raises SourceUnsupported, SourceTooLarge or SourceUnreadable, with messages that begin with `field`.
    """
    image, info = _open(content, field, max_pixels)
    try:
        if at_least is not None and info.format == "jpeg":
            image.draft(None, at_least if info.orientation < 5 else at_least[::-1])
        if info.format == "webp" and not info.animated:
            image = _still_webp(content, image)
        image.load()
        image, icc, notes = _as_rgb(image, info.icc)
        if flatten and image.mode == "RGBA":
            white = Image.new("RGB", image.size, "white")
            white.paste(image, mask=image.getchannel("A"))
            image = white
        if info.orientation in _TRANSPOSE:
            image = image.transpose(_TRANSPOSE[info.orientation])
    except _DAMAGE as error:
        raise _damaged(field, info.format, error) from None
    return Pixels(_as_array(image), icc, info, notes)


def _open(content: bytes, field: str, max_pixels: int) -> tuple[Image.Image, ImageInfo]:
    """The picture, not yet decoded, and what its header says."""
    kind = sniff(content, field)
    try:
        opener = {"png": _open_png, "jpeg": _open_jpeg, "webp": _open_webp}[kind]
        image, exif = opener(content, field, max_pixels)
    except _DAMAGE as error:
        raise _damaged(field, kind, error) from None
    orientation = _orientation(exif)
    width, height = image.size
    return image, ImageInfo(
        format=kind,
        size=(height, width) if orientation >= 5 else (width, height),
        orientation=orientation,
        has_alpha=image.has_transparency_data,
        lossless=kind == "png" or b"VP8L" in content[12:16],
        animated=getattr(image, "is_animated", False),
        icc=image.info.get("icc_profile") or None,
        jpeg_tables=_jpeg_tables(image),
    )


def _jpeg_tables(image: Image.Image) -> tuple[tuple[int, ...], ...]:
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return ()
    return tuple(tuple(table) for _, table in sorted(image.quantization.items()))


def _open_png(content: bytes, field: str, max_pixels: int) -> tuple[Image.Image, bytes | None]:
    # Pillow looks at no checksum of pixel data, and finds a late eXIf chunk only by decoding everything.
    chunks = {kind: data for kind, data in read_chunks(content) if kind in (b"IHDR", b"eXIf")}
    _check_pixels(struct.unpack_from(">II", chunks[b"IHDR"]), field, max_pixels)
    exif = chunks.get(b"eXIf")
    return PngFile(io.BytesIO(content)), None if exif is None else bytes(exif)


def _open_jpeg(content: bytes, field: str, max_pixels: int) -> tuple[Image.Image, bytes | None]:
    if content.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise ValueError(f"it has more than {_MAX_JPEG_SCANS} scans")
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(content))
    _check_pixels(image.size, field, max_pixels)
    return image, image.info.get("exif")


def _open_webp(content: bytes, field: str, max_pixels: int) -> tuple[Image.Image, bytes | None]:
    # Creating the decoder allocates the canvas, so its size is read first.
    _check_pixels(_webp_canvas_size(content), field, max_pixels)
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(content))
    return image, image.info.get("exif")


def _still_webp(content: bytes, header: Image.Image) -> Image.Image:
    """The picture by OpenCV: Pillow's decoder, made for animations, has two canvases of 4 bytes a pixel besides.

    Raises ValueError at damaged data.
    """
    flags = cv2.IMREAD_UNCHANGED if header.mode == "RGBA" else cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if pixels is None or pixels.shape != (header.height, header.width, len(header.mode)):
        raise ValueError("its pixel data is damaged")
    if header.mode == "RGBA":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
    return Image.fromarray(pixels)


def _webp_canvas_size(content: bytes) -> Size:
    """Width and height from the first chunk (https://developers.google.com/speed/webp/docs/riff_container)."""
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise ValueError("its first chunk is none that WebP knows")


def _check_pixels(size: Size, field: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise SourceTooLarge(
            f"{field}: {width} x {height} are {width * height:,} pixels; "
            f"{max_pixels:,} are allowed (MAX_SOURCE_PIXELS)",
            field=field,
        )


def _orientation(exif: bytes | None) -> int:
    """EXIF orientation, 1..8; 1 (upright) where it is absent, damaged or out of range."""
    if not exif:
        return 1
    tags = Image.Exif()
    try:
        tags.load(exif)
        orientation = tags.get(_ORIENTATION_TAG, 1)
    except _DAMAGE:
        return 1
    return orientation if orientation in range(1, 9) else 1


def _as_rgb(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, bytes | None, tuple[str, ...]]:
    """A decoded picture as RGB or RGBA, the RGB profile it is in (None: sRGB), and what was passed over."""
    transparent = image.has_transparency_data
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    colours = "CMYK" if image.mode == "CMYK" else "L" if image.mode in ("1", "L", "LA") else "RGB"
    use = Use.NONE if icc is None else use_of(icc, colours)
    if use is Use.FROM_ONLY or (use is Use.BOTH_WAYS and colours != "RGB"):
        alpha = image.convert("RGBA").getchannel("A") if transparent else None
        image = convert_image(image.convert(colours), icc, None)
        if alpha is not None:
            image.putalpha(alpha)
        return image, None, ()
    wanted = "RGBA" if transparent else "RGB"
    if image.mode != wanted:  # Pillow would copy it all the same
        image = image.convert(wanted)
    # A grey picture may come with a profile for RGB: its equal channels mean what that profile says.
    if use is Use.BOTH_WAYS or (icc is not None and colours == "L" and use_of(icc, "RGB") is Use.BOTH_WAYS):
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


def _damaged(field: str, kind: ReadFormat, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(f"{field}: this {FORMATS[kind].label} cannot be decoded: {error}", field=field)
