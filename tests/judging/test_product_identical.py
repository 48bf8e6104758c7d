"""A composited product is its photograph under any smooth light, and is not where it was redrawn or moved."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.judging.inspection import Inspection
from function.judging.product_identical import (
    MAX_MOVED,
    MAX_RESHAPED,
    MAX_TURNED_DEG,
    MIN_FOLLOWED,
    MIN_IDENTICAL,
    changed_regions,
    identical_share,
    product_identical,
)
from function.matching.place import Place
from function.restoration.analysis import Analysis, CompositedProduct, ProductAnalysis
from function.restoration.departure import NO_DEPARTURE
from tests.judging.samples import (
    HEIGHT,
    PRODUCT,
    WIDTH,
    composite,
    crop_of,
    inspection,
    label,
    match,
    outline,
    photograph,
    scene,
)

X, Y, WIDE, TALL = PRODUCT
PATCH = np.s_[60:100, 20:70]


def lit(front: np.ndarray) -> np.ndarray:
    """`front` under a light that falls from the left, in another colour."""
    falling = np.linspace(1.1, 0.6, WIDE)[None, :, None] * np.float32([1.0, 0.95, 0.85])
    return np.clip(front * falling, 0, 255).astype(np.uint8)


def spoiled(front: np.ndarray, kind: str) -> np.ndarray:
    front = front.copy()
    if kind == "erased":
        front[PATCH] = 60, 90, 170
    elif kind == "recoloured":
        front[PATCH] = front[PATCH][..., ::-1]
    elif kind == "blurred":
        front[PATCH] = cv2.GaussianBlur(front, (0, 0), 2)[PATCH]
    return front


@pytest.fixture(scope="module")
def good():
    return inspection()


def judged(whole: Inspection, followed: float = 1.0, **departure):
    """The check of a product laid at its place, whose picture departs from the sketch that way."""
    found = replace(NO_DEPARTURE, **{"correlation": 0.8} | departure)
    place = Place(X / WIDTH, Y / HEIGHT, WIDE / WIDTH, TALL / HEIGHT)
    light = np.zeros((TALL, WIDE, 3), np.float32)
    laid = CompositedProduct(place, PRODUCT, light, found, followed, whole.scene.generated)
    return product_identical(replace(whole, product=replace(whole.product, composited=laid)))


def test_its_own_pixels_are_identical_under_any_smooth_light():
    assert identical_share(crop_of(composite())) == 1
    assert identical_share(crop_of(composite(lit(label())))) > MIN_IDENTICAL


@pytest.mark.parametrize("kind", ["erased", "recoloured", "blurred"])
def test_a_part_that_was_redrawn_is_not_identical_in_its_share(kind):
    share = identical_share(crop_of(composite(lit(spoiled(label(), kind)))))
    assert 1 - share == pytest.approx(40 * 50 / (WIDE * TALL), abs=0.1)


def test_the_regions_that_changed_are_boxed_in_the_image():
    def regions(front: np.ndarray):
        product = ProductAnalysis(photograph(), match(), outline())
        return changed_regions(Analysis(scene(composite(front)), product))

    assert regions(label()) == []
    x, y, width, height = regions(spoiled(label(), "recoloured"))[0]
    assert abs(x + width / 2 - (X + 45)) < 12 and abs(y + height / 2 - (Y + 80)) < 12
    assert 30 < width < 80 and 25 < height < 70


def test_without_a_product_no_region_has_changed():
    nothing = ProductAnalysis(photograph(), None, np.zeros((HEIGHT, WIDTH), np.uint8))
    assert changed_regions(Analysis(scene(composite()), nothing)) == []


def test_a_product_that_the_model_placed_is_not_measured(good):
    check = product_identical(good)
    assert check.passed and check.value is None


def test_a_product_laid_and_left_as_it_is_passes_and_one_with_another_patch_does_not(good):
    assert judged(good).passed
    check = judged(inspection(composite(spoiled(label(), "recoloured"))))
    assert not check.passed and check.threshold == MIN_IDENTICAL


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"moved": 1.5 * MAX_MOVED}, MAX_MOVED),
        ({"scale_x": math.exp(1.5 * MAX_RESHAPED)}, MAX_RESHAPED),
        ({"scale_y": math.exp(-1.5 * MAX_RESHAPED)}, MAX_RESHAPED),
        ({"turned_deg": 1.5 * MAX_TURNED_DEG}, MAX_TURNED_DEG),
        ({"turned_deg": -1.5 * MAX_TURNED_DEG}, MAX_TURNED_DEG),
        ({"correlation": 0.1}, MIN_FOLLOWED),
        ({"followed": 0.3}, MIN_FOLLOWED),
    ],
    ids=["moved", "wider", "lower", "turned right", "turned left", "another", "redrawn"],
)
def test_a_pose_that_departs_from_the_sketch_fails(good, changes, limit):
    check = judged(good, **changes)
    assert not check.passed and check.threshold == limit


def test_a_small_departure_is_moved_back_and_does_not_fail(good):
    small = {"moved": 0.5 * MAX_MOVED, "scale_x": math.exp(0.5 * MAX_RESHAPED), "turned_deg": -0.5 * MAX_TURNED_DEG}
    assert judged(good, **small).passed
