"""Damaged and hostile files are refused with a typed error, in bounded memory and time."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from function.errors import CompositeError, SourceTooLargeError, UnreadableSourceError
from function.imaging.decode import decode, inspect
from function.imaging.formats import FORMATS, PNG_MAGIC
from function.imaging.png import write_png
from tests.imaging.heif_files import Item, container, heic_grid, heic_with, ispe
from tests.imaging.samples import MAX_PIXELS, exif, photo, png_chunk, png_of, png_with, real_files, saved
from tests.imaging.test_tiff import with_value
from tests.tiers import examples

FILES = real_files()


def webp_declaring(width: int, height: int) -> bytes:
    """An extended WebP whose canvas is said to be that large; its picture is small."""
    inner = saved(photo(), "WEBP")[12:]
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + canvas + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_declaring(width: int, height: int) -> bytes:
    """A JPEG whose frame header was overwritten."""
    content = bytearray(saved(photo(), "JPEG"))
    frame = content.index(b"\xff\xc0")
    struct.pack_into(">HH", content, frame + 5, height, width)
    return bytes(content)


def tiff_declaring(width: int, height: int) -> bytes:
    """A packed TIFF whose directory was overwritten."""
    content = saved(photo(), "TIFF", compression="tiff_lzw")
    for tag, value in ((256, width), (257, height), (278, height)):
        content = with_value(content, tag, value)
    return content


HUGE = {
    "png": png_of(60_000, 60_000, 8, 6, b"\0" * 100),
    "png of 2^31 pixels a side": png_of(2**31 - 1, 2**31 - 1, 16, 6, b"\0"),
    "jpeg": jpeg_declaring(65_500, 65_500),
    "webp": webp_declaring(60_000, 60_000),
    "webp beyond libwebp": webp_declaring(2**24, 2**24),
    "avif": container([Item("av01", b"", [ispe(60_000, 60_000)])], brand="avif"),
    "heic": heic_with(ispe(60_000, 60_000)),
    "heic grid": heic_grid(1, 1, 60_000, 60_000),
    "tiff": tiff_declaring(60_000, 60_000),
    "tiff of 2^32 pixels a side": tiff_declaring(2**32 - 1, 2**32 - 1),
    "webp lossless": b"RIFF\x20\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 20,
}


IN_A_NEW_PROCESS = """
import sys
from function.errors import CompositeError
from function.imaging.decode import decode
def peak():  # getrusage's would begin with that of the process that started this one
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
content, before = sys.stdin.buffer.read(), peak()
try:
    outcome = decode(content, "scene", max_pixels=50_000_000).array.shape
except CompositeError as error:
    outcome = error.code
print(outcome, peak() - before)
"""


def decoded_in_a_new_process(content: bytes) -> tuple[str, int]:
    """The array's shape or the error's code, and the growth of peak memory while decoding, in KiB."""
    command = [sys.executable, "-c", IN_A_NEW_PROCESS]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    outcome, _, growth = done.stdout.decode().rpartition(" ")
    return outcome, int(growth)


def zeros_compressed(size: int) -> bytes:
    """`size` zero bytes as a zlib stream, a fraction of a hundredth of it."""
    deflate = zlib.compressobj(1)
    return b"".join([deflate.compress(bytes(1 << 20)) for _ in range(size >> 20)]) + deflate.flush()


@pytest.mark.parametrize("name", HUGE)
def test_huge_declared_sizes_are_refused_before_pixels_are_allocated(name):
    with pytest.raises(SourceTooLargeError, match=r"scene: .*pixels"):
        inspect(HUGE[name], "scene", max_pixels=50_000_000)
    outcome, growth = decoded_in_a_new_process(HUGE[name])
    assert outcome == "source_too_large"
    assert growth < 20_000  # the smallest of these canvases would be 1,000,000


def test_the_pixel_limit_is_exact():
    content = saved(photo(100, 50), "PNG")
    assert inspect(content, "scene", max_pixels=5000).size == (100, 50)
    with pytest.raises(SourceTooLargeError):
        inspect(content, "scene", max_pixels=4999)


@pytest.mark.parametrize(
    ("kind", "head"), [(b"zTXt", b"Comment\0\0"), (b"iTXt", b"Comment\0\1\0\0\0"), (b"iCCP", b"profile\0\0")]
)
def test_compressed_metadata_that_unfolds_without_end_is_passed_over(kind, head):
    chunk = png_chunk(kind, head + zeros_compressed(100 << 20))
    outcome, growth = decoded_in_a_new_process(png_with(saved(photo(), "PNG"), chunk))
    assert outcome == "(32, 48, 3)"
    assert growth < 30_000  # of 100,000


def test_pixel_data_that_unfolds_without_end_stays_within_the_picture():
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 1, 8, 0, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zeros_compressed(100 << 20))
    outcome, growth = decoded_in_a_new_process(PNG_MAGIC + header + pixels + png_chunk(b"IEND", b""))
    assert outcome in ("(1, 64, 3)", "source_unreadable")
    assert growth < 30_000  # of 100,000


WIDE, HIGH = 5120, 4096
FLAT = np.full((HIGH, WIDE, 3), 90, np.uint8)
LARGE = {
    "png": lambda: write_png(FLAT),
    "jpeg": lambda: saved(FLAT, "JPEG"),
    "webp": lambda: saved(FLAT, "WEBP"),
    "avif": lambda: saved(FLAT, "AVIF", speed=10),
    "heic": lambda: heic_grid(HIGH // 512, WIDE // 512, WIDE, HIGH, name="tile", side=512),
    "tiff": lambda: saved(FLAT, "TIFF", compression="tiff_lzw"),
    "jpeg of inks": lambda: saved(Image.fromarray(FLAT).convert("CMYK"), "JPEG"),
    "png with a palette": lambda: saved(Image.fromarray(FLAT).quantize(4), "PNG"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_picture_takes_no_more_memory_than_is_planned_for_it(name):
    """Pillow holds 4 bytes a pixel and the array 3; a copy more would be 10. The libraries' own come on top."""
    outcome, growth = decoded_in_a_new_process(LARGE[name]())
    assert outcome == f"({HIGH}, {WIDE}, 3)"
    assert growth * 1024 < (FORMATS[name.split()[0]].decode_bytes + 0.5) * WIDE * HIGH


