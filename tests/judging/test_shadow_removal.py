"""What was put in, without the shadow that it throws."""

from __future__ import annotations

import cv2
import numpy as np

from function.judging.shadow_removal import remove_shadow, share_beside
from tests.judging.samples import (
    HEIGHT,
    ORANGE,
    PRODUCT,
    WIDTH,
    composite,
    crop_of,
    cropped,
    outline,
    piece,
    room,
    shadow,
    with_a_thing_beside,
)


def test_its_shadow_is_taken_out():
    mask = np.maximum(outline(), cv2.inRange(shadow(), 0.1, 1.0))
    body = remove_shadow(piece(composite(ORANGE), mask)).product_mask > 0.5
    assert np.mean(body == (cropped(outline()) > 127)) > 0.97
    assert remove_shadow(piece(composite(ORANGE), mask)).height <= PRODUCT[3] + 6


def test_a_dark_product_is_no_shadow():
    dark = np.clip(room()[: PRODUCT[3], : PRODUCT[2]] * 0.3, 0, 255).astype(np.uint8)
    answer = composite(dark, shade=np.zeros((HEIGHT, WIDTH), np.float32))
    crop = piece(answer, outline())
    assert remove_shadow(crop) is crop


def test_a_known_outline_stays():
    known = crop_of(composite(ORANGE))
    assert remove_shadow(known) is known


def test_the_bright_label_of_a_dark_product_is_not_all_of_it():
    dark = np.clip(room()[: PRODUCT[3], : PRODUCT[2]] * 0.3, 0, 255).astype(np.uint8)
    dark[60:110, 25:75] = (230, 120, 40)
    answer = composite(dark, shade=np.zeros((HEIGHT, WIDTH), np.float32))
    crop = piece(answer, outline())
    assert remove_shadow(crop) is crop


def test_what_a_shadow_joins_to_the_product_stands_beside_it():
    crop = piece(composite(ORANGE), outline())
    left, top, _, down = cv2.boundingRect((crop.product_mask > 0.5).astype(np.uint8))
    thing = (2, top + down - 60, left - 16, 60)
    assert left > 30
    assert share_beside(crop) == 0
    assert share_beside(with_a_thing_beside(thing)) > 0.05
    assert share_beside(with_a_thing_beside(thing, dark=True)) == 0
