"""Colours keep their meaning: profiles are recognised, converted there and back, and never trusted blindly."""

import numpy as np
import pytest
from PIL import Image

from function.imaging.decode import decode
from function.imaging.icc import convert, from_srgb, is_srgb, to_srgb
from tests.imaging.samples import (
    MAX_PIXELS,
    cmyk_profile,
    grey_profile,
    photo,
    saved,
    srgb_profile,
    wide_profile,
)

RED_SRGB = np.full((2, 2, 3), (255, 0, 0), np.uint8)
RED_IN_ADOBE_RGB = (219, 0, 0)  # sRGB's red; a known value of the two spaces


def adobe_rgb_to_srgb(rgb: np.ndarray) -> np.ndarray:
    """Adobe RGB (1998) → sRGB by the published matrices (D65), clipped; 0..255 floats."""
    to_xyz = np.array([[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]])
    from_xyz = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    linear = np.clip((rgb / 255.0) ** (563 / 256) @ (from_xyz @ to_xyz).T, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_only_profiles_that_mean_srgb_are_srgb():
    assert is_srgb(None)
    assert is_srgb(srgb_profile())
    assert not is_srgb(wide_profile())


def test_a_wide_profile_is_converted_as_its_specification_says():
    expected = adobe_rgb_to_srgb(photo())
    assert np.abs(to_srgb(photo(), wide_profile()) - expected).max() <= 3
    assert np.abs(from_srgb(RED_SRGB, wide_profile())[0, 0].astype(int) - RED_IN_ADOBE_RGB).max() <= 1


def test_srgb_colours_come_back_from_a_wide_space():
    converted = from_srgb(photo(), wide_profile())
    assert np.abs(to_srgb(converted, wide_profile()).astype(int) - photo()).mean() < 0.5


def test_alpha_is_not_touched():
    rgba = np.dstack([photo(), photo()[..., 0]])
    converted = to_srgb(rgba, wide_profile())
    assert np.array_equal(converted[..., 3], rgba[..., 3])
    assert np.array_equal(converted[..., :3], to_srgb(photo(), wide_profile()))


@pytest.mark.parametrize(
    ("from_icc", "to_icc"), [(None, None), (srgb_profile(), None), (wide_profile(), wide_profile())]
)
def test_the_same_space_is_no_conversion(from_icc, to_icc):
    picture = photo()
    assert convert(picture, from_icc, to_icc) is picture


@pytest.mark.parametrize("broken", [b"", b"garbage", wide_profile()[:200], cmyk_profile()])
def test_a_broken_profile_changes_nothing(broken):
    picture = photo()
    assert to_srgb(picture, broken) is picture
    assert from_srgb(picture, broken) is picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_profile_for_rgb_is_kept_with_its_numbers(kind):
    lossless = {"WEBP": {"lossless": True}}.get(kind, {})
    pixels = decode(saved(photo(), kind, icc_profile=wide_profile(), **lossless), "scene", max_pixels=MAX_PIXELS)
    assert pixels.icc == wide_profile()
    if kind != "JPEG":
        assert np.array_equal(pixels.array, photo())


def test_grey_with_its_own_profile_becomes_srgb():
    grey = Image.fromarray(np.array([[0, 128, 255]], np.uint8))
    pixels = decode(saved(grey, "PNG", icc_profile=grey_profile(1.0)), "scene", max_pixels=MAX_PIXELS)
    assert pixels.icc is None
    assert pixels.array[0, :, 0].tolist() == pytest.approx([0, 188, 255], abs=1)  # linear 0.502 in sRGB's curve


def test_grey_with_alpha_and_its_own_profile_keeps_its_alpha():
    grey = Image.fromarray(photo()).convert("LA")
    grey.putalpha(Image.fromarray(photo()[..., 1]))
    pixels = decode(saved(grey, "PNG", icc_profile=grey_profile(1.0)), "product", max_pixels=MAX_PIXELS)
    assert np.array_equal(pixels.array[..., 3], photo()[..., 1])
    assert pixels.array[..., 0].mean() > np.asarray(grey)[..., 0].mean() + 20


def test_grey_with_a_profile_for_rgb_keeps_it():
    content = saved(Image.fromarray(photo()).convert("L"), "JPEG", icc_profile=wide_profile())
    assert decode(content, "scene", max_pixels=MAX_PIXELS).icc == wide_profile()


def test_cmyk_is_converted_by_its_profile():
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    content = saved(inks, "JPEG", quality=100, icc_profile=cmyk_profile())
    pixels = decode(content, "scene", max_pixels=MAX_PIXELS)
    assert pixels.icc is None
    red, green, blue = (int(v) for v in pixels.array[8, 8])
    assert max(red, green, blue) - min(red, green, blue) <= 2  # its cyan is a grey; Pillow's own is (0, 255, 255)
    assert 150 < green < 230


@pytest.mark.parametrize("useless", [b"garbage" * 30, grey_profile(2.2), cmyk_profile()])
def test_a_profile_that_cannot_be_used_is_left_out_and_said(useless):
    pixels = decode(saved(photo(), "PNG", icc_profile=useless), "scene", max_pixels=MAX_PIXELS)
    assert np.array_equal(pixels.array, photo())
    assert pixels.icc is None
    assert pixels.info.icc == useless
    assert "ICC profile" in pixels.notes[0]