def test_a_jpeg_of_countless_scans_is_refused():
    """Each scan costs a pass over all blocks, however few bytes it has."""
    content = saved(photo(), "JPEG", progressive=True)
    last_scan, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    with pytest.raises(UnreadableSourceError, match="scans"):
        decode(content[:end] + content[last_scan:end] * 1000 + content[end:], "scene", max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_is_refused_or_whole(name):
    content = FILES[name]
    whole = decode(content, "scene", max_pixels=MAX_PIXELS).array
    for length in range(len(content)):
        try:
            pixels = decode(content[:length], "scene", max_pixels=MAX_PIXELS)
        except UnreadableSourceError as error:
            assert error.message.startswith("scene: ")
        else:  # a JPEG may lack its end marker, an animation its later frames, a TIFF what follows its pixels
            assert np.array_equal(pixels.array, whole), f"{length} of {len(content)} bytes"


def test_a_png_with_fewer_rows_than_it_declares_is_refused():
    """Pillow alone would show the missing ones black."""
    row = b"\0" + bytes(range(30))
    assert decode(png_of(10, 10, 8, 2, row * 10), "scene", max_pixels=MAX_PIXELS).array.shape == (10, 10, 3)
    with pytest.raises(UnreadableSourceError):
        decode(png_of(10, 10, 8, 2, row * 9), "scene", max_pixels=MAX_PIXELS)


def test_a_png_whose_palette_is_late_or_whose_header_is_not_first_is_refused():
    """Found by tests/bench/hostile.py: Pillow asserts that there is one."""
    content = FILES["png palette"]
    start = content.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4])
    palette, last = content[start:end], content.index(b"IEND") - 4
    late = content[:start] + content[end:last] + palette + content[last:]
    first = PNG_MAGIC + palette + content[8:start] + content[end:]
    for hostile in (late, first):
        with pytest.raises(UnreadableSourceError, match=r"before its pixels|not its first"):
            decode(hostile, "scene", max_pixels=MAX_PIXELS)


def test_flipped_bits_in_a_png_do_not_pass():
    content = bytearray(saved(photo(), "PNG"))
    pixels = content.index(b"IDAT")
    for position in range(pixels, len(content) - 12, 7):
        content[position] ^= 4
        with pytest.raises(UnreadableSourceError):
            decode(bytes(content), "scene", max_pixels=MAX_PIXELS)
        content[position] ^= 4


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"\xff", b"\xff\xd8\xff", b"RIFF", b"RIFF\0\0\0\0WEBP"])
def test_hardly_anything_is_refused(content):
    with pytest.raises(UnreadableSourceError, match="scene: "):
        decode(content, "scene", max_pixels=MAX_PIXELS)


def test_damaged_metadata_writes_no_line_of_its_own():
    """Every line on stderr would be an entry of the log."""
    content = saved(photo(), "JPEG", exif=exif(6)[:-9])
    script = (
        "import sys; from function.imaging.decode import decode;"
        "print(decode(sys.stdin.buffer.read(), 'scene', max_pixels=1_000_000).array.shape)"
    )
    done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True, check=True)
    assert done.stdout == b"(32, 48, 3)\n"
    assert done.stderr == b""


edits = st.lists(
    st.tuples(
        st.sampled_from(["set", "insert", "delete", "repeat", "number"]),
        st.integers(0, 1 << 16),
        st.integers(0, 1 << 16),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def edited(content: bytes, changes: list, *, mend: bool) -> bytes:
    """`content` after the changes; with `mend` a PNG's checksums fit again, so that what is behind them is reached."""
    data = bytearray(content)
    for kind, position, other, some in changes:
        at, to = position % (len(data) + 1), other % (len(data) + 1)
        if kind == "set":
            data[at : at + len(some)] = some
        elif kind == "insert":
            data[at:at] = some
        elif kind == "delete":
            del data[at : at + 1 + other % 40]
        elif kind == "repeat":
            data[at:at] = data[to : to + 60]
        else:
            data[at : at + 4] = struct.pack(">I", (0, 1, 255, 65535, 2**31 - 1, 2**32 - 1)[other % 6])
    position = 8
    while mend and position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4])
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[position + 4 : end]).to_bytes(4)
        position = end + 4
    return bytes(data)


@examples(500)
@given(st.sampled_from(sorted(FILES)), edits, st.booleans())
def test_fuzzed_files_raise_nothing_but_typed_errors(name, changes, mend):
    content = edited(FILES[name], changes, mend=mend and name.startswith("png"))
    for read in (inspect, decode):
        try:
            result = read(content, "scene", max_pixels=MAX_PIXELS)
        except CompositeError as error:
            assert error.message.startswith("scene: ")
        else:
            info = getattr(result, "info", result)
            assert info.size[0] * info.size[1] <= MAX_PIXELS
