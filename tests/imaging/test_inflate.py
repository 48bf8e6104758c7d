"""The PNG reader shows what Pillow's own shows, of sound files and of damaged ones."""

import contextlib
import gc
import io
import struct
import weakref
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib
from PIL import Image, PngImagePlugin

from function.imaging.formats import PNG_MAGIC
from function.imaging.inflate import IsalPngImageFile
from function.imaging.png import read_chunks
from tests.imaging.samples import photo, png_chunk, saved
from tests.tiers import examples, exhaustive


def split(content: bytes, length: int) -> bytes:
    """The PNG with its pixel data in chunks of `length` bytes."""
    parts = [PNG_MAGIC]
    for kind, data in read_chunks(content):
        step = length if kind == b"IDAT" else max(1, len(data))
        parts += [png_chunk(kind, bytes(data[start : start + step])) for start in range(0, len(data) or 1, step)]
    return b"".join(parts)


def shown(reader: type, content: bytes) -> bytes | None:
    """The pixels; None where the reader refuses the file."""
    try:
        image = reader(io.BytesIO(content))
        image.load()
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error, isal_zlib.error):
        return None
    return image.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("length", [1000, 1 << 20, *exhaustive(1)])
def test_every_kind_of_picture_is_read_alike(mode, level, length):
    picture = Image.fromarray(photo(230, 170))
    picture = picture.convert("I").convert(mode) if mode == "I;16" else picture.convert(mode)
    content = split(saved(picture, "PNG", compress_level=level), length)
    assert shown(IsalPngImageFile, content) == shown(PngImagePlugin.PngImageFile, content) is not None


def test_data_that_unfolds_a_thousandfold_is_read_to_its_end():
    """More comes out of one piece of the file than is taken at a time."""
    blank = np.zeros((3000, 2000, 3), np.uint8)
    blank[-1] = 7
    assert shown(IsalPngImageFile, saved(blank, "PNG", compress_level=9)) == blank.tobytes()


@examples(150)
@given(st.data())
def test_a_damaged_picture_is_shown_as_pillow_shows_it_or_refused(data):
    whole = split(saved(photo(90, 60), "PNG", compress_level=data.draw(st.sampled_from([0, 6]))), 700)
    start = whole.index(b"IDAT") + 4
    content = bytearray(whole[: data.draw(st.integers(start, len(whole)))])
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(start, len(content)))
        if place < len(content):
            content[place] = data.draw(st.integers(0, 255))
    assert shown(IsalPngImageFile, bytes(content)) in (None, shown(PngImagePlugin.PngImageFile, bytes(content)))


@pytest.mark.parametrize("length", [None, 3000])
def test_pixels_are_let_go_with_the_picture(length):
    """At once, whether it was sound or not: the garbage collector may come late, and pictures are large."""
    image = IsalPngImageFile(io.BytesIO(saved(photo(300, 200), "PNG")[:length]))
    with contextlib.suppress(OSError):
        image.load()
    gone = weakref.ref(image)
    gc.disable()
    try:
        del image
        assert gone() is None
    finally:
        gc.enable()
