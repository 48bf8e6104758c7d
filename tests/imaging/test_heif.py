"""AVIF and HEIC containers: how they are turned and coloured, and every size in them looked at before it is taken."""

from __future__ import annotations

import struct
import subprocess
import sys

import numpy as np
import pytest

from function.errors import CompositeError, SourceTooLargeError, UnreadableSourceError
from function.imaging.coded_size import av1_units, hevc_size
from function.imaging.decode import decode, inspect
from function.imaging.icc import to_srgb
from tests.imaging.heif_files import (
    Item,
    box,
    coded_picture,
    container,
    full,
    grid,
    heic,
    heic_grid,
    heic_with,
    ispe,
    nclx,
)
from tests.imaging.samples import MAX_PIXELS, photo, saved


def decoded(content: bytes):
    return decode(content, "scene", max_pixels=MAX_PIXELS)


def ramp(width: int, height: int) -> np.ndarray:
    """What the shipped files show."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([255 * x / width, 255 * y / height, 255 - 200 * x * y / (width * height)], axis=-1)


@pytest.mark.parametrize(("name", "size"), [("plain", (64, 64)), ("alpha", (64, 48)), ("ten-bits", (64, 48))])
def test_a_heic_shows_what_was_encoded(name, size):
    pixels = decoded(heic(name))
    assert pixels.info.size == size
    assert pixels.info.has_alpha == (name == "alpha")
    assert np.abs(pixels.array[..., :3] - ramp(*size)).mean() < 6
    if name == "alpha":
        assert np.abs(pixels.array[..., 3] - ramp(*size)[..., 0]).mean() < 6


def test_a_heic_of_tiles_is_put_together():
    """As phones store it; the tiles overhang."""
    pixels = decoded(heic_grid(2, 3, 180, 90))
    tile = decoded(heic()).array
    assert np.array_equal(pixels.array, np.tile(tile, (2, 3, 1))[:90, :180])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_heic_is_turned_as_the_container_says(quarters):
    pixels = decoded(heic_with(box("irot", bytes([quarters]))))
    assert np.array_equal(pixels.array, np.rot90(decoded(heic()).array, quarters))


def test_colours_told_by_numbers_become_a_profile():
    pixels = decoded(heic_with(nclx(12, 13)))  # Display P3, as newer phones say it
    red = to_srgb(np.full((1, 1, 3), (200, 80, 80), np.uint8), pixels.icc)[0, 0]
    assert red[0] > 205 and red[1] < 78  # P3's red is stronger
    assert decoded(heic_with(nclx(1, 13))).icc is None
    assert "HDR" in decoded(heic_with(nclx(9, 16))).notes[0]


def sequence_parameters(width: int, height: int) -> bytes:
    """An HEVC sequence parameter set as far as its size (H.265, 7.3.2.2)."""

    def golomb(value: int) -> str:
        return f"{value + 1:b}".zfill(2 * len(f"{value + 1:b}") - 1)

    bits = "0000" + "000" + "1" + "1" * 96 + golomb(0) + golomb(1) + golomb(width) + golomb(height) + "1" * 40
    bits = bits[: len(bits) // 8 * 8]
    return b"\x42\x01" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def sequence_header(width: int, height: int, *, still: bool) -> bytes:
    """An AV1 sequence header as far as its size (AV1, 5.5.1), with and without what moving pictures have."""
    bits = "000" + ("11" + "00000" if still else "00" + "0" + "0" + "00000" + "0" * 12 + "00000")
    bits += "1111" + "1111" + f"{width - 1:016b}" + f"{height - 1:016b}" + "0" * 40
    bits = bits[: len(bits) // 8 * 8]
    body = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return bytes([0x0A, len(body)]) + body


def test_sizes_are_read_from_the_code():
    assert hevc_size(sequence_parameters(5000, 321)) == (5000, 321)
    assert hevc_size(b"\x40\x01" + b"\0" * 20) is None
    for still in (True, False):
        assert list(av1_units(memoryview(sequence_header(5000, 321, still=still)))) == [((5000, 321), False)]
    data = coded_picture(saved(photo(300, 200), "AVIF"), "av01", width=300, height=200).data
    assert ((300, 200), False) in list(av1_units(memoryview(data)))


def hevc_configuration(unit: bytes) -> bytes:
    """The property with one parameter set."""
    return box("hvcC", b"\1" + b"\0" * 20 + b"\3\1", bytes([33]), struct.pack(">HH", 1, len(unit)), unit)


PLAIN = coded_picture(heic(), "hvc1", width=64, height=64)
FLAT = coded_picture(saved(np.full((6000, 6000, 3), 9, np.uint8), "AVIF"), "av01", width=64, height=64)
SPS = sequence_parameters(60_000, 60_000)
TOO_LARGE = {
    "an item's size": container([Item("hvc1", PLAIN.data, [PLAIN.properties[0], ispe(60_000, 60_000)])]),
    "another item's size": container([PLAIN, Item("hvc1", PLAIN.data, [PLAIN.properties[0], ispe(60_000, 60_000)])]),
    "a grid's size": heic_grid(1, 1, 60_000, 60_000),
    "a grid's size in its bytes": container([Item("grid", grid(1, 1, 60_000, 60_000), [ispe(64, 64)], [2]), PLAIN]),
    "tiles without end": container([Item("grid", grid(200, 200, 64, 64), [ispe(64, 64)], [2] * 40_000), PLAIN]),
    "HEVC's configuration": container([Item("hvc1", PLAIN.data, [hevc_configuration(SPS), ispe(64, 64)])]),
    "HEVC's code": container(
        [Item("hvc1", struct.pack(">I", len(SPS)) + SPS + PLAIN.data, PLAIN.properties)]
    ),
    "AV1's code": container([FLAT], brand="avif"),
    "AV1's configuration": container(
        [Item("av01", b"", [box("av1C", b"\x81\0\0\0", sequence_header(60_000, 9_000, still=False)), ispe(64, 64)])],
        brand="avif",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_size_that_is_too_large_is_found_wherever_it_stands(name):
    with pytest.raises(SourceTooLargeError, match=r"scene: .*MAX_SOURCE_PIXELS"):
        inspect(TOO_LARGE[name], "scene", max_pixels=MAX_PIXELS)


def cut_meta(content: bytes) -> bytes:
    """A directory that is said to be longer than the file."""
    place = content.index(b"meta") - 4
    return content[:place] + b"\x7f\xff\xff\xff" + content[place + 4 :]


CIRCLE = container([Item("grid", grid(1, 1, 64, 64), [ispe(64, 64)], [1])])
DAMAGED = {
    "no directory": heic()[:28],
    "a directory beyond the end": cut_meta(heic()),
    "two directories": heic() + full("meta"),
    "two lists of items": container([PLAIN], extra=full("iinf", b"\0\0")),
    "a grid of itself": CIRCLE,
    "a grid without its tiles": container([Item("grid", grid(3, 3, 64, 64), [ispe(64, 64)], [2]), PLAIN]),
    "an overlay": container([PLAIN, Item("iovl", b"\0" * 40, [])]),
    "raw pixels": container([Item("unci", b"\0" * 40, [ispe(64, 64)])]),
    "AV1 in a HEIC": container([FLAT], brand="heic"),
    "a length of one byte": container(
        [Item("hvc1", PLAIN.data, [box("hvcC", b"\1" + b"\0" * 20 + b"\0\0"), ispe(64, 64)])]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_container_that_does_not_fit_together_is_refused(name):
    with pytest.raises(UnreadableSourceError, match="scene: "):
        decoded(DAMAGED[name])


def test_items_that_share_their_bytes_many_times_are_refused():
    """A look at each would take for ever."""
    filled = PLAIN.data + struct.pack(">I", 100_000) + b"\x26" * 100_000
    content = bytearray(container([Item("hvc1", filled, PLAIN.properties), *[Item("hvc1", b"")] * 200]))
    place = content.index(b"iloc") + 12
    first = content[place + 6 : place + 14]
    for number in range(201):
        content[place + 14 * number + 6 : place + 14 * number + 14] = first
    with pytest.raises(UnreadableSourceError, match="overlap"):
        inspect(bytes(content), "scene", max_pixels=MAX_PIXELS)


def test_a_heic_of_a_hundred_thousand_parts_is_refused_at_once():
    many = b"\0\0\0\1\x26" * 200_000
    with pytest.raises(UnreadableSourceError, match="too many parts"):
        inspect(container([Item("hvc1", many, PLAIN.properties)]), "scene", max_pixels=MAX_PIXELS)
    with pytest.raises(CompositeError):
        inspect(heic()[:28] + b"\0\0\0\x08free" * 100_000, "scene", max_pixels=MAX_PIXELS)


def test_nothing_of_it_is_imported_before_such_a_picture_comes():
    """The first pair waits for what is imported."""
    script = (
        "import sys; import function.pipeline.run;"
        "print([name for name in sys.modules if 'heif' in name or 'avif' in name.lower() or name.endswith('.tiff')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
