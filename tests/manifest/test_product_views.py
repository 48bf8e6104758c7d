"""`product` as a list: what it may hold, in JSON, in a spreadsheet's cells and in a form."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from function.errors import InvalidManifestError
from function.manifest.flat_fields import is_known, join_views, set_field
from function.manifest.model import Manifest
from function.manifest.parse import manifest_from
from function.manifest.references import manifest_targets
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
SCHEMA = Draft202012Validator(Manifest.model_json_schema())


def flat(*pairs):
    fields = {}
    for name, text in pairs:
        set_field(fields, name, text)
    join_views(fields)
    return fields


def test_the_first_leads_and_each_has_a_name():
    manifest = manifest_from({"product": ["a.png", "b.png", "c.png"], "scene": "s.png"}, SETTINGS)
    assert manifest.references == {"product": "a.png", "product.1": "b.png", "product.2": "c.png", "scene": "s.png"}
    assert SCHEMA.is_valid({"product": ["a.png", "b.png"], "scene": "s.png"})


def test_a_list_of_one_is_the_reference():
    one, alone = (manifest_from({"product": product, "scene": "s.png"}, SETTINGS) for product in (["a"], "a"))
    assert one == alone and one.model_dump_json() == alone.model_dump_json()


@pytest.mark.parametrize(
    ("product", "words"),
    [
        ([], "product: List should have at least 1 item"),
        (list("abcdefg"), "product: List should have at most 6 items"),
        (["a", "b", "a"], 'product: 0 and 2 are the same photograph ("a")'),
        (["a", ""], "product.1: String should have at least 1 character"),
        (["a", 3], "product.1: Input should be a valid string, got 3"),
        (3, "product: Input should be a valid string, got 3"),
    ],
)
def test_what_cannot_be_is_named_and_the_schema_refuses_it_too(product, words):
    fields = {"product": product, "scene": "s.png"}
    with pytest.raises(InvalidManifestError) as refused:
        manifest_from(fields, SETTINGS)
    assert words in refused.value.message and not SCHEMA.is_valid(fields)


def test_one_photograph_spelled_in_two_ways_is_one():
    manifest = manifest_from({"product": ["a.png", "b.png", "./a.png"], "scene": "a.png"}, SETTINGS)
    with pytest.raises(InvalidManifestError, match=r"product\.2: it is the same photograph as product;"):
        manifest_targets(manifest, SETTINGS, "in-bucket", "x/pair.json")


def test_columns_and_a_list_in_a_cell_give_the_same():
    views = ["a.png", "b.png", "c.png"]
    assert flat(("product.2", "c.png"), ("product", "a.png"), ("product.1", "b.png")) == {"product": views}
    assert flat(("product", ' ["a.png", "b.png", "c.png"]')) == {"product": views}
    assert flat(("product", "[1].png"), ("product.4", "b.png")) == {"product": ["[1].png", "b.png"]}
    assert is_known("product.5") and not is_known("product.6") and not is_known("product.0")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("product.1", "b.png")], "product is empty"),
        ([("product", '["a.png"]'), ("product.1", "b.png")], "holds a list of photographs already"),
        ([("product.1", "b.png"), ("product.1", "c.png")], "product.1 is given twice"),
        ([("product", '["a.png"')], "product: it is not JSON"),
    ],
)
def test_cells_that_make_no_sense_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        flat(*given)
