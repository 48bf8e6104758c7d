"""What every generated image is compared with: the product's photograph, and what to search of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from function.matching.cutout.cut_out import CutOut
from function.matching.reference_template import ReferenceTemplate
from function.restoration.analysis import NUMERIC_ERRORS
from function.restoration.analysis_size import downscaled

# The product photograph is matched at this size, down to the least where a whole factor leads there.
PRODUCT_SIDE_PX, MIN_PRODUCT_SIDE_PX = 1024, 900


@dataclass(frozen=True)
class ProductReference:
    """What every generated image is compared with: the photograph (ph, pw, 4) uint8 shrunk, what to look for of it, and
    what of it is `hidden`, as in `ProductAnalysis`."""

    photograph: np.ndarray
    template: ReferenceTemplate | None
    hidden: np.ndarray | None = None

    @classmethod
    def of(cls, product: np.ndarray, cut: CutOut | None = None) -> ProductReference:
        """`product` (h, w, 4) uint8 RGBA, and how it was cut out. A photograph in which nothing is found is one that is
        not looked for."""
        small = _downscaled_product(product) if product.size else product
        hidden = None if cut is None else _hidden(cut, (small.shape[1], small.shape[0]))
        try:
            return cls(small, ReferenceTemplate.of(small), hidden)
        except NUMERIC_ERRORS:
            return cls(small, None, hidden)


def _downscaled_product(product: np.ndarray) -> np.ndarray:
    """The photograph at about `PRODUCT_SIDE_PX`; by a whole factor where one fits, in a tenth of the time."""
    longest = max(product.shape[:2])
    step = math.ceil(longest / PRODUCT_SIDE_PX)
    whole = all(side % step == 0 for side in product.shape[:2])
    return downscaled(product, longest // step if whole and longest // step >= MIN_PRODUCT_SIDE_PX else PRODUCT_SIDE_PX)


def _hidden(cut: CutOut, size: tuple[int, int]) -> np.ndarray | None:
    """(h, w, 2) uint8 of `size`; None where nothing is."""
    if cut.shadow is None and not cut.unknown.any():
        return None
    shadow = np.zeros(cut.unknown.shape, np.uint8) if cut.shadow is None else cut.shadow
    return cv2.resize(cv2.merge([cut.unknown.astype(np.uint8) * 255, shadow]), size, interpolation=cv2.INTER_AREA)
