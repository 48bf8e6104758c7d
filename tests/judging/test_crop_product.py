"""The product is cropped with room around it, and its photograph lies where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.crop_product import crop_product
from function.restoration.analysis import ProductAnalysis
from tests.cases.answers import analysis_of
from tests.judging.samples import PRODUCT, composite, match, outline, photograph, scene


def test_the_crop_holds_the_product_and_room_around_it():
    analysis = analysis_of("can", "mild")
    crop, found = crop_product(analysis.scene, analysis.product), analysis.product.match
    x, y, width, height = crop.box
    inner = np.s_[y : y + height, x : x + width]
    assert np.array_equal(crop.product_mask, found.coverage[inner].astype(np.float32) / 255)
    assert crop.product_mask.sum() == pytest.approx(found.coverage.sum() / 255)
    assert not crop.product_mask[0].any() and not crop.product_mask[:, 0].any()
    assert crop.matched


@pytest.mark.parametrize("found", [match(), None], ids=["by its print", "by its outline"])
def test_the_photograph_lies_on_the_product(found):
    crop = crop_product(scene(composite()), ProductAnalysis(photograph(), found, outline()))
    assert crop.matched == (found is not None)
    assert crop.height == pytest.approx(180, abs=6)
    solid = np.minimum(crop.visible_mask, crop.product_mask) > 0.9
    error, moved = (
        np.abs(np.roll(crop.expected, by, axis=0).astype(float) - crop.generated)[solid].mean() for by in (0, 9)
    )
    assert error < 0.6 * moved


def test_nothing_inserted_has_no_crop():
    nothing = np.zeros_like(outline())
    assert crop_product(scene(composite()), ProductAnalysis(photograph(), None, nothing)) is None
    assert crop_product(scene(composite()), ProductAnalysis(photograph(), match(coverage=nothing), nothing)) is None


def test_a_product_that_is_turned_is_seen_as_the_piece_that_was_put_in():
    lying = np.zeros_like(outline())
    lying[200:260, 100:380] = 255
    crop = crop_product(scene(composite()), ProductAnalysis(photograph(), None, lying))
    assert not crop.fitted and not crop.matched
    assert crop.product_mask.sum() == 60 * 280 and crop.height == 60
    assert not crop.reference_mask.any()


def test_a_photograph_without_an_outline_covers_only_what_differs_from_the_scene():
    # The photograph shows a wall around the product, and all of it was found.
    uncut = photograph()
    wall = np.random.default_rng(0).integers(60, 200, uncut.shape).astype(np.uint8)
    uncut = np.where(uncut[..., 3:] == 0, wall, uncut)
    uncut[..., 3] = 255
    around = np.zeros_like(outline())
    x, y, width, height = PRODUCT
    around[y - 20 : y + height + 20, x - 20 : x + width + 20] = 255
    u, v = np.meshgrid((np.arange(140) + 0.5) / 140, (np.arange(220) + 0.5) / 220)
    weight = np.zeros((220, 140), np.uint8)
    whole = match(
        box=(x - 20, y - 20, 140, 220),
        coverage=around,
        mapping=np.dstack([u, v]).astype(np.float32),
        weight=weight,
    )
    bright = np.zeros(around.shape, np.float32)
    answer = composite(shade=bright)
    crop = crop_product(scene(answer, bright), ProductAnalysis(uncut, whole, around))
    assert crop.matched and not crop.fitted
    assert crop.product_mask.sum() == pytest.approx(width * height, rel=0.06)


@pytest.mark.parametrize("size", [1.0, 0.6])
def test_an_outline_that_fits_twice_is_seen_twice(size):
    mask = outline()
    x, y, width, height = PRODUCT
    bottom = y + height
    mask[bottom - round(size * height) : bottom, x + width + 6 : x + width + 6 + round(size * width)] = 255
    bright = np.zeros(mask.shape, np.float32)
    once, twice = (
        crop_product(scene(composite(shade=bright), bright), ProductAnalysis(photograph(), None, m))
        for m in (outline(), mask)
    )
    assert once.fitted and not once.has_duplicate
    assert twice.has_duplicate
