"""A place in words and numbers, as the model reads them: y before x, in thousandths."""

from __future__ import annotations

from dataclasses import replace

import pytest

from function.generation.facing import FACING_WORDS
from function.generation.prompt import composite_prompt
from function.generation.prompt_templates import TEMPLATES
from function.generation.spot_words import Mark, Spot, place_words, size_words

BOX = Spot(box=(0.3, 0.4, 0.1, 0.4))
AREAS = Spot(areas=(((0.1, 0.8), (0.9, 0.8), (0.9, 0.95)), ((0, 0.2), (0.1, 0.2), (0.1, 0.3))), best=(0.5, 0.85))
FACTS = {"pose": "stand", "product_is_cut_out": True, "is_letterboxed": False}


def test_a_box_is_told_as_gemini_tells_boxes():
    said = place_words(BOX, "stand")
    assert "[ymin, xmin, ymax, xmax] = [400, 300, 800, 400] of [1]" in said
    assert "its base on the middle of the box's lower edge" in said
    assert "its top on the middle of the box's upper edge" in place_words(BOX, "hang")


def test_a_mask_is_told_by_its_corners_and_its_best_point():
    said = place_words(AREAS, "stand")
    assert "one of these areas" in said and "[800, 100], [800, 900], [950, 900]; [200, 0]" in said
    assert "Best is [y, x] = [850, 500]." in said


def test_a_place_that_is_shown_is_told_by_its_line_alone_and_the_images_are_counted():
    box, area = (replace(one, mark=Mark(8, "cyan")) for one in (BOX, AREAS))
    said = composite_prompt(None, **FACTS, views=6, spot=box)
    assert said.startswith("Eight input images. [1] is the scene.")
    assert "[8] is [1] once more, with an outline drawn on it.\n\n" in said
    assert "outlined in cyan in [8]: its base on the middle of the box's lower edge" in said
    assert "its top on the middle of the box's upper edge" in place_words(box, "hang")
    assert "the middle of its base lies inside one of the areas outlined in cyan in [8]" in place_words(area, "stand")
    assert not any(number in place_words(one, "stand") for one in (box, area) for number in ("400", "850"))


def test_the_place_takes_the_place_of_the_usual_one_and_follows_a_persons_words():
    usual = TEMPLATES.poses["stand"].where
    assert f"\nPlacement: {place_words(BOX, 'stand')}\n" in composite_prompt(None, **FACTS, spot=BOX)
    assert f"Placement: by the vase. {place_words(BOX, 'stand')}\n" in composite_prompt(
        "by the vase.", **FACTS, spot=BOX
    )
    assert f"Placement: {usual}\n" in composite_prompt(None, **FACTS, spot=Spot(height=0.2))


def test_height_and_direction_are_told_with_the_size():
    said = composite_prompt(None, **FACTS, spot=Spot(height=0.2054, facing="left"))
    assert "exactly 205 thousandths of the height of [1] tall. " + FACING_WORDS["left"] in said
    assert size_words(BOX) == ""


@pytest.mark.parametrize("pose", TEMPLATES.poses)
def test_without_a_place_the_words_are_those_of_before(pose):
    facts = FACTS | {"pose": pose}
    assert composite_prompt("left", **facts, spot=None) == composite_prompt("left", **facts)
