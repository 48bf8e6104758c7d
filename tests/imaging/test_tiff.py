"""TIFF as studios save it: every depth, colour, byte order and packing that is read, and what is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from function.errors import SourceTooLargeError, UnreadableSourceError
from function.imaging.decode import decode, inspect
from tests.imaging.samples import MAX_PIXELS, cmyk_profile, grey_profile, photo, saved, tiff, wide_profile

SIXTEEN = photo().astype(np.uint16) * 257
RGBA = np.dstack([photo(), photo()[..., 1]])
KINDS = {
    "rgb": ({"photometric": "rgb"}, photo()),
    "rgb, big-endian": ({"photometric": "rgb", "byteorder": ">"}, photo()),
    "rgb 16": ({"photometric": "rgb"}, SIXTEEN),
    "rgb 16, big-endian": ({"photometric": "rgb", "byteorder": ">"}, SIXTEEN),
    "rgb 16, deflate": ({"photometric": "rgb", "compression": "zlib"}, SIXTEEN),
    "rgb, predictor": ({"photometric": "rgb", "compression": "zlib", "predictor": True}, photo()),
    "rgb, tiles": ({"photometric": "rgb", "tile": (32, 16)}, photo()),
    "rgba": ({"photometric": "rgb", "extrasamples": ["unassalpha"]}, RGBA),
    "rgba 16": ({"photometric": "rgb", "extrasamples": ["unassalpha"]}, RGBA.astype(np.uint16) * 257),
    "grey": ({"photometric": "minisblack"}, photo()[..., 0]),
    "grey 16": ({"photometric": "minisblack"}, SIXTEEN[..., 0]),
    "rgb, one strip": ({"photometric": "rgb", "rowsperstrip": 10_000}, photo()),
}


def decoded(content: bytes):
    return decode(content, "scene", max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_shows_what_was_written(name):
    options, array = KINDS[name]
    pixels = decoded(tiff(array, **options))
    preferred = array if array.dtype == np.uint8 else (array >> 8).astype(np.uint8)
    preferred = preferred if preferred.ndim == 3 else np.dstack([preferred] * 3)
    assert np.array_equal(pixels.array, preferred)
    assert pixels.info.lossless


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_every_packing_is_read(compression):
    pixels = decoded(saved(photo(), "TIFF", compression=compression))
    assert np.abs(pixels.array.astype(int) - photo()).mean() < (4 if compression == "jpeg" else 0.01)
    assert pixels.info.lossless == (compression != "jpeg")


def test_of_several_pages_the_first_is_taken():
    pixels = decoded(tiff(np.stack([photo(), 255 - photo()]), photometric="rgb"))
    assert np.array_equal(pixels.array, photo())
    assert not pixels.info.animated


@pytest.mark.parametrize("wide", [False, True])
def test_cmyk_is_converted_by_its_profile(wide):
    inks = np.zeros((8, 8, 4), np.uint16 if wide else np.uint8)
    inks[..., 0] = np.iinfo(inks.dtype).max
    pixels = decoded(tiff(inks, photometric="separated", iccprofile=cmyk_profile()))
    assert np.ptp(pixels.array[4, 4]) <= 2  # its cyan is a grey
    assert pixels.icc is None


def test_profiles_are_kept_or_applied():
    assert decoded(tiff(SIXTEEN, photometric="rgb", iccprofile=wide_profile())).icc == wide_profile()
    grey = decoded(tiff(np.full((8, 8), 128 * 257, np.uint16), iccprofile=grey_profile(1.0)))
    assert grey.array[0, 0].tolist() == pytest.approx([188] * 3, abs=1)


def test_white_as_zero():
    assert np.array_equal(decoded(tiff(photo()[..., 0], photometric="miniswhite")).array[..., 0], 255 - photo()[..., 0])


def entry_at(content: bytes, tag: int) -> int:
    """Where a tag's entry stands in a little-endian file."""
    start = struct.unpack_from("<I", content, 4)[0]
    places = range(start + 2, start + 2 + 12 * struct.unpack_from("<H", content, start)[0], 12)
    return next(place for place in places if struct.unpack_from("<H", content, place)[0] == tag)


def with_value(content: bytes, tag: int, value: int, *, kind: int = 4) -> bytes:
    """The file with one number in a tag's place."""
    place = entry_at(content, tag)
    return content[: place + 2] + struct.pack("<HII", kind, 1, value) + content[place + 12 :]


@pytest.mark.parametrize(
    ("tag", "value", "error"),
    [
        (256, 100_000, SourceTooLargeError),  # width
        (257, 2**32 - 1, SourceTooLargeError),  # height
        (256, 0, UnreadableSourceError),
        (273, 2**31, UnreadableSourceError),  # where the strip is
        (279, 2**31, UnreadableSourceError),  # how long it is
        (277, 50_000, Exception),  # channels
        (322, 2**31, UnreadableSourceError),  # tile width
        (324, 5, UnreadableSourceError),  # one tile of six
    ],
)
def test_a_directory_that_lies_is_refused(tag, value, error):
    tiled = tag in (322, 324)
    content = with_value(tiff(photo(), photometric="rgb", tile=(16, 16) if tiled else None), tag, value)
    with pytest.raises(error) as raised:
        decoded(content)
    assert raised.value.message.startswith("scene: ")


def test_a_directory_that_leads_back_to_itself_ends():
    """Pages behind the first are not looked for."""
    content = bytearray(tiff(photo(), photometric="rgb"))
    start = struct.unpack_from("<I", content, 4)[0]
    place = start + 2 + 12 * struct.unpack_from("<H", content, start)[0]
    struct.pack_into("<I", content, place, start)
    assert np.array_equal(decoded(bytes(content)).array, photo())


def test_memory_is_planned_for_a_picture_in_one_strip():
    """libtiff unpacks a strip as a whole."""
    rows = {count: inspect(tiff(SIXTEEN, photometric="rgb", rowsperstrip=count), "scene", max_pixels=MAX_PIXELS)
            for count in (8, 32)}  # fmt: skip
    assert rows[32].decode_bytes - rows[8].decode_bytes == 48 * 24 * 6


def test_a_jpeg_of_countless_scans_inside_a_tiff_is_refused():
    content = saved(Image.fromarray(photo()), "TIFF", compression="jpeg")
    start, length = (struct.unpack_from("<I", content, entry_at(content, tag) + 8)[0] for tag in (273, 279))
    strip = content[start : start + length]
    scan = strip[strip.rindex(b"\xff\xda") : strip.rindex(b"\xff\xd9")]
    many = strip[:-2] + scan * 200 + strip[-2:]
    hostile = with_value(with_value(content, 273, len(content)), 279, len(many)) + many
    with pytest.raises(UnreadableSourceError, match="scans"):
        decoded(hostile)
