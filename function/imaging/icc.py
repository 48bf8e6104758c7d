"""Colour management of ICC profiles by LittleCMS. `None` for a profile means sRGB, as on the web."""

from __future__ import annotations

import io
from base64 import b64decode
from enum import Enum
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

_MAX_SRGB_DIFFERENCE = 1  # levels of 255: a profile that moves no colour further is sRGB, whatever its name
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC  # in-gamut colours come back as they were
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
MAX_PROFILE_BYTES = 4 << 20  # the largest of the usual ones, for printing, have 2.7 MB; those of screens a few KB
# The type of a tag (ICC.1:2022, 10.16) that may chain any number of stages, through which LittleCMS would take each of
# 35,937 colours: hours for a few MB. No camera, scanner or screen has it.
_PROCESSING_ELEMENTS = b"mpet\0\0\0\0"
_BROKEN = (ImageCms.PyCMSError, OSError, ValueError, TypeError)  # what a bad profile raises


# Small profiles in the public domain (CC0 1.0), from https://github.com/saucecontrol/Compact-ICC-Profiles at bdd8466,
# in base64, because Terraform archives text only.
_PROFILES = Path(__file__).parent / "profiles"
_DISPLAY_P3, _HDR_TRANSFERS = 12, (16, 18)  # ITU-T H.273, tables 2 and 3: SMPTE EG 432-1; PQ and HLG


@cache
def adobe_rgb() -> bytes:
    """Compatible with Adobe RGB (1998)."""
    return _shipped("AdobeCompat-v2")


@cache
def printing_inks() -> bytes:
    """CMYK as CGATS TR 001 has it (SWOP, coated paper): what a file without a profile is most likely made for."""
    return _shipped("CGATS001Compat-v2-micro")


def profile_of_code(code: tuple[int, int] | None) -> tuple[bytes | None, tuple[str, ...]]:
    """(primaries, transfer) as numbers of ITU-T H.273 → a profile, None for sRGB; and what is passed over."""
    if code is None:
        return None, ()
    primaries, transfer = code
    notes = ("its HDR brightness is not kept",) if transfer in _HDR_TRANSFERS else ()
    return _shipped("DisplayP3Compat-v2-micro") if primaries == _DISPLAY_P3 else None, notes


def _shipped(name: str) -> bytes:
    return b64decode((_PROFILES / f"{name}.icc.b64").read_text("ascii"))


class ProfileSupport(Enum):
    """What an embedded profile is good for."""

    BIDIRECTIONAL = "pixels can be converted from it and to it"
    INPUT_ONLY = "pixels can be converted from it, as of a scanner, but not back"
    NONE = "it is damaged, or for another kind of picture"


def problem_with(icc: bytes) -> str | None:
    """Why a profile is not looked at, as the end of a sentence: what one costs is bounded by its size and by its kinds
    of curves."""
    if len(icc) > MAX_PROFILE_BYTES:
        return f"has {len(icc):,} bytes, of {MAX_PROFILE_BYTES:,} that are read"
    if _PROCESSING_ELEMENTS in icc:
        return "is made of processing elements, which are not read"
    return None


def profile_support(icc: bytes, mode: str) -> ProfileSupport:
    """What the profile can do for pictures of Pillow's `mode` ("RGB", "L" or "CMYK")."""
    try:
        convert_image(Image.new(mode, (1, 1)), icc, None)
    except _BROKEN:
        return ProfileSupport.NONE
    try:
        _apply(Image.new("RGB", (1, 1)), _profile(None), _profile(icc), mode)
    except _BROKEN:
        return ProfileSupport.INPUT_ONLY
    return ProfileSupport.BIDIRECTIONAL


def is_srgb(icc: bytes | None) -> bool:
    """Whether the profile moves no colour by more than a level; a broken one counts as sRGB."""
    if icc is None:
        return True
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    return bool(np.abs(_convert(colours, icc, None).astype(np.int16) - colours).max() <= _MAX_SRGB_DIFFERENCE)


def to_srgb(array: np.ndarray, icc: bytes | None) -> np.ndarray:
    """(h, w, 3 or 4) uint8 in the profile's space → sRGB; alpha stays. A broken profile changes nothing."""
    return convert(array, icc, None)


def from_srgb(array: np.ndarray, icc: bytes | None) -> np.ndarray:
    """(h, w, 3 or 4) uint8 in sRGB → the profile's space; alpha stays. A broken profile changes nothing."""
    return convert(array, None, icc)


def convert(array: np.ndarray, from_icc: bytes | None, to_icc: bytes | None) -> np.ndarray:
    """(h, w, 3 or 4) uint8 from one RGB space to another; the array itself where both are the same.

    Relative colorimetric with black point compensation; what the target cannot hold is clipped. Alpha stays.
    """
    if from_icc == to_icc or (is_srgb(from_icc) and is_srgb(to_icc)):
        return array
    return _convert(array, from_icc, to_icc)


def convert_image(image: Image.Image, from_icc: bytes | None, to_icc: bytes | None) -> Image.Image:
    """A grey, CMYK or RGB picture in its profile's space as RGB in another. Raises PyCMSError or OSError."""
    return _apply(image, _profile(from_icc), _profile(to_icc), "RGB")


def _convert(array: np.ndarray, from_icc: bytes | None, to_icc: bytes | None) -> np.ndarray:
    try:
        colours = np.asarray(convert_image(Image.fromarray(array[..., :3]), from_icc, to_icc))
    except _BROKEN:
        return array
    return colours if array.shape[2] == 3 else np.dstack([colours, array[..., 3]])


def _apply(
    image: Image.Image, source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    converted = ImageCms.profileToProfile(image, source, target, _INTENT, outputMode=mode, flags=_FLAGS)
    assert converted is not None  # only a change in place returns None
    return converted


def _profile(icc: bytes | None) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB") if icc is None else io.BytesIO(icc))
