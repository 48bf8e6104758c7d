"""Pictures as they arrive: what happened to them on the way is said, with what to do; what is whole is read."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from function.errors import SourceError, UnreadableSourceError, UnsupportedSourceError
from function.imaging.decode import decode, inspect
from function.imaging.icc import to_srgb
from function.imaging.jpeg import NO_END_NOTE
from tests.imaging.samples import MAX_PIXELS, exif, grey_profile, photo, png_chunk, png_of, png_with, saved

BASELINE = saved(photo(480, 320), "JPEG")
JPEG = saved(photo(), "JPEG", quality=90)
PROGRESSIVE = saved(photo(200, 150), "JPEG", progressive=True)
NOISE = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
FILES = {kind: saved(NOISE, kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF")}


def decoded(content: bytes):
    return decode(content, "product", max_pixels=MAX_PIXELS)


def refused(content: bytes) -> SourceError:
    with pytest.raises(SourceError) as raised:
        decode(content, "product", max_pixels=2_000_000)
    assert raised.value.message.startswith("product: ")
    return raised.value


# --- JPEG


@pytest.mark.parametrize("trailer", [b"\0\0\0\x18ftypmp42" + b"\xff\xda\x01" * 5000, b"\xff\xda" * 5000, JPEG * 200])
def test_a_large_trailer_is_not_looked_at(trailer):
    """A motion photo: a film behind the picture, in which anything may stand."""
    assert np.array_equal(decoded(JPEG + trailer).array, decoded(JPEG).array)


def test_a_thumbnail_in_exif_is_no_end():
    tags = exif(1) + JPEG[:20_000]
    content = saved(photo(), "JPEG", quality=90, exif=tags)
    assert np.array_equal(decoded(content).array, decoded(JPEG).array)
    assert decoded(content).notes == ()


@pytest.mark.parametrize("content", [JPEG, PROGRESSIVE, saved(photo(61, 43), "JPEG", restart_marker_blocks=1)])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_jpeg_that_lacks_only_its_end_marker_is_taken_with_a_note(content, cut):
    pixels = decoded(content[:-cut])
    assert np.array_equal(pixels.array, decoded(content).array)
    assert pixels.notes == (NO_END_NOTE,)


@pytest.mark.parametrize("content", [JPEG, PROGRESSIVE, BASELINE])
@pytest.mark.parametrize("at_least", [None, (20, 10)])
def test_a_jpeg_that_lacks_rows_or_scans_is_refused(content, at_least):
    scans = [found.start() for found in re.finditer(rb"\xff[\xc4\xda]", content)]
    for length in (*scans, len(content) // 2, len(content) * 9 // 10, len(content) - 40):
        with pytest.raises(UnreadableSourceError, match="ends too early"):
            decode(content[:length], "product", max_pixels=MAX_PIXELS, at_least=at_least)


@pytest.mark.parametrize(("progressive", "is_read"), [(False, True), (True, False)])
def test_a_large_jpeg_without_its_end_marker_is_looked_at_twice_only_where_that_is_soon_done(progressive, is_read):
    content = saved(Image.new("RGB", (3500, 3500), (90, 120, 150)), "JPEG", progressive=progressive)
    inspect(content, "x", max_pixels=64_000_000)
    with contextlib.nullcontext() if is_read else pytest.raises(UnreadableSourceError, match="too large to verify"):
        inspect(content[:-2], "x", max_pixels=64_000_000)


def test_memory_is_planned_for_the_second_look():
    whole, cut = (inspect(content, "x", max_pixels=MAX_PIXELS).decode_bytes for content in (JPEG, JPEG[:-2]))
    assert cut - whole == 4 * 48 * 32


# --- colours


def adobe_exif(*, index: str | None = "R03", colour_space: int = 0xFFFF) -> bytes:
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0xA001] = colour_space
    if index:
        tags.get_ifd(0x8769)[0xA005] = {1: index}
    return tags.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("block", [adobe_exif(), adobe_exif(index=None, colour_space=2)])
def test_adobe_rgb_told_only_by_exif_is_adobe_rgb(kind, block):
    pixels = decoded(saved(np.full((40, 40, 3), (219, 0, 0), np.uint8), kind, exif=block, quality=100))
    red = to_srgb(pixels.array, pixels.icc)[20, 20].astype(int)
    assert np.abs(red - (255, 0, 0)).max() <= 6  # sRGB's red, which Adobe RGB calls (219, 0, 0)
    assert pixels.info.icc is None


@pytest.mark.parametrize("block", [adobe_exif(index="R98", colour_space=1), adobe_exif(index=None), exif(1), b"x"])
def test_other_exif_is_not(block):
    assert decoded(saved(photo(), "JPEG", exif=block)).icc is None


def test_an_embedded_profile_wins_over_exif():
    from tests.imaging.samples import wide_profile

    assert decoded(saved(photo(), "JPEG", exif=adobe_exif(), icc_profile=wide_profile())).icc == wide_profile()


def test_sixteen_bit_grey_with_alpha_and_a_grey_profile():
    """Pillow reads it as RGBA, for which a grey profile is none."""
    rows = b"".join(b"\0" + bytes([128, 0, 200, 0]) * 40 for _ in range(40))
    plain = png_of(40, 40, 16, 4, rows)
    content = png_with(plain, png_chunk(b"iCCP", b"grey\0\0" + __import__("zlib").compress(grey_profile(1.0))))
    pixels = decoded(content)
    assert pixels.array[5, 5].tolist() == pytest.approx([188, 188, 188, 200], abs=1)
    assert pixels.notes == ()


# --- damage on the way


def as_utf8(content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode()


TEXT = {
    "utf-8": as_utf8,
    "latin-1 as utf-8": lambda content: content.decode("latin-1").encode(),
    "lf to crlf": lambda content: content.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("conversion", TEXT)
def test_a_text_conversion_is_named(kind, conversion):
    error = refused(TEXT[conversion](FILES[kind]))
    assert "text conversion" in error.message and "as binary" in error.message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_line_feeds_without_their_carriage_returns_are_named(kind):
    """Of a PNG the first bytes tell; of the others only that a large file has no such pair at all."""
    noise = np.random.default_rng(1).integers(0, 256, (1400, 1400, 3), np.uint8)
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
    error = refused(saved(noise, kind, **options).replace(b"\r\n", b"\n"))
    assert "text conversion" in error.message and "CRLF to LF" in error.message


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("blank", [b"\n", b"\r\n\r\n", b" " * 100, b"\xef\xbb\xbf", b"\0\0\0"])
def test_blank_bytes_before_the_picture_are_named(kind, blank):
    error = refused(blank + FILES[kind])
    assert f"{len(blank)} blank bytes precede the" in error.message
    assert "remove them" in error.message


def test_a_git_lfs_pointer_is_named():
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    assert "git lfs pull" in refused(pointer).message


@pytest.mark.parametrize("size", [(31, 500), (500, 31), (1, 1), (20, 20)])
def test_a_picture_of_hardly_any_pixels_is_refused(size):
    content = saved(photo(*size), "PNG")
    with pytest.raises(UnsupportedSourceError, match=f"product: {size[0]} x {size[1]} pixels are too few"):
        inspect(content, "product", max_pixels=MAX_PIXELS, min_side_px=32)
    assert inspect(saved(photo(32, 32), "PNG"), "product", max_pixels=MAX_PIXELS, min_side_px=32).size == (32, 32)


@pytest.mark.parametrize("kind", ["avif", "heic", "tiff", "webp"])
def test_a_format_that_is_not_allowed_is_named_with_those_that_are(kind):
    from tests.imaging.samples import real_files

    with pytest.raises(UnsupportedSourceError, match="PNG and JPEG are read here") as raised:
        inspect(real_files()[kind], "product", max_pixels=MAX_PIXELS, formats=("png", "jpeg"))
    assert kind in raised.value.message.lower() and "SOURCE_FORMATS" in raised.value.message


def test_a_damaged_tiff_writes_no_line_of_its_own():
    """libtiff would; every line on stderr is an entry of the log."""
    content = bytearray(saved(photo(), "TIFF", compression="tiff_lzw"))
    content[600:640] = b"\xff" * 40
    script = (
        "import sys; from function.errors import CompositeError; from function.imaging.decode import decode\n"
        "try: decode(sys.stdin.buffer.read(), 'scene', max_pixels=1_000_000)\n"
        "except CompositeError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", script], input=bytes(content), capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"refused\n", b"")
