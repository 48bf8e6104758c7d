"""What lies below a base is a surface where its colours go on beside it; a hand or a hip ends there."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.support_surface import surface_continues
from tests.judging.samples import CROP, HEIGHT, PRODUCT, WIDTH, composite, crop_of, room, scene

X, Y, WIDE, TALL = PRODUCT
SKIN = (60, 70, 120)


def continues(image: np.ndarray, **crop) -> bool:
    """Whether the sample product's support continues in the scene `image` (HEIGHT, WIDTH, 3) uint8."""
    answer = composite()
    return surface_continues(scene(answer, image=image), crop_of(answer, **crop))


def painted(part) -> np.ndarray:
    image = room()
    image[part] = SKIN
    return image


def test_a_table_continues():
    assert continues(room())


def test_a_hand_no_wider_than_the_product_does_not():
    assert not continues(painted(np.s_[Y + 90 :, X : X + WIDE]))


@pytest.mark.parametrize("part", [np.s_[Y + 90 :, : X + WIDE], np.s_[Y + 90 :, X:]], ids=["left", "right"])
def test_on_one_side_is_enough(part):
    assert continues(painted(part))


def test_only_what_lies_at_the_height_right_below_the_base_counts():
    image = painted(np.s_[Y + 90 :, X : X + WIDE])
    image[: Y + TALL, :X] = SKIN
    assert not continues(image)


def test_colours_are_compared_and_not_places():
    image = room()
    rows = np.arange(HEIGHT - 240)[:, None] // 4 % 2 == 0
    columns = np.arange(image.shape[1])[None] // 5 % 2 == 0
    image[240:] = np.where((rows ^ columns)[..., None], (90, 80, 70), (200, 195, 190))
    shifted = image.copy()
    shifted[240:, X : X + WIDE] = np.roll(image[240:, X : X + WIDE], (3, 4), axis=(0, 1))
    assert continues(shifted)


def test_a_plain_surface_in_falling_light_continues():
    falling = np.linspace(1.15, 0.85, WIDTH)[None, :, None] * np.float32([150, 140, 130])
    assert continues(np.repeat(falling, HEIGHT, axis=0).astype(np.uint8))


def test_where_the_image_ends_below_the_base_nothing_speaks_against_a_surface():
    down = HEIGHT - (Y + TALL)
    mask = np.zeros((CROP[3], CROP[2]), np.float32)
    mask[Y - CROP[1] : Y - CROP[1] + TALL, X - CROP[0] : X - CROP[0] + WIDE] = 1
    lowered = (CROP[0], CROP[1] + down, CROP[2], CROP[3])
    assert continues(painted(np.s_[:, X : X + WIDE]), box=lowered, product_mask=mask)
    assert continues(room(), product_mask=np.zeros_like(mask))
