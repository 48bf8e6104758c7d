"""A photograph is parted into product and backdrop: in its shadow, through its openings, and what cannot be told."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.cutout.backdrop import Backdrop
from function.matching.cutout.regions import Regions, find_regions

HEIGHT, WIDTH = 240, 300
WHITE = Backdrop(np.full((HEIGHT, WIDTH, 3), 245, np.float32), 2.6, 2.2)
BODY = np.s_[60:180, 80:220]
INK = (60, 90, 60)


def shot(colour=INK) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8: a box on white paper."""
    picture = np.full((HEIGHT, WIDTH, 3), 245, np.uint8)
    picture[BODY] = colour
    return picture


def shaded(picture: np.ndarray, tint=(1.0, 1.0, 1.0), softness: float = 8.0) -> np.ndarray:
    """`picture` with a soft shadow to the right of the box and below it, which takes 40 % of the light."""
    depth = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(depth, (170, 185), (80, 16), 0, 0, 360, 0.4, -1)
    darker = 1 - cv2.GaussianBlur(depth, (0, 0), softness)[..., None] * np.float32(tint)
    result = (picture * darker).astype(np.uint8)
    result[BODY] = picture[BODY]
    return result


def product(regions: Regions) -> np.ndarray:
    return ~regions.outside


def box() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[BODY] = True
    return mask


def wrong(found: np.ndarray, expected: np.ndarray) -> float:
    """Pixels that differ, as a share of what is expected."""
    return float((found ^ expected).sum() / expected.sum())


def test_what_differs_from_the_backdrop_is_product():
    regions = find_regions(shot(), WHITE)
    assert wrong(product(regions), box()) < 0.04  # a pixel all around
    assert not regions.unknown.any() and not regions.glass.any()


def test_a_soft_grey_shadow_is_backdrop():
    assert wrong(product(find_regions(shaded(shot()), WHITE)), box()) < 0.05


def test_a_coloured_or_a_sharp_patch_is_no_shadow():
    coloured = find_regions(shaded(shot(), tint=(0.2, 1.0, 1.0), softness=10), WHITE)
    assert (product(coloured) & ~box())[180:200, 120:220].mean() > 0.5
    sharp = shot()
    sharp[180:195, 100:200] = 150
    assert product(find_regions(sharp, WHITE))[182:193, 102:198].all()


def test_a_grey_product_with_soft_edges_is_not_its_own_shadow():
    picture = cv2.GaussianBlur(shot((150, 150, 150)), (0, 0), 12)
    assert product(find_regions(picture, WHITE))[BODY].mean() > 0.95


def test_a_broad_hole_in_the_backdrop_s_light_is_an_opening():
    picture = shot()
    picture[90:150, 110:190] = 245
    regions = find_regions(picture, WHITE)
    assert regions.outside[92:148, 112:188].all() and not regions.unknown.any()


@pytest.mark.parametrize("tone", [236, 243, 245])
def test_a_hole_of_another_tone_is_a_label(tone):
    picture = shot()
    picture[90:150, 110:190] = tone
    assert find_regions(picture, WHITE).outside[92:148, 112:188].all() == (tone == 245)


def test_a_narrow_stroke_of_white_may_be_ink():
    picture = shot()
    picture[100:140, 120:126] = 245
    regions = find_regions(picture, WHITE)
    assert regions.unknown[102:138, 122:124].all() and not regions.outside[BODY][5:-5, 5:-5].any()


def test_white_with_print_on_it_may_be_paper_and_then_so_may_all_other_white():
    picture = shot()
    picture[70:110, 90:210] = picture[130:170, 90:210] = 245
    picture[80:100, 130:170] = INK
    regions = find_regions(picture, WHITE)
    assert regions.unknown[75, 150] and regions.unknown[150, 150]
    assert not regions.outside[75, 150] and not regions.outside[150, 150]


def test_specks_are_no_product():
    picture = shot()
    picture[20, 20] = 90, 245, 90
    assert not product(find_regions(picture, WHITE))[:40, :60].any()


def test_a_backdrop_that_is_a_little_off_is_corrected_by_what_shows_of_it():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    glow = 2 * np.exp(-(((x - 150) / 120.0) ** 2) - ((y - 120) / 90.0) ** 2)
    picture = np.clip(shot() + (4 * glow)[..., None] * ~box()[..., None], 0, 255).astype(np.uint8)
    # At the border both are the same, beside the product the picture is brighter by more than the noise.
    assert wrong(product(find_regions(picture, WHITE)), box()) < 0.05
