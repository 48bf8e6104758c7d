"""The words for several photographs of one product."""

from __future__ import annotations

import hashlib

import pytest

from function.generation import view_words
from function.generation.prompt import composite_prompt
from function.generation.prompt_templates import PROMPT_VERSION, TEMPLATES

FACTS = {"pose": "stand", "product_is_cut_out": True, "is_letterboxed": False}


def test_one_photograph_is_asked_for_as_ever():
    assert composite_prompt("left", **FACTS, views=1) == composite_prompt("left", **FACTS)


@pytest.mark.parametrize(
    ("views", "beginning", "others"),
    [(2, "Three input images.", "[3] shows"), (3, "Four input images.", "[3] and [4] show"),
     (6, "Seven input images.", "[3], [4], [5], [6] and [7] show")],
)  # fmt: skip
def test_every_image_is_named_and_all_are_one_product(views, beginning, others):
    one, several = composite_prompt("left", **FACTS), composite_prompt("left", **FACTS, views=views)
    assert several.startswith(beginning) and others in several and "show it once" in several
    assert f"[{views + 2}]" not in several and "{" not in several
    rest = one.partition("transparent background.")[2]
    assert several.endswith(rest)


def test_these_words_are_for_templates_that_begin_as_they_take_for_granted():
    assert TEMPLATES.composite.startswith(view_words.ONE)


def test_the_version_rises_with_these_words_too():
    """Where this fails: raise PROMPT_VERSION, and put the new digest here."""
    constants = {name: value for name, value in vars(view_words).items() if name.isupper()}
    digest = hashlib.sha256(repr(sorted(constants.items())).encode()).hexdigest()[:12]
    assert (PROMPT_VERSION, digest) == ("3", "67a7079c76cc")
