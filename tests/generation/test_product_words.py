"""The words for several products in one scene."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from function.generation import product_words
from function.generation.facing import FACING_WORDS
from function.generation.product_words import BESIDE, ShownProduct, products_prompt
from function.generation.prompt import Wording
from function.generation.prompt_templates import PROMPT_VERSION, TEMPLATES
from function.generation.spot_words import Spot
from function.generation.style_words import StyleWords

OF_OTHERS = {"WORDING", "OF_NEW_SCENES"}  # held by tests of their own
MILL = ShownProduct("mill", " on the\n left ", is_cut_out=True, images=(2, 4, 5))
CUP = ShownProduct("cup", None, is_cut_out=False, images=(3,))


def test_every_image_and_every_placement_is_named():
    said = products_prompt([MILL, CUP], "stand", is_letterboxed=False)
    assert said.startswith(
        'Five input images. [1] is the scene. [2] is the product "mill" on a transparent background.'
    )
    assert '[4] and [5] show the same "mill" from other sides' in said and '[3] is the product "cup" on its own' in said
    assert "Place these two products" in said and 'Placement of "mill": on the left\n' in said
    assert 'Placement of "cup": beside the other products' in said and TEMPLATES.poses["stand"].stance in said
    assert "{" not in said and "all together" not in said and TEMPLATES.padding not in said


def test_exact_places_are_told_of_each():
    spots = [Spot(box=(0.1, 0.3, 0.2, 0.5), height=0.5, facing="front"), Spot(facing="left")]
    said = products_prompt([MILL, CUP], "stand", is_letterboxed=False, spots=spots)
    mill, cup = (line for line in said.splitlines() if line.startswith('Placement of "'))
    assert mill.startswith('Placement of "mill": on the left. The spot is exact: the product stands in the box [ymin,')
    assert "= [300, 100, 800, 300] of [1]" in mill and "exactly 500 thousandths" in mill
    assert cup == f'Placement of "cup": {BESIDE}. {FACING_WORDS["left"]}'
    bare = [replace(MILL, placement=None), CUP]
    assert 'Placement of "mill": The spot is exact' in products_prompt(bare, "stand", is_letterboxed=False, spots=spots)


def test_what_is_asked_of_all_of_them_and_what_went_wrong_are_told():
    said = products_prompt(
        [MILL, CUP],
        "lie",
        is_letterboxed=True,
        placement="close together",
        feedback="larger",
        lessons=["cup: It was missing."],
    )
    assert "Placement of all together: close together\n" in said and TEMPLATES.padding in said
    assert "put right: larger" in said and said.endswith("- cup: It was missing.")


def test_a_style_is_told_above_the_rules_as_with_one_product():
    style = StyleWords(light="late sun", camera="85 mm")
    said = products_prompt([MILL, CUP], "stand", is_letterboxed=False, wording=Wording(style=style))
    assert said.index("- light: late sun\n") < said.index('Placement of "mill"') and "85 mm" not in said
    assert said.replace(said[said.index("Style of the house") : said.index('Placement of "mill"')], "") == (
        products_prompt([MILL, CUP], "stand", is_letterboxed=False)
    )


def test_the_version_rises_with_these_words_too():
    """Where this fails: raise PROMPT_VERSION, and put the new digest here."""
    words = {name: value for name, value in vars(product_words).items() if name.isupper() and name not in OF_OTHERS}
    digest = hashlib.sha256(repr(sorted(words.items())).encode()).hexdigest()[:12]
    assert (PROMPT_VERSION, digest) == ("3", "5d1686e3441e")
