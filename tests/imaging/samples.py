"""Small pictures and ICC profiles made here, for the tests of this folder."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from tests.imaging.heif_files import heic, heic_grid

MAX_PIXELS = 1_000_000
WIDTH, HEIGHT = 48, 32


def photo(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 3) uint8: smooth colours with some grain; no two corners alike."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = np.stack([255 * x / width, 255 * y / height, 255 - 200 * x * y / (width * height)], axis=-1)
    grain = np.random.default_rng(7).normal(0, 4, ramps.shape)
    return np.clip(ramps + grain, 0, 255).astype(np.uint8)


def saved(image: Image.Image | np.ndarray, kind: str, **options) -> bytes:
    """A Pillow image or an array as a file of Pillow's format `kind`."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(array: np.ndarray, **options) -> bytes:
    """An array as a TIFF by tifffile, which writes kinds that Pillow does not."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def exif(orientation: int) -> bytes:
    """An EXIF block with that orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, depth: int, colour_type: int, rows: bytes, *before: bytes) -> bytes:
    """A PNG from its raw, unfiltered rows (each with its filter byte); `before` are chunks ahead of the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(before) + pixels + png_chunk(b"IEND", b"")


def png_with(content: bytes, chunk: bytes, *, before: bytes = b"IDAT") -> bytes:
    """`content` with one more chunk ahead of the first `before` chunk."""
    position = content.index(before) - 4
    return content[:position] + chunk + content[position:]


def real_files() -> dict[str, bytes]:
    """Files of every kind that is read, with the metadata that real ones carry."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "camera", zip=True)
    text.add_itxt("Comment", "grüße", zip=True)
    rgb = Image.fromarray(photo())
    rgba = rgb.copy()
    rgba.putalpha(Image.fromarray(photo()[..., 0]))
    metadata = {"exif": exif(6), "icc_profile": srgb_profile()}
    return {
        "png": saved(rgb, "PNG", pnginfo=text, **metadata),
        "png palette": saved(rgb.quantize(16), "PNG", transparency=3, **metadata),
        "png alpha": saved(rgba, "PNG"),
        "png grey 16": saved(Image.fromarray(photo()[..., 0].astype(np.uint16) * 257), "PNG"),
        "jpeg": saved(rgb, "JPEG", **metadata),
        "jpeg progressive": saved(rgb, "JPEG", progressive=True, subsampling=0),
        "jpeg cmyk": saved(rgb.convert("CMYK"), "JPEG", icc_profile=cmyk_profile()),
        "jpeg grey": saved(rgb.convert("L"), "JPEG", icc_profile=grey_profile(1.0)),
        "webp": saved(rgb, "WEBP", **metadata),
        "webp alpha": saved(rgba, "WEBP"),
        "webp lossless": saved(rgba, "WEBP", lossless=True),
        "webp animated": saved(rgb, "WEBP", save_all=True, append_images=[rgb.rotate(180)]),
        "avif": saved(rgb, "AVIF", **metadata),
        "avif alpha": saved(rgba, "AVIF", subsampling="4:4:4"),
        "heic": heic(),
        "heic alpha": heic("alpha"),
        "heic ten bits": heic("ten-bits"),
        "heic grid": heic_grid(2, 2, 120, 90),
        "tiff": saved(rgb, "TIFF", tiffinfo={274: 6}, icc_profile=srgb_profile()),
        "tiff lzw alpha": saved(rgba, "TIFF", compression="tiff_lzw"),
        "tiff jpeg": saved(rgb, "TIFF", compression="jpeg"),
        "tiff cmyk": saved(rgb.convert("CMYK"), "TIFF", compression="tiff_adobe_deflate", icc_profile=cmyk_profile()),
        "tiff 16": tiff(photo().astype(np.uint16) * 257, photometric="rgb", compression="zlib"),
        "tiff tiled": tiff(photo(), photometric="rgb", tile=(16, 16)),
        "png animated": saved(rgb, "PNG", save_all=True, append_images=[rgb.rotate(180)]),
    }


def srgb_profile() -> bytes:
    """LittleCMS's own sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def wide_profile() -> bytes:
    """Adobe RGB (1998): its primaries adapted to D50, gamma 563/256 (its specification, 4.3.1 and annex C)."""
    columns = {b"r": (0.60974, 0.31111, 0.01947), b"g": (0.20528, 0.62567, 0.06087), b"b": (0.14919, 0.06322, 0.74457)}
    tags = {kind + b"XYZ": _xyz(*column) for kind, column in columns.items()}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags | {kind + b"TRC": _gamma(563 / 256) for kind in columns})


def grey_profile(gamma: float) -> bytes:
    """Grey with a pure power for its tone curve."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma)})


def cmyk_profile() -> bytes:
    """CMYK to Lab, with a lightness that falls with every ink and no colour at all: nothing like Pillow's own."""
    grid = np.zeros((2, 2, 2, 2, 3), np.uint8)
    for c, m, y, k in np.ndindex(2, 2, 2, 2):
        grid[c, m, y, k] = max(0, 255 - 60 * (c + m + y) - 160 * k), 128, 128
    identity = b"".join(struct.pack(">i", 65536 * (i in (0, 4, 8))) for i in range(9))
    curve = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + curve * 4 + grid.tobytes() + curve * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})


def _profile(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile, version 2.4 (ICC.1:2001-04, clauses 6.1 and 6.2)."""
    tags = {**tags, b"wtpt": _xyz(0.9642, 1.0, 0.8249), b"desc": b"desc\0\0\0\0\0\0\0\5test\0" + b"\0" * 78}
    position, table, bodies = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        padded = body + b"\0" * (-len(body) % 4)
        table += name + struct.pack(">II", position, len(body))
        bodies, position = bodies + padded, position + len(padded)
    illuminant = struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D)
    header = struct.pack(">I4sI4s4s4s", position, b"test", 0x02400000, device, space, connection)
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + illuminant
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bodies


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(value * 65536) for value in (x, y, z)))


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(gamma * 256))
