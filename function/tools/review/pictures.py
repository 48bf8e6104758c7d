"""The pictures beside the page: small for the grid, larger for the detail, the original for 100 %."""

import base64
import binascii
import hashlib
import io
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageFilter, ImageOps

from function.tools.review.pair import Load

THUMB_PX = 480  # longest side in the grid: a card is about 300 CSS pixels wide
PREVIEW_PX = 1600  # longest side in the detail view: fills a laptop's screen
PRODUCT_PX = 960  # longest side of the product photograph, which is shown beside the others

_WEBP = {"quality": 82, "method": 3}  # method 3 of 6: half the time of 6 for 5 % more bytes
_FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # what Pillow raises

_ORIENTATION = 0x0112  # EXIF tag
_TURNED = (5, 6, 7, 8)  # its values that swap width and height
_SHA256 = re.compile(r"[0-9a-f]{64}")

_MASK_BYTES = 1 << 20  # a mask in a sidecar is a grey PNG of at most 512 px: far below
_MASK_PX = 2048
_TINT = (255, 46, 126)  # a pink that no product shot is lit with, seen on dark and on bright
_TINT_ALPHA = 0.42
_EDGE_ALPHA = 235
_INSIDE = 32  # of 255: below, a change is not seen
_OVERLAY_PX = 1280  # longest side


@dataclass(frozen=True)
class Picture:
    """Files of one picture, named relative to the page. `size` is (width, height) of the original."""

    size: tuple[int, int]
    thumb: str | None = None
    preview: str | None = None
    full: str | None = None


@dataclass(frozen=True)
class ChangeMask:
    """`overlay` is a file named relative to the page, `centre` lies in the picture as shares of width and height."""

    overlay: str
    centre: tuple[float, float]


class PictureFolder:
    """Writes pictures named by their content: equal scenes are stored once, a second run writes only news."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(
        self,
        source: bytes | Load | None,
        record: object = None,
        *,
        thumb: bool = False,
        preview_px: int = PREVIEW_PX,
        full: bool = False,
    ) -> Picture | None:
        """Stores a picture (PNG, JPEG or WebP bytes). None when there is none or it cannot be read.

        `record` is the sidecar's {sha256, width, height} of it: where that picture stands in the folder
        already, it is not read again.
        """
        if source is None:
            return None
        standing = self._standing(record, thumb, preview_px, full)
        if standing:
            return standing
        try:
            data = source() if callable(source) else source
            if not data:
                return None
            with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as image:
                return self._add(image, data, thumb, preview_px, full)
        except _UNREADABLE:
            return None

    def _standing(self, record: object, thumb: bool, preview_px: int, full: bool) -> Picture | None:
        known = _known(record)
        if not known:
            return None
        digest, size = known
        if not all((self._folder / name).exists() for name in _names(digest, thumb, preview_px)):
            return None
        endings = [ending for ending in _FORMATS.values() if (self._folder / f"{digest}.{ending}").exists()]
        if full and not endings:
            return None
        return self._picture(digest, size, thumb, preview_px, endings[0] if full else None)

    def _add(self, image: Image.Image, data: bytes, thumb: bool, preview_px: int, full: bool) -> Picture:
        digest = hashlib.sha256(data).hexdigest()
        ending = _FORMATS[image.format]
        size = image.size[::-1] if image.getexif().get(_ORIENTATION, 1) in _TURNED else image.size
        wanted = _names(digest, thumb, preview_px)
        missing = {name: px for name, px in wanted.items() if not (self._folder / name).exists()}
        if missing:
            image.draft("RGB", (preview_px, preview_px))  # a JPEG is decoded no larger than needed
            upright = _to_srgb(ImageOps.exif_transpose(image))
            for name, px in missing.items():
                small = upright.copy()
                small.thumbnail((px, px), Image.Resampling.LANCZOS, reducing_gap=3.0)
                buffer = io.BytesIO()
                small.save(buffer, "WEBP", **_WEBP)
                self._write(name, buffer.getvalue())
        if full:
            self._write(f"{digest}.{ending}", data)
        return self._picture(digest, size, thumb, preview_px, ending if full else None)

    def _picture(
        self, digest: str, size: tuple[int, int], thumb: bool, preview_px: int, full_ending: str | None
    ) -> Picture:
        return Picture(
            size=size,
            thumb=self._name(f"{digest}-{THUMB_PX}.webp") if thumb else None,
            preview=self._name(f"{digest}-{preview_px}.webp"),
            full=self._name(f"{digest}.{full_ending}") if full_ending else None,
        )

    def add_change_mask(self, data_uri: object) -> ChangeMask | None:
        """Turns the sidecar's change mask (grey PNG as a data: URI) into a see-through tint with an edge."""
        if not isinstance(data_uri, str) or len(data_uri) > _MASK_BYTES:
            return None
        head, _, encoded = data_uri.partition(",")
        if head != "data:image/png;base64":
            return None
        try:
            data = base64.b64decode(encoded, validate=True)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if max(image.size) > _MASK_PX:
                    return None
                mask = image.convert("L")
        except (*_UNREADABLE, binascii.Error):
            return None
        name = f"{hashlib.sha256(data).hexdigest()}-change.webp"
        if not (self._folder / name).exists():
            buffer = io.BytesIO()
            _tinted(mask).save(buffer, "WEBP", lossless=True, method=3)
            self._write(name, buffer.getvalue())
        return ChangeMask(self._name(name), _centre(mask))

    def _name(self, name: str) -> str:
        return f"{self._folder.name}/{name}"

    def _write(self, name: str, data: bytes) -> None:
        """Never leaves half a file, also when two threads store the same picture."""
        path = self._folder / name
        if path.exists():
            return
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".part-", delete=False) as part:
            part.write(data)
        os.chmod(part.name, 0o644)  # noqa: PTH101  (a temporary file is private; a page is for showing)
        Path(part.name).replace(path)


