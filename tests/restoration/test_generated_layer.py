"""The layer that the model drew: its mask stands on the ground, its pixels lie where they belong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.analysis import Analysis, ProductAnalysis
from function.restoration.colour_transfer import IDENTITY_COLOURS
from function.restoration.compositing import mask_bounding_box
from function.restoration.generated_layer import (
    composite_generated,
    extend_mask_to_ground,
    generated_with_detail,
    sharpened_image,
    unchanged_blocks,
)
from function.restoration.resampled_image import ResampledImage
from tests.judging.samples import HEIGHT, PRODUCT, WIDTH, composite, match, outline, photograph, room, scene


def test_the_mask_is_carried_on_below_the_base_only_and_only_where_something_changed():
    mask, change = np.zeros((2, 300, 200), np.uint8)
    mask[40:240, 60:120] = 255
    cv2.rectangle(mask, (140, 60), (160, 80), 255, -1)  # nothing grows under what is not the base
    change[30:260, 50:110] = 255
    change[50:120, 130:170] = 255
    grown = (extend_mask_to_ground(mask, change) > 127) & (mask < 128)
    assert grown[240:243, 60:110].all()
    assert not grown[:240].any() and not grown[248:].any() and not grown[240:, 110:].any()


def test_the_layer_covers_the_mask_from_its_own_box_and_nothing_beside_it():
    rng = np.random.default_rng(0)
    mask = np.zeros((90, 120), np.uint8)
    mask[30:60, 40:80] = 255
    size = (240, 180)
    layer = rng.integers(0, 100, (180, 240, 3)).astype(np.uint8)
    image = rng.integers(150, 256, (180, 240, 3)).astype(np.uint8)
    before = image.copy()
    left, top, width, height = box = mask_bounding_box(mask, size)
    composite_generated(image, layer[top : top + height, left : left + width], mask, np.zeros_like(mask), box)
    assert np.array_equal(image[64:116, 84:156], layer[64:116, 84:156])
    image[58:122, 78:162] = before[58:122, 78:162]
    assert np.array_equal(image, before)


def analysed() -> tuple[Analysis, ResampledImage]:
    """A room in which the product was found, and its layer as large as the answer."""
    answer = composite()
    found = Analysis(scene(answer), ProductAnalysis(photograph(), match(), outline()))
    mapping = found.scene.registration.mapping
    return found, ResampledImage.of(answer, mapping, IDENTITY_COLOURS, (WIDTH, HEIGHT))


BOX = (PRODUCT[0] - 20, PRODUCT[1] - 20, PRODUCT[2] + 40, PRODUCT[3] + 40)


def test_the_photograph_s_detail_is_laid_where_it_was_verified_and_its_share_is_told():
    found, layer = analysed()
    patch, quality, share, note = generated_with_detail([photograph()], found, layer, outline(), BOX)
    assert patch.shape == (BOX[3], BOX[2], 3) and patch.dtype == np.uint8
    assert (quality, note) == (0.9, "")
    assert share == pytest.approx(PRODUCT[2] * PRODUCT[3] / (WIDTH * HEIGHT), rel=0.1)
    assert np.abs(patch[20:-20, 20:-20].astype(int) - composite()[90:270, 190:290]).mean() < 4


def test_a_photograph_that_was_not_found_is_said_and_takes_the_quality_away():
    found, layer = analysed()
    lost = Analysis(found.scene, ProductAnalysis(photograph(), None, outline()))
    patch, quality, share, note = generated_with_detail([photograph()], lost, layer, outline(), BOX)
    assert (quality, share, note) == (0.0, 0.0, "the photograph was not found in the answer")
    assert np.array_equal(patch[25:-25, 25:-25], composite()[95:265, 195:285])  # the model's own
    both = Analysis(found.scene, found.product, (found, lost))
    _, quality, share, note = generated_with_detail([photograph()] * 2, both, layer, outline(), BOX)
    assert quality == 0.0 and share > 0.05
    assert note == "1 of 2 photographs were not found in the answer"


def test_blocks_of_the_scene_are_kept_as_they_are_before_it_is_relit_and_none_lies_on_the_change():
    found, _ = analysed()
    image = np.random.default_rng(2).integers(0, 256, (2 * HEIGHT, 2 * WIDTH, 3)).astype(np.uint8)
    before = image.copy()
    blocks = unchanged_blocks(image, found)
    image[:] = 0
    assert blocks
    for (x, y, width, height), own in blocks:
        assert np.array_equal(own, before[y : y + height, x : x + width])
        assert not found.scene.change[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2].any()


def test_an_answer_as_fine_as_the_result_is_not_sharpened():
    found, _ = analysed()
    assert sharpened_image(found, outline(), (WIDTH, HEIGHT), []).strength == 0
    enlarged = (2 * WIDTH, 2 * HEIGHT)
    large = cv2.resize(room(), enlarged, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(3).normal(0, 25, large.shape[:2])[..., None]
    fine = np.clip(large + noise, 0, 255).astype(np.uint8)  # much finer than the answer
    assert sharpened_image(found, outline(), enlarged, unchanged_blocks(fine, found)).strength > 0.5
