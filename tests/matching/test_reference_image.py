"""The product is cut out of its photograph: neither its background nor its shadow is product."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.reference_image import extrapolate_colours, photograph_alpha, prepare_reference


def test_white_inside_the_product_is_not_background():
    photograph = np.full((200, 200, 3), 255, np.uint8)
    photograph[40:160, 50:150] = 30
    photograph[80:120, 70:130] = 238
    alpha = photograph_alpha(photograph)
    assert alpha[100, 100] == 255
    assert alpha[10, 10] == 0
    assert alpha[60, 60] == 255


def test_a_picture_without_uniform_background_is_all_product():
    photograph = np.random.default_rng(1).integers(0, 255, (120, 90, 3)).astype(np.uint8)
    assert (photograph_alpha(photograph) == 255).all()


def packshot(colour, shadow: float) -> tuple[np.ndarray, np.ndarray]:
    """An opaque photograph on white of a box of `colour` with a soft shadow of that depth, and the box's outline."""
    picture, depth = np.full((1200, 1000, 3), 247, np.float32), np.zeros((1200, 1000), np.float32)
    cv2.ellipse(depth, (500, 985), (330, 45), 0, 0, 360, 1, -1)
    picture *= 1 - shadow * cv2.GaussianBlur(depth, (0, 0), 30)[..., None]
    outline = np.zeros((1200, 1000), bool)
    outline[250:1000, 280:720] = True
    picture[outline] = colour
    grain = np.random.default_rng(0).normal(0, 1, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8), outline


@pytest.mark.parametrize("colour", [(180, 40, 40), (30, 30, 34), (60, 90, 160)])
def test_the_shadow_of_a_packshot_is_no_product(colour):
    picture, outline = packshot(colour, 0.45)
    covered = photograph_alpha(picture) > 127
    assert (covered & ~outline).sum() < 0.015 * outline.sum()
    assert (covered & outline).sum() > 0.98 * outline.sum()


def test_a_grey_product_is_not_taken_for_its_shadow():
    """Softened all over, it goes over into the background without an edge, as shadows do."""
    picture, outline = packshot((150, 150, 150), 0.0)
    picture = cv2.GaussianBlur(picture, (0, 0), 25)
    assert (photograph_alpha(picture)[outline] > 127).mean() > 0.95


def test_colours_go_on_at_the_rim_and_what_transparency_hides_does_not():
    alpha = cv2.circle(np.zeros((200, 200), np.uint8), (100, 100), 99, 255, -1)
    product = np.dstack([np.full((200, 200, 3), 255, np.uint8), alpha])
    product[alpha > 0, :3] = 200, 40, 10
    filled = extrapolate_colours(product, alpha, (200, 200)).astype(int)
    rim = (cv2.dilate(alpha, np.ones((5, 5), np.uint8)) > 0) & (alpha == 0)
    assert np.abs(filled - [200, 40, 10])[alpha > 0].max() <= 1
    assert np.abs(filled - [200, 40, 10])[rim].max() <= 8


def test_a_crop_knows_its_place_in_the_whole_photograph():
    product = np.zeros((100, 200, 4), np.uint8)
    product[30:70, 50:150] = 255
    found = prepare_reference(product, max_px=50)
    assert found.alpha.shape == (20, 50)
    left, top = found.origin
    assert (left, top) == (0.25, 0.3)
    assert (left + 50 * found.step[0], top + 20 * found.step[1]) == pytest.approx((0.75, 0.7))
    turned = found.mirrored()
    assert turned.origin[0] == pytest.approx(1 - 0.75)
    assert np.array_equal(turned.mirrored().rgb, found.rgb) and turned.mirrored().origin == pytest.approx(found.origin)


def test_a_photograph_of_nothing_is_none():
    assert prepare_reference(np.zeros((50, 50, 4), np.uint8)) is None
