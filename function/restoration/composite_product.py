"""Composites the product's photograph into the result, under the light that was measured on it."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import NO_ARRAY
from function.matching.place import Place
from function.restoration.compositing import alpha_composite, crop_matrix, tiles
from function.restoration.placed_reference import PlacedReference
from function.restoration.product_light import apply_log_gain


def composite_product(
    image: np.ndarray,
    product: np.ndarray,
    place: Place,
    log_gain: np.ndarray,
    corner: tuple[int, int],
    grid: tuple[int, int],
) -> float:
    """Lays `product` (ph, pw, 4) uint8 RGBA at `place` over `image` (H, W, 3) uint8, in place; gives the share 0..1 of
    the image that it covers.

    log_gain (h, w, 3) float32 is the log of the factor on each colour; it lies at `corner` (x, y) of an image of the
    whole scene of `grid` (width, height).
    """
    full_size = image.shape[1], image.shape[0]
    photograph = PlacedReference.of(product, place, full_size)
    covered = 0.0
    for tile in tiles(photograph.box):
        x, y, width, height = tile
        matrix = crop_matrix(grid, full_size, tile)
        matrix[:, 2] -= corner
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        gain = cv2.warpAffine(log_gain, matrix, (width, height), NO_ARRAY, flags, cv2.BORDER_REPLICATE)
        lit = apply_log_gain(photograph.colours(tile), gain)
        coverage = photograph.coverage(tile)
        under = image[y : y + height, x : x + width]
        under[:] = alpha_composite(np.ascontiguousarray(under), lit, coverage)
        covered += float(coverage.sum()) / 255
    return float(covered / (full_size[0] * full_size[1]))
