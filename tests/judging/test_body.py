"""What was put in, without the shadow that it throws."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.body import without_shadow
from tests.judging.samples import HEIGHT, PRODUCT, WIDTH, composite, crop, outline, room, shadow, view

ORANGE = np.full((PRODUCT[3], PRODUCT[2], 3), (220, 120, 30), np.uint8)


def piece(answer: np.ndarray, mask: np.ndarray, **changes):
    """The view when only `mask` (HEIGHT, WIDTH) uint8 is known to have been put in."""
    cover = crop(mask).astype(np.float32) / 255
    return view(answer, found=False, fitted=False, cover=cover, put_in=cover, **changes)


def test_its_shadow_is_taken_out():
    mask = np.maximum(outline(), cv2.inRange(shadow(), 0.1, 1.0))
    body = without_shadow(piece(composite(ORANGE), mask)).cover > 0.5
    assert np.mean(body == (crop(outline()) > 127)) > 0.97
    assert without_shadow(piece(composite(ORANGE), mask)).height <= PRODUCT[3] + 6


def test_a_dark_product_is_no_shadow():
    dark = np.clip(room()[: PRODUCT[3], : PRODUCT[2]] * 0.3, 0, 255).astype(np.uint8)
    answer = composite(dark, shade=np.zeros((HEIGHT, WIDTH), np.float32))
    seen = piece(answer, outline())
    assert without_shadow(seen) is seen


def test_a_known_outline_stays():
    known = view(composite(ORANGE))
    assert without_shadow(known) is known


def test_the_bright_label_of_a_dark_product_is_not_all_of_it():
    dark = np.clip(room()[: PRODUCT[3], : PRODUCT[2]] * 0.3, 0, 255).astype(np.uint8)
    dark[60:110, 25:75] = (230, 120, 40)
    answer = composite(dark, shade=np.zeros((HEIGHT, WIDTH), np.float32))
    seen = piece(answer, outline())
    assert without_shadow(seen) is seen
