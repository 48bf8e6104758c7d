"""A product that was not found again leans as its upright edges do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.judging.product_upright import product_upright
from function.judging.vertical_edges import edge_lean_deg
from tests.judging.samples import (
    CROP,
    HEIGHT,
    PRODUCT,
    WIDTH,
    composite,
    crop_of,
    cropped,
    inspection,
    outline,
    photograph,
)

STRIPES = (
    np.repeat(np.where(np.arange(100) // 12 % 2, 190, 80)[None, :, None], 180, axis=0)
    .repeat(3, axis=2)
    .astype(np.uint8)
)


def turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    """`picture` with the product's top leaning to the right by so many degrees."""
    middle = PRODUCT[0] + PRODUCT[2] / 2, PRODUCT[1] + PRODUCT[3] / 2
    matrix = cv2.getRotationMatrix2D(middle, -degrees, 1.0)
    return cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def lean(front: np.ndarray, degrees: float) -> float | None:
    """Of `front` that leans in the picture, measured against its upright photograph."""
    shown = turned(composite(front, shade=np.zeros((HEIGHT, WIDTH), np.float32)), degrees)
    body = cropped(turned(outline(), degrees)) > 127
    return edge_lean_deg(photograph(front), crop_of(shown, matched=False), body)


@pytest.mark.parametrize("degrees", [-14.0, -8.0, 0.0, 8.0, 14.0])
def test_it_is_measured_to_a_degree_and_with_its_side(degrees):
    assert lean(STRIPES, degrees) == pytest.approx(degrees, abs=1.0)


def test_it_is_not_measured_where_the_photograph_has_no_upright_edges():
    slanted = np.add.outer(np.arange(180), np.arange(100)) // 14 % 2
    disc = np.zeros((180, 100, 4), np.uint8)
    cv2.circle(disc, (50, 90), 48, (255, 255, 255, 255), -1)
    disc[..., :3] = np.where(slanted, 190, 80)[..., None]
    assert edge_lean_deg(disc, crop_of(composite(STRIPES), matched=False), cropped(outline()) > 127) is None


def test_it_is_not_measured_where_nothing_is_shown():
    nothing = np.zeros((CROP[3], CROP[2]), bool)
    assert edge_lean_deg(photograph(STRIPES), crop_of(composite(STRIPES), matched=False), nothing) is None


@pytest.mark.parametrize(("degrees", "passes"), [(0.0, True), (12.0, False), (-12.0, False)])
def test_a_product_that_was_not_found_is_judged_by_it(degrees, passes):
    shown = turned(composite(shade=np.zeros((HEIGHT, WIDTH), np.float32)), degrees)
    piece = cropped(turned(outline(), degrees)).astype(np.float32) / 255
    crop = crop_of(shown, matched=False, fitted=False, product_mask=piece, inserted_mask=piece)
    check = product_upright(inspection(shown, matched=None, crop=crop))
    assert check.value is not None and check.passed is passes
