"""The result as PNG, JPEG, WebP or AVIF, with its colour profile and its provenance."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from function.imaging.decode import ImageInfo
from function.imaging.formats import WriteFormat, writing_of
from function.imaging.png import write_png
from function.imaging.xmp import xmp_packet

JPEG_QUALITY = 92  # no visible loss on label edges; 48 dB on a rendered 4K scene
WEBP_QUALITY = 90  # WebP's scale is stricter: about JPEG 92's quality
AVIF_QUALITY = 85  # 48 dB on a photographed scene, as the others
_AVIF_THREADS = 2  # as many as the PNG writer has
_AVIF_SPEED = 9  # of 0..10: a second for 24 megapixels and 26 bytes a pixel; 8 takes 1.7 s and 34 for 0.1 dB less
_WEBP_METHOD = 2  # of 0..6: half the time of the default 4 for 3 % more bytes


def encode(
    rgb: np.ndarray,
    kind: WriteFormat,
    *,
    quality: int | None = None,
    icc: bytes | None = None,
    like: ImageInfo | None = None,
    xmp: str | None = None,
) -> bytes:
    """Encode (H, W, 3) uint8 RGB with `icc` embedded and the XMP packet that says it is a composite, or another.

    `quality` 1..100 is for JPEG, WebP and AVIF. Without it the scene (`like`) loses little of what it has:
    a JPEG is quantised as finely as the scene's, and at least as JPEG_QUALITY does; a WebP is lossless if the
    scene is a lossless one, else of WEBP_QUALITY.
    Raises ValueError when a side is longer than the format allows, or the pixels are more (`Writing`).
    """
    height, width = rgb.shape[:2]
    if problem := writing_of(kind).problem_with((width, height)):
        raise ValueError(f"{width} x {height} does not fit into {kind}, {problem}")
    xmp = xmp or xmp_packet()
    if kind == "png":
        return write_png(rgb, icc=icc, xmp=xmp)
    image, buffer = Image.fromarray(rgb), io.BytesIO()
    metadata = {"icc_profile": icc or b"", "xmp": xmp.encode()}
    if kind == "jpeg":
        # Colour at full resolution (4:4:4): half of it would smear coloured lettering.
        image.save(buffer, "JPEG", **_jpeg_tables(quality, like), subsampling=0, **metadata)
    elif kind == "avif":
        image.save(
            buffer, "AVIF", quality=quality or AVIF_QUALITY, speed=_AVIF_SPEED, subsampling="4:4:4",
            max_threads=_AVIF_THREADS, **metadata,
        )  # fmt: skip
    elif quality is None and like is not None and like.format == "webp" and like.lossless:
        image.save(buffer, "WEBP", lossless=True, quality=0, method=0, **metadata)
    else:
        image.save(buffer, "WEBP", quality=quality or WEBP_QUALITY, method=_WEBP_METHOD, **metadata)
    return buffer.getvalue()


def _jpeg_tables(quality: int | None, like: ImageInfo | None) -> dict[str, Any]:
    """Pillow's arguments for the quantisation tables.

    With tables as fine as the scene's, its unchanged blocks come out nearly as they went in.
    """
    if quality is not None or like is None or not like.jpeg_tables:
        return {"quality": quality or JPEG_QUALITY}
    default = io.BytesIO()
    Image.new("RGB", (1, 1)).save(default, "JPEG", quality=JPEG_QUALITY)
    default.seek(0)
    ours = tuple(JpegImagePlugin.JpegImageFile(default).quantization.values())
    theirs = like.jpeg_tables[:2] if len(like.jpeg_tables) > 1 else (like.jpeg_tables[0], ours[1])
    return {"qtables": [np.minimum(a, b).tolist() for a, b in zip(ours, theirs, strict=True)]}
