"""The answer resampled at full resolution: in its place, in strips as in one, not finer than the result."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration import compositing
from function.restoration.colour_transfer import IDENTITY_COLOURS
from function.restoration.resampled_image import ResampledImage

SMALL = 60, 40  # width, height of analysis and answer


def own_places(scale: float = 1.0) -> np.ndarray:
    """(40, 60, 2) float32: where an answer `scale` times as large as the analysis shows each pixel of it."""
    places = np.dstack(np.meshgrid(np.arange(SMALL[0]), np.arange(SMALL[1]))).astype(np.float32)
    return (places + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)


def picture(width: int, height: int) -> np.ndarray:
    small = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def test_it_is_the_answer_enlarged():
    pixels = picture(*SMALL)
    answer = ResampledImage.of(pixels, own_places(), IDENTITY_COLOURS, (180, 120))
    expected = cv2.resize(pixels, (180, 120), interpolation=cv2.INTER_CUBIC)
    assert answer.enlargement == pytest.approx(3, rel=0.05)
    assert cv2.absdiff(answer.crop((30, 20, 90, 60)), expected[20:80, 30:120]).max() <= 2


def test_tiles_are_sharpened_as_the_whole_is(monkeypatch):
    moved = np.random.default_rng(1).normal(0, 0.3, (20, 30, 2)).astype(np.float32)
    answer = ResampledImage.of(picture(*SMALL), own_places(), IDENTITY_COLOURS, (180, 120))
    sharp = answer.sharpened(1.0).displaced(moved, (15, 10))
    whole = sharp.crop((0, 0, 180, 120))
    monkeypatch.setattr(compositing, "TILE_PIXELS", 180 * 7)
    assert np.array_equal(sharp.crop((0, 0, 180, 120)), whole)
    assert cv2.absdiff(whole, answer.crop((0, 0, 180, 120))).max() > 10


def test_what_is_wanted_is_as_in_the_whole():
    answer = ResampledImage.of(picture(*SMALL), own_places(), IDENTITY_COLOURS, (180, 120)).sharpened(1.0)
    wanted = np.zeros((40, 60), np.uint8)
    wanted[5:30, 10:25] = wanted[33, 50] = 255
    part, whole = answer.crop((9, 6, 160, 110), wanted), answer.crop((9, 6, 160, 110))
    seen = cv2.resize(wanted, (180, 120), interpolation=cv2.INTER_LINEAR)[6:116, 9:169] > 0
    # Places are rounded to 1/32 pixel from each strip's own corner.
    assert cv2.absdiff(part, whole)[seen].max() <= 2
    assert not part[:, -5:].any() and whole[:, -5:].any()


def test_a_displacement_is_in_analysis_pixels_and_only_where_it_was_asked_for():
    answer = ResampledImage.of(picture(120, 80), own_places(2), IDENTITY_COLOURS, (180, 120))
    to_the_right = np.zeros((40, 30, 2), np.float32)
    to_the_right[..., 0] = 2
    moved, plain = answer.displaced(to_the_right, (0, 0)).crop((0, 0, 180, 120)), answer.crop((0, 0, 180, 120))
    assert cv2.absdiff(moved[:, 3:80], plain[:, 9:86]).max() <= 2
    assert np.array_equal(moved[:, 100:], plain[:, 100:])


def test_a_finer_answer_does_not_alias():
    stripes = np.zeros((160, 240, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = ResampledImage.of(stripes, own_places(4), IDENTITY_COLOURS, (90, 60)).crop((0, 0, 90, 60))
    # Sampled one by one they would be black and white.
    assert np.abs(crop[8:-8, 8:-8].astype(int) - 128).max() < 40
