"""A shadow is measured in stops around the product's base, in ratios that do not depend on how strong it is."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.cast_shadow import CastShadow, cast_shadow
from tests.judging.samples import HEIGHT, PRODUCT, WIDTH, composite, crop_of, cropped, outline, scene

X, Y, WIDE, TALL = PRODUCT
BASE = Y + TALL
NO_SHADE = np.zeros((HEIGHT, WIDTH), np.float32)


def cast(shade: np.ndarray) -> CastShadow:
    """Of the sample product, where `shade` (HEIGHT, WIDTH) is the share of the light that it takes."""
    answer = composite(shade=shade)
    found = cast_shadow(scene(answer, shade), crop_of(answer))
    assert found is not None
    return found


def band(first: int, last: int, taken: float = 0.5) -> np.ndarray:
    """A shade that takes that share of the light from `first` to `last` px below the product's base."""
    shade = NO_SHADE.copy()
    shade[BASE + first : BASE + last, X - 40 : X + WIDE + 40] = taken
    return shade


def test_half_of_the_light_is_one_stop_everywhere():
    found = cast(np.full((HEIGHT, WIDTH), 0.5, np.float32))
    assert (found.peak, found.at_base, found.below, found.under) == pytest.approx((1, 1, 1, 1), abs=0.02)
    assert found.contact_ratio == pytest.approx(1, abs=0.02) and found.detached_ratio == pytest.approx(0, abs=0.02)


def test_without_a_shadow_nothing_is_darker():
    found = cast(NO_SHADE)
    assert (found.peak, found.at_base, found.below, found.under) == pytest.approx((0, 0, 0, 0), abs=1e-4)


def test_a_shadow_that_begins_at_the_base_touches_and_one_that_begins_further_down_is_detached():
    standing, floating = cast(band(0, 30)), cast(band(16, 40))
    assert standing.contact_ratio > 0.9 and standing.detached_ratio < 0.1
    assert floating.contact_ratio < 0.3 and floating.detached_ratio > 0.6


def test_a_shadow_beside_the_upper_half_is_no_contact():
    shade = NO_SHADE.copy()
    shade[Y : Y + TALL // 2, X + WIDE : X + WIDE + 30] = 0.5
    found = cast(shade)
    assert found.peak > 0.5 and found.contact_ratio < 0.1


def test_the_ratios_do_not_depend_on_the_strength_of_the_light():
    faint, strong = cast(band(4, 30, 0.2)), cast(band(4, 30, 1 - 0.8**3))
    assert strong.peak == pytest.approx(3 * faint.peak, rel=0.05)
    assert strong.contact_ratio == pytest.approx(faint.contact_ratio, abs=0.03)


@pytest.mark.parametrize(("tint", "stops"), [((0.5, 0.5, 0.5), 0.95), ((0.9, 0.5, 0.1), 0.0)])
def test_a_hard_shadow_that_was_taken_for_inserted_counts_where_it_is_grey(tint, stops):
    answer, mask = composite(shade=NO_SHADE), outline()
    thrown = np.s_[BASE - 20 : BASE + 20, X + WIDE : X + WIDE + 60]
    answer[thrown], mask[thrown] = (answer[thrown] * np.array(tint)).astype(np.uint8), 255
    crop = crop_of(answer, inserted_mask=cropped(mask).astype(np.float32) / 255)
    found = cast_shadow(scene(answer, NO_SHADE), crop)
    assert found is not None and found.at_base == pytest.approx(stops, abs=0.1)


def test_a_base_outside_of_the_picture_has_no_shadow():
    answer = composite()
    bare = np.zeros_like(crop_of(answer).product_mask)
    assert cast_shadow(scene(answer), crop_of(answer, product_mask=bare, inserted_mask=bare)) is None
