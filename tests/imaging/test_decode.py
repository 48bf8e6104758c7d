"""Every kind of picture becomes the 8-bit RGB(A) picture that a person would see."""

import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from function.errors import UnsupportedSourceError
from function.imaging.decode import Pixels, decode, inspect
from tests.imaging.heif_files import heic
from tests.imaging.samples import (
    HEIGHT,
    MAX_PIXELS,
    WIDTH,
    exif,
    photo,
    png_chunk,
    png_of,
    png_with,
    real_files,
    saved,
    tiff,
)

ORIENTED = {  # EXIF orientation → how the stored picture is turned for display (EXIF 2.32, 4.6.4)
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


def raw_with_thumbnail() -> bytes:
    """A Nikon or Sony raw file begins like this: a small picture, and sub-directories with the sensor's."""
    content = tiff(photo(), photometric="rgb", subfiletype=1, extratags=[(65000, 4, 1, 8, True)])
    return content.replace(struct.pack("<HH", 65000, 4), struct.pack("<HH", 330, 4))


def decoded(content: bytes, **options) -> Pixels:
    return decode(content, "scene", max_pixels=MAX_PIXELS, **options)


@pytest.mark.parametrize("name", real_files())
def test_inspect_says_what_decode_gives(name):
    content = real_files()[name]
    info, pixels = inspect(content, "scene", max_pixels=MAX_PIXELS), decoded(content)
    assert pixels.info == info
    assert pixels.array.shape == (info.size[1], info.size[0], 4 if info.has_alpha else 3)
    assert pixels.array.dtype == np.uint8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_exif_orientation_is_applied(kind, orientation):
    best = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    }
    pixels = decoded(saved(photo(), kind, exif=exif(orientation), **best.get(kind, {})))
    expected = ORIENTED[orientation](photo())
    assert pixels.info.size == (expected.shape[1], expected.shape[0])
    assert np.abs(pixels.array.astype(int) - expected).max() <= (6 if kind in ("JPEG", "AVIF") else 0)


def test_exif_behind_the_pixels_of_a_png_counts_too():
    late = png_with(saved(photo(), "PNG"), png_chunk(b"eXIf", exif(6)[6:]), before=b"IEND")
    assert inspect(late, "scene", max_pixels=MAX_PIXELS).size == (HEIGHT, WIDTH)
    assert np.array_equal(decoded(late).array, ORIENTED[6](photo()))


@pytest.mark.parametrize("broken", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"garbage", exif(9), exif(0)])
def test_broken_exif_leaves_the_picture_upright(broken):
    assert np.array_equal(decoded(saved(photo(), "PNG", exif=broken)).array, photo())


@pytest.mark.parametrize("colours", [2, 4, 16, 256])
def test_palette(colours):
    image = Image.fromarray(photo()).quantize(colours)
    assert np.array_equal(decoded(saved(image, "PNG")).array, np.asarray(image.convert("RGB")))


def test_palette_with_partial_transparency():
    image = Image.fromarray(photo()).quantize(4)
    pixels = decoded(saved(image, "PNG", transparency=bytes([0, 128, 255])))  # the fourth colour is opaque
    alpha = np.array([0, 128, 255, 255], np.uint8)[np.asarray(image)]
    assert np.array_equal(pixels.array, np.dstack([np.asarray(image.convert("RGB")), alpha]))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_grey_of_any_depth_reaches_black_and_white(depth):
    levels = 2**depth
    packed = np.packbits([[int(b) for b in f"{v:0{depth}b}"] for v in (0, levels - 1)]).tobytes()
    pixels = decoded(png_of(2, 1, depth, 0, b"\0" + packed))
    assert pixels.array.tolist() == [[[0, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_level_declared_transparent(depth):
    bright = 2**depth - 1
    if depth == 16:
        packed = struct.pack(">HH", 300, bright)
        clear, dark = 300, 300 >> 8
    else:
        packed = np.packbits([[int(b) for b in f"{v:0{depth}b}"] for v in (0, bright)]).tobytes()
        clear, dark = 0, 0
    pixels = decoded(png_of(2, 1, depth, 0, b"\0" + packed, png_chunk(b"tRNS", struct.pack(">H", clear))))
    assert pixels.array.tolist() == [[[dark] * 3 + [0], [255] * 4]]


def test_a_colour_declared_transparent():
    rows = b"\0" + bytes([10, 20, 30, 40, 50, 60])
    pixels = decoded(png_of(2, 1, 8, 2, rows, png_chunk(b"tRNS", struct.pack(">HHH", 10, 20, 30))))
    assert pixels.array.tolist() == [[[10, 20, 30, 0], [40, 50, 60, 255]]]


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_become_eight(colour_type, channels):
    values = np.linspace(0, 65535, 6 * channels).astype(np.uint16)
    expected = (values >> 8).astype(np.uint8).reshape(1, 6, channels)
    if channels < 3:
        expected = np.concatenate([expected[..., :1]] * 3 + [expected[..., 1:]], axis=-1)
    pixels = decoded(png_of(6, 1, 16, colour_type, b"\0" + values.astype(">u2").tobytes()))
    assert np.array_equal(pixels.array, expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_grey_becomes_rgb(mode):
    image = Image.fromarray(photo()).convert(mode)
    expected = np.asarray(image.convert("RGBA" if mode == "LA" else "RGB"))
    assert np.array_equal(decoded(saved(image, "PNG")).array, expected)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile_is_taken_for_usual_inks_and_not_inverted(kind):
    """Adobe's CMYK is stored inverted in a JPEG. Pillow's own cyan would be (0, 255, 255)."""
    paper_and_cyan = np.zeros((16, 32, 4), np.uint8)
    paper_and_cyan[:, 16:, 0] = 255
    content = saved(Image.fromarray(paper_and_cyan, "CMYK"), kind, quality=100)
    pixels = decoded(content)
    assert pixels.array[8, 4].min() >= 250
    assert np.abs(pixels.array[8, 28].astype(int) - (0, 163, 224)).max() < 16  # SWOP's cyan
    assert "CMYK" in pixels.notes[0]


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 2}, {"restart_marker_blocks": 2}])
def test_kinds_of_jpeg(options):
    assert np.abs(decoded(saved(photo(), "JPEG", quality=95, **options)).array.astype(int) - photo()).mean() < 5


def test_a_jpeg_with_a_second_picture_gives_the_first():
    """Phones store a gain map or a depth map behind the photograph (MPO)."""
    second = Image.fromarray(255 - photo())
    content = saved(Image.fromarray(photo()), "MPO", save_all=True, append_images=[second], quality=95)
    assert np.abs(decoded(content).array.astype(int) - photo()).mean() < 5


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [Image.fromarray(photo()), Image.fromarray(255 - photo())]
    pixels = decoded(saved(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True))
    assert pixels.info.animated
    assert np.array_equal(pixels.array[..., :3], photo())


def test_flatten_lays_transparency_onto_white():
    rgba = np.dstack([photo(), np.linspace(0, 255, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint8)])
    share = rgba[..., 3:] / 255
    pixels = decoded(saved(rgba, "PNG"), flatten=True)
    assert pixels.array.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels.array - (photo() * share + 255 * (1 - share))).max() <= 1


