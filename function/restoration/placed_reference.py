"""The product's photograph at a known place: its pixels and its own silhouette at any resolution.

Where the photograph is finer than the image it is downscaled once, by area, its colours extrapolated beyond the
silhouette (push-pull, `matching/reference_image.py`); then any box of the image is resampled from it. An enlarged alpha
is made as narrow again as it was, up to a limit beyond which the photograph's own steps would show.

In: photograph (ph, pw, 4) uint8, `Place`, size of the image. Out: rgb (h, w, 3) and coverage (h, w) uint8 of a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import NO_ARRAY, PixelBox
from function.matching.place import Place, outline_box
from function.matching.reference_image import extrapolate_colours

# Transparent pixels kept around the outline, so that it ends in nothing.
PADDING_PX = 4
# An outline that is enlarged is made as narrow again, up to so many times: more would show the photograph's own steps.
MAX_NARROWING = 4.0


@dataclass(frozen=True)
class PlacedReference:
    """A photograph made ready for an image of one size.

    rgb     (h, w, 3) uint8, shrunk where it is finer than the image, colours carried on beyond the outline
    alpha   (h, w) uint8, its coverage
    matrix  (2, 3) float64, pixel centres of the image -> those of `rgb`
    size    (width, height) of the image
    """

    rgb: np.ndarray
    alpha: np.ndarray
    matrix: np.ndarray
    size: tuple[int, int]

    @classmethod
    def of(cls, product: np.ndarray, place: Place, size: tuple[int, int]) -> PlacedReference:
        """`product` (ph, pw, 4) uint8 RGBA at `place` in an image of `size`."""
        alpha = np.ascontiguousarray(product[..., 3])
        outline = outline_box(alpha)
        x, y, width, height = place.pixels(size)
        left, top, across, down = _padded(cv2.boundingRect(alpha), alpha.shape)
        inner = np.s_[top : top + down, left : left + across]
        density = outline[2] / width, outline[3] / height
        small = tuple(max(2, round(side / max(1.0, p))) for side, p in zip((across, down), density, strict=True))
        rgb = extrapolate_colours(np.ascontiguousarray(product[inner]), alpha[inner], (small[0], small[1]))
        coverage = cv2.resize(alpha[inner], (small[0], small[1]), interpolation=cv2.INTER_AREA)
        step = small[0] / across, small[1] / down
        scale = density[0] * step[0], density[1] * step[1]
        shift = (
            (outline[0] - left) * step[0] - x * scale[0],
            (outline[1] - top) * step[1] - y * scale[1],
        )
        matrix = np.array(
            [[scale[0], 0, shift[0] + 0.5 * scale[0] - 0.5], [0, scale[1], shift[1] + 0.5 * scale[1] - 0.5]]
        )
        return cls(rgb, coverage, matrix, size)

    @property
    def box(self) -> PixelBox:
        """Box of the image outside of which the photograph covers nothing."""
        height, width = self.alpha.shape
        corners = np.array([[-0.5, width - 0.5], [-0.5, height - 0.5]])
        low, high = ((corners[:, i] - self.matrix[:, 2]) / self.matrix[[0, 1], [0, 1]] for i in (0, 1))
        left, top = (max(0, int(np.floor(value))) for value in low)
        right, bottom = (min(side, int(np.ceil(value)) + 1) for side, value in zip(self.size, high, strict=True))
        return left, top, max(0, right - left), max(0, bottom - top)

    def colours(self, box: PixelBox) -> np.ndarray:
        """(h, w, 3) uint8: its pixels in `box` of the image."""
        return self._warped(self.rgb, box, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)

    def coverage(self, box: PixelBox) -> np.ndarray:
        """(h, w) uint8: its coverage in `box` of the image, as narrow at the outline as it was before."""
        soft = self._warped(self.alpha, box, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        enlargement = min(MAX_NARROWING, 1 / max(self.matrix[0, 0], self.matrix[1, 1]))
        if enlargement <= 1:
            return soft
        levels = (np.arange(256) - 127.5) * enlargement + 127.5
        return cv2.LUT(soft, np.clip(np.rint(levels), 0, 255).astype(np.uint8))

    def _warped(self, image: np.ndarray, box: PixelBox, interpolation: int, border: int) -> np.ndarray:
        matrix = self.matrix.copy()
        matrix[:, 2] += matrix[:, :2] @ np.array(box[:2], np.float64)
        flags = interpolation | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, matrix, (box[2], box[3]), NO_ARRAY, flags, border)


def _padded(box: Sequence[int], shape: tuple[int, ...]) -> PixelBox:
    left, top = max(0, box[0] - PADDING_PX), max(0, box[1] - PADDING_PX)
    right, bottom = min(shape[1], box[0] + box[2] + PADDING_PX), min(shape[0], box[1] + box[3] + PADDING_PX)
    return left, top, right - left, bottom - top
