"""The pictures beside the page: small for the grid, larger for the detail, the original for 100 %."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from function.errors import SourceError
from function.imaging.data_uri import decode_data_uri
from function.imaging.decode import decode, inspect
from function.imaging.formats import FORMATS, detect_format
from function.imaging.frame import Size, fit_within
from function.imaging.icc import to_srgb
from function.tools.review.pair import Load

THUMB_PX = 480  # longest side in the grid: a card is about 300 CSS pixels wide
PREVIEW_PX = 1600  # longest side in the detail view: fills a laptop's screen
PRODUCT_PX = 960  # longest side of the product photograph, which is shown beside the others
MAX_PIXELS = 178_000_000  # of a picture that is decoded; Pillow's own limit, 0.7 GB as RGBA

WEBP_QUALITY = 82
WEBP_METHOD = 3  # of 6: half the time of 6 for 5 % more bytes
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # what Pillow raises
SHA256 = re.compile(r"[0-9a-f]{64}")

MAX_MASK_BYTES = 1 << 20  # a mask in a sidecar is a grey PNG of at most 512 px: far below
MAX_MASK_PX = 2048
TINT = (255, 46, 126)  # a pink that no product shot is lit with, seen on dark and on bright
TINT_ALPHA = 0.42
EDGE_ALPHA = 235
INSIDE_FROM = 32  # of 255: below, a change is not seen
OVERLAY_PX = 1280  # longest side


@dataclass(frozen=True)
class Picture:
    """Files of one picture, named relative to the page. `size` is (width, height) of the original."""

    size: Size
    thumb: str | None = None
    preview: str | None = None
    full: str | None = None


def picture_data(picture: object) -> dict[str, object] | None:
    """A picture as the page reads it; None without one."""
    if not isinstance(picture, Picture):
        return None
    return {
        "size": list(picture.size),
        "thumb": picture.thumb,
        "preview": picture.preview,
        "full": picture.full,
    }


@dataclass(frozen=True)
class ChangeMask:
    """`overlay` is a file named relative to the page, `centre` lies in the picture as shares of width and height."""

    overlay: str
    centre: tuple[float, float]


class PictureFolder:
    """A folder of pictures named by their content: equal scenes are stored once, a second run writes only news."""

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
        """Store a picture (bytes of a format in FORMATS) → its files; None when there is none or it cannot be read.

        `record` is the sidecar's {sha256, width, height} of it: where that picture stands in the folder
        already, it is not read again.
        """
        if source is None:
            return None
        cached = self._cached(record, thumb, preview_px, full)
        if cached:
            return cached
        try:
            data = source() if callable(source) else source
            return self._add(data, thumb, preview_px, full) if data else None
        except UNREADABLE:
            return None

    def _cached(self, record: object, thumb: bool, preview_px: int, full: bool) -> Picture | None:
        known = _known(record)
        if not known:
            return None
        digest, size = known
        if not all((self._folder / name).exists() for name in _names(digest, thumb, preview_px)):
            return None
        suffixes = [kind.suffix for kind in FORMATS.values() if (self._folder / f"{digest}{kind.suffix}").exists()]
        if full and not suffixes:
            return None
        return self._picture(digest, size, thumb, preview_px, suffixes[0] if full else None)

    def _add(self, data: bytes, thumb: bool, preview_px: int, full: bool) -> Picture | None:
        name = detect_format(data)
        if name is None:
            return None
        digest, size = hashlib.sha256(data).hexdigest(), _size_of(data)
        wanted = _names(digest, thumb, preview_px)
        missing = {file: px for file, px in wanted.items() if not (self._folder / file).exists()}
        if missing:
            preview = _preview(data, fit_within(size, preview_px))
            for file, px in missing.items():
                buffer = io.BytesIO()
                _shrunk(preview, fit_within(size, px)).save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
                self._write(file, buffer.getvalue())
        suffix = FORMATS[name].suffix if full and FORMATS[name].writing else None  # a browser shows no HEIC and no TIFF
        if suffix:
            self._write(f"{digest}{suffix}", data)
        return self._picture(digest, size, thumb, preview_px, suffix)

    def _picture(self, digest: str, size: Size, thumb: bool, preview_px: int, full_suffix: str | None) -> Picture:
        return Picture(
            size=size,
            thumb=self._name(f"{digest}-{THUMB_PX}.webp") if thumb else None,
            preview=self._name(f"{digest}-{preview_px}.webp"),
            full=self._name(f"{digest}{full_suffix}") if full_suffix else None,
        )

    def add_change_mask(self, data_uri: object) -> ChangeMask | None:
        """The sidecar's change mask (grey PNG as a data: URI) as a see-through tint with an edge; None without one."""
        if not isinstance(data_uri, str) or len(data_uri) > MAX_MASK_BYTES:
            return None
        try:
            data = decode_data_uri(data_uri)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if max(image.size) > MAX_MASK_PX:
                    return None
                mask = image.convert("L")
        except UNREADABLE:
            return None
        name = f"{hashlib.sha256(data).hexdigest()}-change.webp"
        if not (self._folder / name).exists():
            buffer = io.BytesIO()
            _tinted(mask).save(buffer, "WEBP", lossless=True, method=3)
            self._write(name, buffer.getvalue())
        return ChangeMask(self._name(name), _centre(mask))

    def path(self, name: str) -> Path:
        """Where a file lies that a Picture names."""
        return self._folder.parent / name

    def _name(self, name: str) -> str:
        return f"{self._folder.name}/{name}"

    def _write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all, also when two threads store the same picture."""
        path = self._folder / name
        if path.exists():
            return
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".part-", delete=False) as part:
            part.write(data)
        os.chmod(part.name, 0o644)  # noqa: PTH101  (a temporary file is private; a page is for showing)
        Path(part.name).replace(path)


def _names(digest: str, thumb: bool, preview_px: int) -> dict[str, int]:
    """File name → longest side of the shrunk copies."""
    sides = (preview_px, THUMB_PX) if thumb else (preview_px,)
    return {f"{digest}-{px}.webp": px for px in sides}


def _known(record: object) -> tuple[str, Size] | None:
    """Digest and size as the sidecar has them, when they are well formed."""
    if not isinstance(record, dict):
        return None
    digest, width, height = (record.get(key) for key in ("sha256", "width", "height"))
    if not isinstance(digest, str) or not SHA256.fullmatch(digest):
        return None
    if type(width) is not int or type(height) is not int or min(width, height) < 1:
        return None
    return digest, (width, height)


def _size_of(data: bytes) -> Size:
    """Width and height as displayed. Raises what UNREADABLE lists."""
    try:
        return inspect(data, "picture", max_pixels=MAX_PIXELS).size
    except SourceError:
        return _by_pillow(data).size


def _preview(data: bytes, size: Size) -> Image.Image:
    """The picture upright at `size` (width, height), RGB or RGBA in sRGB. Raises what UNREADABLE lists."""
    try:
        pixels = decode(data, "picture", max_pixels=MAX_PIXELS, at_least=size)
    except SourceError:
        return _shrunk(_by_pillow(data), size)
    small = _shrunk(Image.fromarray(pixels.array), size)
    return small if pixels.icc is None else Image.fromarray(to_srgb(np.asarray(small), pixels.icc))


def _by_pillow(data: bytes) -> Image.Image:
    """A picture that the function refuses, as far as Pillow can open it: a look helps to see why its pair failed."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
        upright = ImageOps.exif_transpose(image)
        return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def _shrunk(image: Image.Image, size: Size) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _tinted(mask: Image.Image) -> Image.Image:
    """Grey change mask → RGBA of OVERLAY_PX: tint where it changed, a clear line along its edge."""
    scale = OVERLAY_PX / max(mask.size)
    width, height = (max(1, round(side * scale)) for side in mask.size)
    mask = mask.resize((width, height), Image.Resampling.BICUBIC)  # the mask is coarse: its edge should not show steps
    inside = mask.point(lambda value: 255 if value >= INSIDE_FROM else 0)
    edge = ImageChops.subtract(inside.filter(ImageFilter.MaxFilter(5)), inside)
    fill = mask.point(lambda value: round(value * TINT_ALPHA))
    alpha = ImageChops.lighter(fill, edge.point(lambda value: EDGE_ALPHA if value else 0))
    overlay = Image.new("RGBA", mask.size, (*TINT, 0))
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
