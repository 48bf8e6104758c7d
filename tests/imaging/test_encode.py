"""Results carry their pixels, their profile and where they come from, in every format."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from function.imaging.decode import decode
from function.imaging.encode import encode
from function.imaging.formats import writing_of
from function.imaging.xmp import DIGITAL_SOURCE_TYPE
from tests.imaging.samples import MAX_PIXELS, photo, saved, wide_profile

KINDS = ["png", "jpeg", "webp", "avif"]
PICTURE = photo(320, 200)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures, dB."""
    return 10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_profile_and_provenance_are_embedded(kind):
    image = opened(encode(PICTURE, kind, icc=wide_profile()))
    assert image.format == kind.upper()
    assert image.info["icc_profile"] == wide_profile()
    description = ElementTree.fromstring(image.info["xmp"]).find(".//{*}Description")
    assert description.get("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType") == DIGITAL_SOURCE_TYPE
    assert DIGITAL_SOURCE_TYPE.endswith("/digitalsourcetype/compositeWithTrainedAlgorithmicMedia")


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_profile_none_is_invented(kind):
    assert not opened(encode(PICTURE, kind)).info.get("icc_profile")


@pytest.mark.parametrize(("kind", "least"), [("png", 90), ("jpeg", 36), ("webp", 35), ("avif", 35)])
def test_pixels_survive(kind, least):
    pixels = decode(encode(PICTURE, kind), "result", max_pixels=MAX_PIXELS)
    assert pixels.array.shape == PICTURE.shape
    assert psnr(pixels.array, PICTURE) > least


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif"])
def test_quality_is_obeyed(kind):
    sizes = [len(encode(PICTURE, kind, quality=quality)) for quality in (1, 50, 90, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 3


@pytest.mark.parametrize("kind", ["jpeg", "avif"])
def test_coloured_lettering_keeps_its_edges(kind):
    """Red strokes one pixel wide on white: with halved colour resolution they would turn pink."""
    stripes = np.full((64, 64, 3), 255, np.uint8)
    stripes[:, ::2] = 200, 0, 0
    result = decode(encode(stripes, kind), "result", max_pixels=MAX_PIXELS).array
    assert psnr(result, stripes) > 30


@pytest.mark.parametrize("quality", [60, 85, 92, 97])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_an_untouched_jpeg_scene_loses_next_to_nothing(quality, subsampling):
    scene = decode(saved(PICTURE, "JPEG", quality=quality, subsampling=subsampling), "scene", max_pixels=MAX_PIXELS)
    result = decode(encode(scene.array, "jpeg", like=scene.info), "result", max_pixels=MAX_PIXELS)
    assert psnr(result.array, scene.array) > 48
    plain = decode(encode(scene.array, "jpeg"), "result", max_pixels=MAX_PIXELS)
    assert psnr(result.array, scene.array) >= psnr(plain.array, scene.array) - 0.01


def test_a_grey_jpeg_scene_has_one_table_and_still_encodes():
    scene = decode(saved(Image.fromarray(PICTURE).convert("L"), "JPEG", quality=97), "scene", max_pixels=MAX_PIXELS)
    result = decode(encode(scene.array, "jpeg", like=scene.info), "result", max_pixels=MAX_PIXELS)
    assert psnr(result.array, scene.array) > 48


def test_quality_asked_for_wins_over_the_scenes():
    scene = decode(saved(PICTURE, "JPEG", quality=99), "scene", max_pixels=MAX_PIXELS)
    assert encode(scene.array, "jpeg", quality=50, like=scene.info) == encode(scene.array, "jpeg", quality=50)


def test_a_lossless_webp_scene_gives_a_lossless_result():
    scene = decode(saved(PICTURE, "WEBP", lossless=True), "scene", max_pixels=MAX_PIXELS)
    result = decode(encode(PICTURE, "webp", like=scene.info), "result", max_pixels=MAX_PIXELS)
    assert np.array_equal(result.array, PICTURE)
    lossy = decode(saved(PICTURE, "WEBP", quality=90), "scene", max_pixels=MAX_PIXELS)
    assert len(encode(PICTURE, "webp", like=lossy.info)) < len(encode(PICTURE, "webp", like=scene.info))


def test_an_avif_larger_than_its_encoder_is_given_memory_for_is_refused():
    with pytest.raises(ValueError, match="16,777,216"):
        encode(np.zeros((4097, 4096, 3), np.uint8), "avif")


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_side_beyond_the_format_is_refused(kind):
    longest = writing_of(kind).max_side_px
    assert opened(encode(np.zeros((1, longest, 3), np.uint8), kind)).size == (longest, 1)
    with pytest.raises(ValueError, match=f"{longest:,}"):
        encode(np.zeros((1, longest + 1, 3), np.uint8), kind)
