"""Compositing at full resolution, in tiles over the changed box only: alpha (Porter and Duff, 1984) and shading."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox

# Rows of a strip are chosen so that one float32 strip of three channels stays near 12 MB.
TILE_PIXELS = 1_000_000
# Strips along a mask are no higher than this many rows, so that a speck beside the product costs its own rows only.
MASK_TILE_ROWS = 256


def crop_matrix(from_size: tuple[int, int], full_size: tuple[int, int], box: PixelBox) -> np.ndarray:
    """(2, 3) float64: pixel centres of `box` at `full_size` -> those of an image of `from_size`."""
    scale_x, scale_y = from_size[0] / full_size[0], from_size[1] / full_size[1]
    return np.array([[scale_x, 0, (box[0] + 0.5) * scale_x - 0.5], [0, scale_y, (box[1] + 0.5) * scale_y - 0.5]])


def enlarge_crop(
    image: np.ndarray, full_size: tuple[int, int], box: PixelBox, interpolation: int = cv2.INTER_LINEAR
) -> np.ndarray:
    """The part of `image`, enlarged to `full_size`, that lies in `box` (x, y, width, height)."""
    matrix = crop_matrix((image.shape[1], image.shape[0]), full_size, box)
    return cv2.warpAffine(
        image,
        matrix,
        (box[2], box[3]),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def mask_bounding_box(mask: np.ndarray, full_size: tuple[int, int]) -> PixelBox | None:
    """Smallest box at `full_size` that holds all of `mask` (h, w) > 0; None if it is empty."""
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    return upscaled_box((x, y, width, height), (mask.shape[1], mask.shape[0]), full_size) if width else None


def upscaled_box(box: PixelBox, from_size: tuple[int, int], full_size: tuple[int, int]) -> PixelBox:
    """`box` of an image of `from_size` (width, height) at `full_size`, with one pixel of the smaller image more on each
    side, for the interpolation."""
    x, y, width, height = box
    scale_x, scale_y = full_size[0] / from_size[0], full_size[1] / from_size[1]
    left, top = max(0, int((x - 1) * scale_x)), max(0, int((y - 1) * scale_y))
    right = min(full_size[0], int(np.ceil((x + width + 1) * scale_x)))
    bottom = min(full_size[1], int(np.ceil((y + height + 1) * scale_y)))
    return left, top, right - left, bottom - top


def tiles(box: PixelBox) -> Iterator[PixelBox]:
    """`box` cut into strips of about `TILE_PIXELS`."""
    x, y, width, height = box
    rows = max(1, TILE_PIXELS // max(1, width))
    for top in range(y, y + height, rows):
        yield x, top, width, min(rows, y + height - top)


def mask_tiles(mask: np.ndarray, full_size: tuple[int, int], box: PixelBox) -> Iterator[PixelBox]:
    """`box` at `full_size` cut into strips, each as wide as what the small `mask` (h, w) has in its rows; those in
    which it has nothing are left out.
    """
    x, y, width, height = box
    scale_x, scale_y = full_size[0] / mask.shape[1], full_size[1] / mask.shape[0]
    step = max(1, min(MASK_TILE_ROWS, TILE_PIXELS // max(1, width)))
    for top in range(y, y + height, step):
        rows = min(step, y + height - top)
        # One pixel of the small mask more on each side, for the interpolation, as in `mask_bounding_box`.
        seen = mask[max(0, int(top / scale_y) - 1) : int(np.ceil((top + rows) / scale_y)) + 1]
        first, _, columns, _ = cv2.boundingRect((seen > 0).astype(np.uint8))
        left = max(x, int((first - 1) * scale_x))
        right = min(x + width, int(np.ceil((first + columns + 1) * scale_x)))
        if columns and left < right:
            yield left, top, right - left, rows


def apply_shading(crop: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """`crop` (h, w, 3) uint8 times `ratio` (h, w, 3) float32, uint8."""
    return cv2.multiply(crop, ratio, dtype=cv2.CV_8U)


def alpha_composite(background: np.ndarray, foreground: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """`foreground` over `background`, both (h, w, 3) uint8, by `coverage` (h, w) uint8; uint8."""
    share = coverage.astype(np.float32) * np.float32(1 / 255)
    return cv2.blendLinear(foreground, background, share, 1 - share)
