"""The words for several products in one scene."""

from __future__ import annotations

import hashlib

from function.generation import product_words, prompt
from function.generation.pose import POSE_WORDS
from function.generation.product_words import ShownProduct, products_prompt
from function.generation.prompt import PADDING

MILL = ShownProduct("mill", " on the\n left ", is_cut_out=True, images=(2, 4, 5))
CUP = ShownProduct("cup", None, is_cut_out=False, images=(3,))


def test_every_image_and_every_placement_is_named():
    said = products_prompt([MILL, CUP], "stand", has_bars=False)
    assert said.startswith(
        'Five input images. [1] is the scene. [2] is the product "mill" on a transparent background.'
    )
    assert '[4] and [5] show the same "mill" from other sides' in said and '[3] is the product "cup" on its own' in said
    assert "Place these two products" in said and 'Placement of "mill": on the left\n' in said
    assert 'Placement of "cup": beside the other products' in said and POSE_WORDS["stand"].stance in said
    assert "{" not in said and "all together" not in said and PADDING not in said


def test_what_is_asked_of_all_of_them_and_what_went_wrong_are_told():
    said = products_prompt(
        [MILL, CUP],
        "lie",
        has_bars=True,
        placement="close together",
        feedback="larger",
        lessons=["cup: It was missing."],
    )
    assert "Placement of all together: close together\n" in said and PADDING in said
    assert "put right: larger" in said and said.endswith("- cup: It was missing.")


def test_the_version_rises_with_these_words_too():
    """Where this fails: raise PROMPT_VERSION, and put the new digest here."""
    words = {
        name: value
        for name, value in vars(product_words).items()
        if name.isupper() and name not in vars(prompt)  # those are held by test_prompt
    }
    digest = hashlib.sha256(repr(sorted(words.items())).encode()).hexdigest()[:12]
    assert (prompt.PROMPT_VERSION, digest) == ("2", "f8cd92ee6d8e")
