"""An exact place: a box or a mask, a height with a scale, which way it faces. What cannot be meant is said."""

from __future__ import annotations

import json
import re

import pytest

from function.errors import InvalidManifestError
from function.manifest.flat_fields import set_field
from function.manifest.parse import manifest_from
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
GOOD = {"product": "p.png", "scene": "s.png"}
BOX = [0.4, 0.3, 0.2, 0.5]
REFERENCE = {"box": [0.1, 0.2, 0.1, 0.5], "height_cm": 80}


def placed(**placement):
    return manifest_from(GOOD | {"placement": placement}, SETTINGS)


def of_cells(*cells):
    fields = dict(GOOD)
    for name, text in cells:
        set_field(fields, name, text)
    return manifest_from(fields, SETTINGS)


def test_a_box_or_a_mask_may_have_a_height_and_a_scale():
    asked = placed(words="by the vase", box=BOX, height_cm=24, scene_cm_per_px=0.05, facing="left", tolerance=0.1)
    assert asked.placement_words == "by the vase" and asked.exact_placement.is_measured
    assert placed(mask="free.png", height_cm=24.5, reference=REFERENCE).exact_placement.reference.height_cm == 80
    assert not placed(facing="away").exact_placement.is_measured
    assert not manifest_from(GOOD | {"placement": "left"}, SETTINGS).exact_placement.is_measured


@pytest.mark.parametrize(
    ("placement", "said"),
    [
        ({"box": [0.6, 0.2, 0.5, 0.5]}, "placement.box: box has x, y, width and height in shares"),
        ({"box": [0.6, 0.2, -0.1, 0.5]}, "greater than or equal to 0"),
        ({"box": BOX, "mask": "m.png"}, "box and mask exclude each other"),
        ({"box": BOX, "height_cm": 20}, "height_cm needs a scale: scene_cm_per_px, or reference"),
        ({"scene_cm_per_px": 0.1}, "which is missing"),
        ({"reference": REFERENCE}, "which is missing"),
        ({"height_cm": 20, "scene_cm_per_px": 0.1, "reference": REFERENCE}, "exclude each other"),
        ({"height_cm": 0, "scene_cm_per_px": 0.1}, "placement.height_cm: Input should be greater than 0, got 0"),
        ({"height_cm": 20, "reference": {"box": [0, 0, 1, 0], "height_cm": 5}}, "placement.reference.box: "),
        ({"height_cm": 20, "reference": {"height_cm": 5}}, "placement.reference.box: is required"),
        ({"reference": {"size": 5}}, r"placement.reference.size: unknown field (known: box, height_cm)"),
        ({"colour": 5}, "placement.colour: unknown field (known: words, box, mask, height_cm"),
        ({"facing": "up"}, "placement.facing: Input should be 'front', 'left', 'right' or 'away'"),
        ({"tolerance": 0.1}, "tolerance is that of box, mask or height_cm"),
        ({"box": BOX, "tolerance": 0.9}, "placement.tolerance"),
        ({"mask": ""}, "placement.mask"),
        ({"words": "x" * 501}, "placement.words"),
    ],
)
def test_what_cannot_be_meant_is_said_and_nothing_of_the_other_form(placement, said):
    with pytest.raises(InvalidManifestError, match=re.escape(said)) as refusal:
        placed(**placement)
    assert "valid string" not in refusal.value.message


def test_words_that_are_too_many_are_not_told_to_be_an_object():
    with pytest.raises(InvalidManifestError) as refusal:
        manifest_from(GOOD | {"placement": "x" * 501}, SETTINGS)
    assert "500" in refusal.value.message and "Placement" not in refusal.value.message


def test_pixels_of_a_scene_that_is_made_from_words_mean_nothing():
    made = {"product": "p.png", "scene": {"prompt": "a table"}}
    assert manifest_from(made | {"placement": {"box": BOX}}, SETTINGS).exact_placement.box == BOX
    for placement in ({"mask": "m.png"}, {"height_cm": 9, "scene_cm_per_px": 0.1}):
        with pytest.raises(InvalidManifestError, match="need a scene image"):
            manifest_from(made | {"placement": placement}, SETTINGS)


@pytest.mark.parametrize(
    "text", ["0.4 0.3 0.2 0.5", "0.4, 0.3, 0.2, 0.5", "0.4,0.3,.2,0.5", "0,4 0,3 0,2 0,5", "0,4;0,3;0,2;0,5", str(BOX)]
)
def test_a_cell_holds_a_box_as_four_numbers_or_a_list(text):
    assert of_cells(("placement.box", text)).exact_placement.box == BOX


def test_cells_of_a_place_stand_beside_its_words():
    cells = [("placement", "by the vase"), ("placement.box", "0.4 0.3 0.2 0.5"), ("placement.tolerance", "0.1")]
    for some in (cells, cells[::-1]):
        asked = of_cells(*some)
        assert asked.placement_words == "by the vase" and asked.exact_placement.box == BOX
    cells = ("placement.height_cm", "24.5"), ("placement.reference", json.dumps(REFERENCE)), ("placement.mask", "m.png")
    asked = of_cells(*cells, ("placement.facing", "left")).exact_placement
    assert (asked.height_cm, asked.facing, asked.mask) == (24.5, "left", "m.png")
    assert asked.reference.box == REFERENCE["box"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("placement.box", "0.4 0.3 0.2")], "placement.box: '0.4 0.3 0.2' is not four numbers"),
        ([("placement.box", "a b c d")], "is not four numbers"),
        ([("placement.height_cm", "tall")], "placement.height_cm: 'tall' is not a number"),
        ([("placement", "left"), ("placement.words", "right")], "placement is given twice"),
        ([("placement", '{"box": [0, 0, 1, 1]}'), ("placement.box", "0 0 1 1")], "placement is given twice"),
    ],
)
def test_a_cell_that_makes_no_sense_is_named(cells, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        of_cells(*cells)
