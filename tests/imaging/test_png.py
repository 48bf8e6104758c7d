"""Our PNG writer is lossless, and what it writes is read alike by others."""

import io
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from function.imaging.png import read_chunks, write_png
from tests.imaging.samples import photo
from tests.tiers import examples


def read_by_opencv(content: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@examples(60)
@given(arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 70), st.sampled_from([3, 4]))))
def test_any_small_picture_comes_back(picture):
    assert np.array_equal(read_by_opencv(write_png(picture)), picture)


@pytest.mark.parametrize("make", [np.ascontiguousarray, np.asfortranarray, lambda a: a[::-1, ::-1]])
def test_a_picture_of_many_strips_comes_back(make):
    picture = make(np.tile(photo(1000, 700), (3, 1, 1)))
    assert np.array_equal(read_by_opencv(write_png(picture)), picture)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_large_picture_is_written_in_two_halves_and_comes_back(channels):
    picture = np.random.default_rng(4).integers(0, 256, (1501, 2003, channels), dtype=np.uint8)
    content = write_png(picture)
    assert np.array_equal(read_by_opencv(content), picture)
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(np.asarray(image), picture)
    packed = b"".join(bytes(data) for kind, data in read_chunks(content) if kind == b"IDAT")
    assert len(zlib.decompress(packed)) == 1501 * (2003 * channels + 1)  # its checksum is looked at here


@pytest.mark.parametrize("direction", [0, 1])
def test_the_better_filter_is_chosen(direction):
    """Grain along one axis only: the filter that looks along it leaves nothing."""
    grain = np.random.default_rng(1).integers(0, 256, (600, 1, 3), dtype=np.uint8)
    picture = np.broadcast_to(grain, (600, 600, 3))
    picture = picture if direction else picture.transpose(1, 0, 2)
    assert len(write_png(picture)) < picture.nbytes / 50


def test_profile_and_xmp_are_stored_where_readers_look(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(write_png(photo(), icc=b"profile" * 99, xmp="<x:xmpmeta>ü</x:xmpmeta>"))
    with Image.open(path) as image:
        assert image.info["icc_profile"] == b"profile" * 99
        assert image.info["xmp"] == "<x:xmpmeta>ü</x:xmpmeta>".encode()
        image.verify()


def test_the_order_of_chunks_is_the_specifications():
    kinds = [kind for kind, _ in read_chunks(write_png(photo(), icc=b"profile", xmp="packet"))]
    assert kinds[:3] == [b"IHDR", b"iCCP", b"iTXt"]
    assert kinds[-1] == b"IEND"
    assert set(kinds[3:-1]) == {b"IDAT"}
