"""The generated image resampled once, from its own pixels to the scene's full resolution.

Registration, edge displacement and enlargement are one mapping, so that the image is interpolated once (bicubic); where
the result is coarser it is area-averaged first, as an anti-alias filter. Colours are matched and slopes sharpened in
the same pass, tile by tile, each with the margin that sharpening needs.

In: image (h', w', 3) uint8 as returned, mapping (h, w, 2) float32 px, `ColourMatch`. Out: any box (h, w, 3) uint8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, remap, to_bytes
from function.restoration.colour_transfer import ColourMatch
from function.restoration.compositing import enlarge_crop, mask_tiles, tiles
from function.restoration.sharpening import sharpen, sharpening_margin


@dataclass(frozen=True)
class ResampledImage:
    """What is needed to resample the generated image once, from its own pixels to those of the result.

    pixels       (h', w', 3) uint8, the generated image as returned; shrunk where the result is coarser
    mapping      (h, w, 2) float32, at analysis size: where each pixel of the scene lies in `pixels`
    colours      the fit that takes the generated image's colours to the scene's
    full_size    (width, height) of the result
    enlargement  result pixels per pixel of the generated image as returned; under 1 where the result is coarser
    strength     share 0..1 of the strongest sharpening
    """

    pixels: np.ndarray
    mapping: np.ndarray
    colours: ColourMatch
    full_size: tuple[int, int]
    enlargement: float
    strength: float = 0.0

    @classmethod
    def of(
        cls, generated: np.ndarray, mapping: np.ndarray, colours: ColourMatch, full_size: tuple[int, int]
    ) -> ResampledImage:
        """`generated` (h', w', 3) uint8 as returned, `mapping` (h, w, 2) float32 into it; not sharpened."""
        step = float(np.median(mapping[:, -1, 0] - mapping[:, 0, 0])) / full_size[0]
        pixels, share = antialias_downsample(generated, step)
        if share != 1:
            mapping = (mapping + np.float32(0.5)) * np.float32(share) - np.float32(0.5)
        return cls(pixels, mapping, colours, full_size, 1 / max(step, 1e-3))

    def sharpened(self, strength: float) -> ResampledImage:
        """The same with sharpening of `strength` 0..1."""
        return replace(self, strength=strength)

    def displaced(self, displacement: np.ndarray, corner: tuple[int, int]) -> ResampledImage:
        """The same, sampled elsewhere in one part of it.

        displacement (h'', w'', 2) float32, x and y in analysis pixels, for the part of the analysis at `corner` (x, y).
        """
        x, y = corner
        height, width = displacement.shape[:2]
        mapping = self.mapping.copy()
        pixels_per_step = (mapping[:, -1, 0] - mapping[:, 0, 0]).mean() / max(1, mapping.shape[1] - 1)
        mapping[y : y + height, x : x + width] += displacement * pixels_per_step
        return replace(self, mapping=mapping)

    def crop(self, box: PixelBox, wanted: np.ndarray | None = None) -> np.ndarray:
        """The part (h, w, 3) uint8 in `box` of the result: cubic, colours matched, sharpened.

        Black may stand where the mask `wanted` (h', w'), at analysis size, has nothing.
        """
        crop = np.zeros((box[3], box[2], 3), np.uint8)
        margin = sharpening_margin(self.enlargement) if self.strength else 0
        for left, top, width, height in tiles(box) if wanted is None else mask_tiles(wanted, self.full_size, box):
            # Pixels around the strip, so that strips are sharpened as the whole is.
            before, above = min(margin, left - box[0]), min(margin, top - box[1])
            after = min(margin, box[0] + box[2] - left - width)
            below = min(margin, box[1] + box[3] - top - height)
            matched = self._resampled((left - before, top - above, width + before + after, height + above + below))
            x, y = left - box[0], top - box[1]
            crop[y : y + height, x : x + width] = matched[above : above + height, before : before + width]
        return crop

    def _resampled(self, box: PixelBox) -> np.ndarray:
        places = enlarge_crop(self.mapping, self.full_size, box)
        pixels = remap(self.pixels, places, cv2.INTER_CUBIC)
        if self.strength:
            pixels = sharpen(pixels, remap(self.pixels, places, cv2.INTER_LINEAR), self.enlargement, self.strength)
        return to_bytes(self.colours.apply(pixels, enlarge_crop(self.colours.gain_map, self.full_size, box)))


def antialias_downsample(generated: np.ndarray, step: float) -> tuple[np.ndarray, float]:
    """`generated` (h, w, 3) shrunk by area where a pixel of the result takes a `step` of more than one of its pixels,
    and the share that it was shrunk to: sampled one by one they would alias.
    """
    if step <= 1:
        return generated, 1.0
    return cv2.resize(generated, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA), 1 / step
