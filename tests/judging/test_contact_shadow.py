"""A product in the air is told from one that stands, also where its shadow still touches its side."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.judging.cast_shadow import cast_shadow
from function.judging.contact_shadow import (
    MAX_DETACHED_RATIO,
    MIN_ANY_SHADOW_STOPS,
    MIN_CONTACT_RATIO,
    MIN_SHADOW_STOPS,
    contact_shadow,
)
from function.judging.inspection import Inspection
from function.judging.judge import judge
from function.restoration.analyse import analyse
from tests.cases.answers import analysis_of, case, frame_of
from tests.cases.faults import spoiled
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.judging.samples import (
    HEIGHT,
    PRODUCT,
    WIDTH,
    composite,
    crop_of,
    cropped,
    inspection,
    label,
    match,
    outline,
    room,
    scene,
    shadow,
)
from tests.tiers import exhaustive


def lifted(name: str, seed: int):
    picture = spoiled(case(name), "floating_product", seed, case("mug"))
    frame = frame_of(picture.scene)
    return analyse(picture.scene, picture.product, imitate(picture, frame, MANNERS["mild"], seed), frame)


@pytest.mark.parametrize(("name", "seed"), [("can", 2), *exhaustive(("can", 1), ("box", 2), ("mug", 2))])
def test_a_lifted_product_is_not_accepted(name, seed):
    judgement = judge(lifted(name, seed))
    assert not judgement.checks["contact_shadow"].passed
    assert judgement.verdict == "review"


@pytest.mark.parametrize("name", ["can", *exhaustive("box", "mug")])
def test_the_shadow_of_a_lifted_product_lies_apart_and_that_of_a_standing_one_does_not(name):
    standing, floating = (
        cast_shadow(analysis.scene, Inspection.of(analysis.scene, analysis.product).crop)
        for analysis in (analysis_of(name, "mild"), lifted(name, 2))
    )
    assert standing.detached_ratio < MAX_DETACHED_RATIO < floating.detached_ratio


def test_a_standing_product_with_its_shadow_passes():
    assert contact_shadow(inspection()).passed


def test_without_a_shadow_it_looks_pasted_on():
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    check = contact_shadow(inspection(answer, of_scene=scene(answer, bright)))
    assert not check.passed and check.threshold == MIN_SHADOW_STOPS


def test_a_base_outside_of_the_picture_cannot_be_judged_and_fails():
    nothing = np.zeros_like(crop_of(composite()).product_mask)
    check = contact_shadow(inspection(crop=crop_of(composite(), product_mask=nothing, inserted_mask=nothing)))
    assert not check.passed and check.value is None


def held(**changes):
    """A product without any shadow before a narrow upright thing: a hand, a hip."""
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    image = room()
    image[PRODUCT[1] + 90 :, PRODUCT[0] : PRODUCT[0] + PRODUCT[2]] = (60, 70, 120)
    answer[PRODUCT[1] + PRODUCT[3] :] = image[PRODUCT[1] + PRODUCT[3] :]
    of_scene = scene(answer, bright, image=image)
    return contact_shadow(inspection(answer, of_scene=of_scene, **changes))


def test_what_is_held_or_worn_needs_no_contact_shadow():
    check = held()
    assert check.passed and check.value is None and "held or worn" in check.reason


def test_where_a_product_that_is_not_shown_as_on_its_photograph_stands_is_not_known():
    faint = 0.06 * shadow()
    answer = composite(shade=faint)
    crop = crop_of(answer, matched=False, fitted=False)
    check = contact_shadow(inspection(answer, of_scene=scene(answer, faint), matched=None, crop=crop))
    assert check.passed and check.value is None


def test_but_without_any_shadow_on_a_surface_it_is_pasted_on():
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    crop = crop_of(answer, matched=False, fitted=False)
    check = contact_shadow(inspection(answer, of_scene=scene(answer, bright), matched=None, crop=crop))
    assert not check.passed and check.threshold == MIN_ANY_SHADOW_STOPS
    assert held(matched=None, crop=crop).passed


def test_a_product_that_lies_has_no_base():
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    lying = match(mapping=np.ascontiguousarray(match().mapping[..., ::-1]))
    check = contact_shadow(inspection(answer, of_scene=scene(answer, bright), matched=lying))
    assert check.passed and check.value is None


def test_on_a_surface_that_was_redrawn_no_shadow_can_be_measured():
    bare = np.zeros((HEIGHT, WIDTH), np.float32)
    pasted = scene(composite(shade=bare), bare)
    assert not contact_shadow(inspection(of_scene=pasted)).passed
    check = contact_shadow(inspection(of_scene=replace(pasted, redrawn=True)))
    assert check.passed and check.value is None


def sunlit(lift: int = 0, tint: tuple[float, float, float] = (0.4, 0.5, 0.6), **crop):
    """A product in the sun whose hard shadow, in the sky's light, falls to the right; lifted off it by so many px."""
    x, y, width, height = PRODUCT
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer, mask = composite(shade=bright), outline()
    corners = np.array([[x + width, y + height], [x + width, y + height - 24], [x + 190, y + 96], [x + 190, y + 120]])
    thrown = cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [corners + np.array([0, lift])], 1) > 0
    thrown &= mask == 0
    answer[thrown] = (answer[thrown] * np.array(tint)).astype(np.uint8)
    shown = crop_of(answer, **{"inserted_mask": with_shadow(thrown)} | crop)
    if not shown.fitted:
        shown = replace(shown, product_mask=shown.inserted_mask)  # all that is known is what was put in
    matched = "found" if shown.matched else None
    return contact_shadow(inspection(answer, of_scene=scene(answer, bright), crop=shown, matched=matched))