def _names(digest: str, thumb: bool, preview_px: int) -> dict[str, int]:
    """File name -> longest side of the shrunk copies."""
    sides = (preview_px, THUMB_PX) if thumb else (preview_px,)
    return {f"{digest}-{px}.webp": px for px in sides}


def _known(record: object) -> tuple[str, tuple[int, int]] | None:
    """Digest and size as the sidecar has them, when they are well formed."""
    if not isinstance(record, dict):
        return None
    digest, size = record.get("sha256"), (record.get("width"), record.get("height"))
    well_formed = (
        isinstance(digest, str) and _SHA256.fullmatch(digest) and all(type(px) is int and px > 0 for px in size)
    )
    return (digest, size) if well_formed else None


def _to_srgb(image: Image.Image) -> Image.Image:
    """RGB or RGBA in sRGB, so that a preview needs no profile."""
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    profile = image.info.get("icc_profile")
    mode = "RGBA" if has_alpha else "RGB"
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image.convert(mode)
    alpha = image.convert("RGBA").getchannel("A") if has_alpha else None
    plain = image.convert("RGB") if has_alpha else image
    try:
        plain = ImageCms.profileToProfile(
            plain,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        plain = plain.convert("RGB")  # a broken profile costs exact colour, not the preview
    plain.info.pop("icc_profile", None)
    if alpha:
        plain.putalpha(alpha)
    return plain


def _tinted(mask: Image.Image) -> Image.Image:
    """(w, h) grey change mask -> RGBA of _OVERLAY_PX: tint where it changed, a clear line along its edge."""
    scale = _OVERLAY_PX / max(mask.size)
    size = tuple(max(1, round(side * scale)) for side in mask.size)
    mask = mask.resize(size, Image.Resampling.BICUBIC)  # the mask is coarse: its edge should not show steps
    inside = mask.point(lambda value: 255 if value >= _INSIDE else 0)
    edge = ImageChops.subtract(inside.filter(ImageFilter.MaxFilter(5)), inside)
    fill = mask.point(lambda value: round(value * _TINT_ALPHA))
    alpha = ImageChops.lighter(fill, edge.point(lambda value: _EDGE_ALPHA if value else 0))
    overlay = Image.new("RGBA", mask.size, (*_TINT, 0))
    overlay.putalpha(alpha)
    return overlay


def _centre(mask: Image.Image) -> tuple[float, float]:
    """Middle of the change as shares of width and height; squared, so that the product outweighs its shadow."""
    weight = (np.asarray(mask, np.float64) / 255) ** 2
    if not weight.any():
        return 0.5, 0.5
    across = np.average(np.arange(weight.shape[1]) + 0.5, weights=weight.sum(axis=0)) / weight.shape[1]
    down = np.average(np.arange(weight.shape[0]) + 0.5, weights=weight.sum(axis=1)) / weight.shape[0]
    return float(across), float(down)
