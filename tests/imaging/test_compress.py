"""What the model is sent: small, undistorted, without dark rims, in a frame of its own shape."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from function.imaging.compress import downscale, downscale_area, encode_for_model, is_letterboxed, letterbox
from function.imaging.frame import Frame, plan_letterbox
from function.imaging.png import write_png
from tests.imaging.samples import photo

MAX_INLINE_BYTES = 7_000_000  # of every model in the table
NATIVE = {"1:1": (1024, 1024), "4:3": (1184, 864), "16:9": (1344, 768), "21:9": (1536, 672), "9:16": (768, 1344)}


def test_shrinking_is_near_to_pure_lanczos():
    picture = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (900, 1600, 3), np.uint8), (0, 0), 1.2)
    exact = Image.fromarray(picture).resize((400, 225), Image.Resampling.LANCZOS)
    assert np.abs(downscale(picture, (400, 225)).astype(float) - np.asarray(exact)).mean() < 0.6


def test_fine_stripes_become_their_mean_not_moire():
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    small = downscale(stripes, (100, 100))[5:-5, 5:-5]
    assert np.abs(small.astype(float) - 127.5).max() < 6


@pytest.mark.parametrize("size", [(48, 32), (100, 100), (4000, 10)])
def test_shrinking_never_enlarges(size):
    small = downscale(photo(48, 32), size)
    assert (small.shape[1], small.shape[0]) == (min(48, size[0]), min(32, size[1]))


def test_hidden_colours_do_not_darken_the_rim():
    """A white disc on transparent black: wherever it is visible it stays white."""
    rgba = np.zeros((512, 512, 4), np.uint8)
    cv2.circle(rgba, (256, 256), 200, (255, 255, 255, 255), -1)
    small = downscale(rgba, (96, 96))
    visible = small[small[..., 3] > 8]
    assert visible[:, :3].min() >= 250
    assert 0.46 < (small[..., 3] / 255).mean() < 0.50  # pi * 200² / 512²


@pytest.mark.parametrize("size", [(1600, 900), (1000, 750), (667, 1001), (900, 216), (40, 30), (1, 1), (3000, 1)])
def test_the_scene_lies_unharmed_in_its_frame(size):
    frame = plan_letterbox(size, NATIVE, 768)
    content = downscale(photo(*size), frame.content_box[2:])
    sent = letterbox(content, frame)
    assert (sent.shape[1], sent.shape[0]) == frame.sent_size
    x, y, width, height = frame.content_box
    assert np.array_equal(sent[y : y + height, x : x + width], content)


def test_thin_padding_continues_the_scene():
    frame = plan_letterbox((1600, 900), NATIVE, 768)
    assert frame.sent_size[1] > frame.content_box[3]
    sent = letterbox(np.full((frame.content_box[3], 768, 3), 90, np.uint8), frame)
    assert not is_letterboxed(frame)
    assert (sent == 90).all()


def test_wide_padding_is_grey_bars():
    frame = plan_letterbox((5000, 1200), NATIVE, 768)
    sent = letterbox(np.zeros((frame.content_box[3], 768, 3), np.uint8), frame)
    assert is_letterboxed(frame)
    assert (sent[0] == 128).all()
    assert (sent[-1] == 128).all()


def test_padding_is_told_by_its_border_not_by_its_area():
    narrow = Frame((100, 94), (100, 100), (0, 3, 100, 94), "1:1", (1024, 1024))
    wide = Frame((100, 90), (100, 100), (0, 5, 100, 90), "1:1", (1024, 1024))
    assert (is_letterboxed(narrow), is_letterboxed(wide)) == (False, True)


def test_what_is_sent_is_lossless_png():
    content, mime_type = encode_for_model(photo(), MAX_INLINE_BYTES)
    assert mime_type == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), photo())


def test_a_model_that_drops_alpha_sees_a_white_background():
    rgba = np.dstack([photo(), np.full(photo().shape[:2], 255, np.uint8)])
    rgba[:10] = 7, 7, 7, 0
    sent = np.asarray(Image.open(io.BytesIO(encode_for_model(rgba, MAX_INLINE_BYTES)[0])))
    assert (sent[:10] == (255, 255, 255, 0)).all()
    assert np.array_equal(sent[10:], rgba[10:])
    assert (rgba[:10, :, 0] == 7).all()  # the caller's array is not touched


@pytest.mark.parametrize(("channels", "max_inline_bytes"), [(3, 7_000_000), (4, 7_000_000), (3, 2_000_000)])
def test_what_is_too_large_for_the_model_is_sent_lossy(channels, max_inline_bytes):
    noise = np.random.default_rng(2).integers(0, 256, (1400, 1400, channels), np.uint8)
    noise[..., 3:] = 255
    assert len(write_png(noise)) * 4 / 3 > max_inline_bytes
    content, mime_type = encode_for_model(noise, max_inline_bytes)
    assert mime_type == "image/webp"
    assert len(content) * 4 / 3 < max_inline_bytes
    assert Image.open(io.BytesIO(content)).size == (1400, 1400)


@pytest.mark.parametrize("size", [(4000, 3000), (4003, 3001), (6529, 3673)])
def test_a_shrunk_scene_lies_where_the_scene_lies(size):
    """Registration leads back to the full resolution through it: a tenth of a small pixel would be seen."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    left, top = width - 400, height - 300
    picture[top : top + 200, left : left + 200] = 255
    small = downscale_area(picture, (1000, 750))[..., 0].astype(float)
    for axis, (start, side) in enumerate(((left, width), (top, height))):
        profile = small.sum(axis=axis)
        centre = (profile * (np.arange(len(profile)) + 0.5)).sum() / profile.sum()
        assert centre / len(profile) * side == pytest.approx(start + 100, abs=0.1 * side / len(profile))