def with_shadow(thrown: np.ndarray) -> np.ndarray:
    """The crop's share of the product and a shadow that was taken for a part of it."""
    return cropped(np.maximum(outline(), thrown.astype(np.uint8) * 255)).astype(np.float32) / 255


def test_a_hard_shadow_in_the_colours_of_sun_and_sky_is_a_shadow():
    assert sunlit().passed


def test_a_reddish_patch_is_none():
    assert sunlit(tint=(0.6, 0.4, 0.4)).threshold == MIN_SHADOW_STOPS


def test_a_shadow_at_one_side_is_enough_and_one_that_begins_further_down_is_not():
    check = sunlit(lift=30)
    assert not check.passed and check.threshold == MAX_DETACHED_RATIO


def test_the_same_holds_where_only_what_was_put_in_is_known():
    unknown = {"matched": False, "fitted": False}
    assert sunlit(**unknown).passed
    check = sunlit(lift=30, **unknown)
    assert not check.passed and check.threshold == MAX_DETACHED_RATIO


def test_a_dark_rim_that_the_outline_misses_is_no_shadow():
    x, y, width, height = PRODUCT
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer = composite(shade=bright)
    rim = np.zeros((HEIGHT, WIDTH), bool)
    rim[y + height : y + height + 7, x : x + width] = True
    answer[rim] = (answer[rim] * 0.4).astype(np.uint8)
    check = contact_shadow(
        inspection(answer, of_scene=scene(answer, bright), crop=crop_of(answer, inserted_mask=with_shadow(rim)))
    )
    assert not check.passed and check.threshold == MIN_SHADOW_STOPS


def test_the_side_of_a_turned_box_has_its_shadow_beside_it():
    x, y, _, height = PRODUCT
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    answer, mask = composite(shade=bright), outline() > 0
    side = (
        cv2.fillPoly(
            np.zeros((HEIGHT, WIDTH), np.uint8),
            [np.array([[x, y], [x, y + height], [x - 60, y + height - 20], [x - 60, y]])],
            1,
        )
        > 0
    )
    thrown = np.zeros_like(side)
    thrown[y + height - 20 : y + height + 20, x - 110 : x] = True
    thrown &= ~side & ~mask
    answer[side], answer[thrown] = (60, 90, 170), (answer[thrown] * 0.5).astype(np.uint8)
    check = contact_shadow(
        inspection(
            answer, of_scene=scene(answer, bright), crop=crop_of(answer, inserted_mask=with_shadow(side | thrown))
        )
    )
    assert check.passed, check


def test_a_reflection_below_the_base_does_not_move_it():
    """A glossy surface shows the product again right below its base: the shadow is still looked for at the base."""
    x, y, width, height = PRODUCT
    answer, mask = composite(), outline()
    below = np.s_[y + height : y + height + 50, x : x + width]
    answer[below], mask[below] = label()[::-1][:50], 255
    crop = crop_of(answer, inserted_mask=cropped(mask).astype(np.float32) / 255)
    check = contact_shadow(inspection(answer, crop=crop))
    assert check.passed and check.threshold == MIN_CONTACT_RATIO