def test_flatten_leaves_an_opaque_picture_alone():
    assert np.array_equal(decoded(saved(photo(), "PNG"), flatten=True).array, photo())


@pytest.mark.parametrize(("orientation", "at_least"), [(1, (120, 80)), (6, (80, 120))])
def test_a_jpeg_can_be_decoded_small(orientation, at_least):
    content = saved(photo(480, 320), "JPEG", quality=95, exif=exif(orientation))
    pixels = decoded(content, at_least=at_least)
    assert pixels.info.size == decoded(content).info.size  # still the full picture's
    assert (pixels.array.shape[1], pixels.array.shape[0]) == at_least


def test_decoding_small_never_falls_below_the_size_asked_for():
    content = saved(photo(480, 320), "JPEG")
    assert decoded(content, at_least=(121, 80)).array.shape == (160, 240, 3)
    assert decoded(content, at_least=(900, 900)).array.shape == (320, 480, 3)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (saved(photo(), "GIF"), "GIF; save it as PNG"),
        (saved(photo(), "BMP"), "BMP; save it as PNG"),
        (saved(photo(), "AVIF", save_all=True, append_images=[Image.fromarray(photo())]), "animated AVIF; save one"),
        (b"8BPS\0\1" + b"\0" * 40, "Photoshop document; export it as PNG"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera raw file; develop it"),
        (b"II*\0\x10\0\0\0CR\2\0" + tiff(photo())[12:], "camera raw file; develop it"),
        (tiff(photo()[..., 0], photometric="cfa"), "camera raw file; develop it"),
        (tiff(photo(), photometric="rgb", extratags=[(50706, 1, 4, (1, 4, 0, 0), True)]), "camera raw file; develop"),
        (raw_with_thumbnail(), "camera raw file; develop it"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw file; develop it"),
        (tiff(photo(), bigtiff=True), "BigTIFF; save it as an ordinary TIFF"),
        (tiff(photo().astype(np.float32)), "TIFF has samples that are not integers"),
        (saved(Image.fromarray(photo()).convert("LAB"), "TIFF"), "TIFF has colours of kind 8"),
        (saved(photo(), "JPEG2000"), "JPEG 2000"),
        (saved(photo(), "ICO"), "icon"),
        (saved(photo(), "PDF"), "PDF; export its picture"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0mif1heic" + heic()[28:], "HEIF sequence; save one"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video"),
        (
            b'<?xml version="1.0"?>\n<!-- licence -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
            "SVG; render it to a PNG",
        ),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><title>404</title>", "HTML"),
        (b'{"error": {"code": 404}}', "JSON"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "not WebP"),
        (b"PK\3\4 and so on", "ZIP"),
        (b"just words, and not few", "not a known image format"),
    ],
)
def test_other_files_are_named(content, name):
    with pytest.raises(UnsupportedSourceError, match=name) as raised:
        decoded(content)
    assert raised.value.message.startswith("scene: ")


def test_many_threads_decode_at_once():
    files = real_files()
    expected = {name: decoded(content).array for name, content in files.items()}
    with ThreadPoolExecutor(16) as pool:
        jobs = [(name, pool.submit(decoded, content)) for _ in range(5) for name, content in files.items()]
    for name, job in jobs:
        assert np.array_equal(job.result().array, expected[name])
