"""Flat names with text values, the same for a spreadsheet's columns and a form's fields."""

from __future__ import annotations

import pytest

from function.manifest.flat_fields import is_known, set_field


def fields_of(*pairs):
    fields = {}
    for name, text in pairs:
        set_field(fields, name, text)
    return fields


def test_names_with_a_dot_fill_a_field_of_a_field():
    given = (("output.format", "webp"), ("output.width", "800"), ("labels.sku", "7"), ("scene.prompt", "a table"))
    assert fields_of(*given) == {
        "output": {"format": "webp", "width": 800}, "labels": {"sku": "7"}, "scene": {"prompt": "a table"},
    }  # fmt: skip


def test_numbers_are_numbers_only_where_the_manifest_has_numbers():
    assert fields_of(("seed", " 7 "), ("attempts", "2"), ("placement", "7"), ("labels.size", "7")) == {
        "seed": 7, "attempts": 2, "placement": "7", "labels": {"size": "7"},
    }  # fmt: skip


def test_an_object_may_come_as_json():
    assert fields_of(("output", ' {"quality": 90}'), ("scene", '{"prompt": "a table"}'), ("product", "{a}.png")) == {
        "output": {"quality": 90}, "scene": {"prompt": "a table"}, "product": "{a}.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("seed", "7.5")], "seed: '7.5' is not a whole number"),
        ([("output.width", "--5")], "output.width: '--5' is not a whole number"),
        ([("labels", '{"a": "1", "a": "2"}')], "labels: duplicate field a"),
        ([("output", "{]")], "output: it is not JSON"),
        ([("output", '{"a":' * 30_000)], "output: it is nested too deeply"),
        ([("labels.a", "1"), ("labels", '{"b": "2"}')], "labels is given twice"),
        ([("labels", '{"b": "2"}'), ("labels.b", "1")], "labels is given twice"),
        ([("scene", "s.png"), ("scene.prompt", "a table")], "scene is given twice"),
        ([("product", "a.png"), ("product", "b.png")], "product is given twice"),
    ],
)
def test_what_makes_no_sense_is_named(given, words):
    with pytest.raises(ValueError, match=words.replace("'", ".")):
        fields_of(*given)


@pytest.mark.parametrize(
    ("name", "known"), [("output.quality", True), ("labels.sku", True), ("labels.", False), ("x", False)]
)
def test_a_manifest_has_such_a_field_or_not(name, known):
    assert is_known(name) is known
