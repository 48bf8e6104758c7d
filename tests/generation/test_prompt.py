"""The words sent to the model: facts of the pair are in them, and what an earlier attempt got wrong."""

from __future__ import annotations

import hashlib

import pytest

from function.generation.prompt import composite_prompt
from function.generation.prompt_templates import FOLDER, PROMPT_VERSION, TEMPLATES

POSE_WORDS, PADDING = TEMPLATES.poses, TEMPLATES.padding

FACTS = {"pose": "stand", "product_is_cut_out": True, "is_letterboxed": False}


def test_a_first_attempt_is_told_of_no_earlier_one():
    assert "earlier attempt" not in composite_prompt(None, **FACTS)


def test_lessons_come_last_one_a_line_in_the_order_given():
    first = composite_prompt("on the table", **FACTS)
    second = composite_prompt("on the table", **FACTS, lessons=["Do this.", "Then that."])
    assert second == first + "\n\nAn earlier attempt was rejected. Strictly correct this:\n- Do this.\n- Then that."


def test_a_persons_words_on_an_earlier_picture_are_one_line_before_the_lessons():
    first, said = composite_prompt(None, **FACTS), "the cap is cut off,\n  {lessons} and all"
    second = composite_prompt(None, **FACTS, feedback=said, lessons=["Do this."])
    told = "\n\nA person looked at an earlier picture and asks for this to be put right: "
    told += "the cap is cut off, {lessons} and all"
    assert second.startswith(first + told + "\n\nAn earlier attempt was rejected.")
    assert composite_prompt(None, **FACTS, feedback=" \n") == first


@pytest.mark.parametrize(
    ("asked", "told"),
    [(None, POSE_WORDS["stand"].where), ("  \n", POSE_WORDS["stand"].where), ("on \n the  left", "on the left")],
)
def test_the_placement_is_one_line(asked, told):
    assert f"Placement: {told}\n" in composite_prompt(asked, **FACTS)


def test_braces_of_a_user_are_words_and_no_fields():
    assert "on {lessons}" in composite_prompt("on {lessons}", **FACTS)


def test_bars_and_a_background_are_explained_where_there_are_some():
    prompt = composite_prompt(None, pose="stand", product_is_cut_out=False, is_letterboxed=True)
    assert PADDING in prompt and "on its own background" in prompt
    assert PADDING not in composite_prompt(None, **FACTS) and "on a transparent background" in composite_prompt(
        None, **FACTS
    )


@pytest.mark.parametrize("pose", POSE_WORDS)
def test_the_pose_is_told_and_no_other(pose):
    prompt, words = composite_prompt(None, **FACTS | {"pose": pose}), POSE_WORDS[pose]
    assert words.where in prompt and words.stance in prompt and words.shadow in prompt
    assert all(other.stance not in prompt for name, other in POSE_WORDS.items() if name != pose)


def test_a_product_that_stands_is_asked_for_as_before_so_that_stored_answers_are_found():
    asked = hashlib.sha256(composite_prompt("on the table", **FACTS).encode()).hexdigest()
    assert asked == "b96a9900c706ecb5e5802004c6822011fa0b91571ba24d6f0e622bbc104bd8f3"


def test_the_version_rises_with_the_words():
    """Where this fails: give the words a new version, a file of its own, and put its digest here."""
    digest = hashlib.sha256((FOLDER / f"{PROMPT_VERSION}.json").read_bytes()).hexdigest()[:12]
    assert (PROMPT_VERSION, digest) == ("3", "e7155faa392c")
