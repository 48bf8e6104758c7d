"""`products`: several in one scene, each with a name, photographs and a placement."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from function.errors import ForbiddenReferenceError, InvalidManifestError
from function.manifest.flat_fields import set_field
from function.manifest.model import Manifest
from function.manifest.parse import manifest_from
from function.manifest.references import manifest_targets, references_one_folder_deeper
from function.manifest.spreadsheet import read_rows
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
SCHEMA = Draft202012Validator(Manifest.model_json_schema())
MILL = {"name": "mill", "product": "mill.png", "placement": "on the left"}
CUP = {"name": "cup", "product": ["cup.png", "cup-side.png"]}


def scene_with(*products, **fields):
    return {"scene": "s.png", "products": list(products), **fields}


def test_each_has_its_photographs_and_its_name_in_messages():
    manifest = manifest_from(scene_with(MILL, CUP), SETTINGS)
    assert manifest.references == {
        "products.mill": "mill.png", "products.cup": "cup.png", "products.cup.1": "cup-side.png", "scene": "s.png",
    }  # fmt: skip
    assert manifest.product_fields == (("products.mill",), ("products.cup", "products.cup.1"))
    assert SCHEMA.is_valid(scene_with(MILL, CUP))
    alone = manifest_from({"scene": "s.png", "product": ["a.png", "b.png"]}, SETTINGS)
    assert alone.product_fields == (("product", "product.1"),)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scene": "s.png"}, "product: is required"),
        ({}, "product: is required; scene: is required"),
        ({"scene": "s.png", "product": None}, "product: is required"),
        (scene_with(MILL, product="a.png"), "product: product and products exclude each other"),
        (scene_with(), "products: List should have at least 1 item"),
        (scene_with(*({**MILL, "name": f"n{number}"} for number in range(5))), "products: List should have at most 4"),
        (scene_with({**MILL, "name": "a b"}), "products.0.name: String should match pattern"),
        (scene_with({**MILL, "name": ""}), "products.0.name: String should match pattern"),
        (scene_with({**MILL, "colour": "red"}), "products.0.colour: unknown field (known: name, product, placement)"),
        (scene_with({**MILL, "product": ["a", 3]}), "products.0.product.1: Input should be a valid string, got 3"),
        (scene_with({"name": "mill"}), "products.0.product: is required"),
        *(
            (scene_with({**MILL, "placement": place}), words)
            for place, words in (
                ({"box": [0, 0, 1]}, "products.0.placement.box: List should have at least 4 items"),
                ({"mask": 3}, "products.0.placement.mask: Input should be a valid string"),
                ({"colour": 3}, "products.0.placement.colour: unknown field (known: words, box, mask, height_cm"),
                ({"reference": {"x": 1}}, "products.0.placement.reference.x: unknown field (known: box, height_cm)"),
                (7, "products.0.placement: Input should be a valid string, got 7 or Input should be an object"),
            )
        ),
    ],
)
def test_what_cannot_be_is_named_and_the_schema_refuses_it_too(fields, words):
    with pytest.raises(InvalidManifestError) as refused:
        manifest_from(fields, SETTINGS)
    assert words in refused.value.message and not SCHEMA.is_valid(fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (scene_with(MILL, {**CUP, "name": "Mill"}), 'two products are called "Mill"'),
        (
            scene_with(MILL, {**CUP, "product": list("abcdef")}),
            "they have 7 photographs together; at most 6 are allowed",
        ),
        (scene_with(MILL, identity="exact"), "places a single product"),
        *(
            (scene_with(MILL, placement=place), "placement with a box, mask or height is for a single product")
            for place in ({"box": [0, 0, 0.5, 0.5]}, {"mask": "m.png", "words": "left"}, {"facing": "left"})
        ),
        *(
            (
                scene_with({**MILL, "placement": place}, scene={"prompt": "a table"}),
                "products.mill.placement: mask and height_cm need a scene image",
            )
            for place in ({"height_cm": 20, "scene_cm_per_px": 1}, {"mask": "m.png"})
        ),
        ({"scene": "s.png", "product": {"name": "mill"}}, "product: Input should be a valid string"),
        (scene_with("mill.png"), 'products.0: Input should be an object, got "mill.png"'),
        (scene_with(MILL, placement=[1]), "placement: Input should be a valid string or Input should be an object"),
    ],
)
def test_what_does_not_go_together_is_said(fields, words):
    with pytest.raises(InvalidManifestError) as refused:
        manifest_from(fields, SETTINGS)
    assert words in refused.value.message


def test_each_may_have_an_exact_place():
    box = {"words": "on the left", "box": [0.1, 0.3, 0.2, 0.5]}
    manifest = manifest_from(scene_with({**MILL, "placement": box}, CUP), SETTINGS)
    mill, cup = manifest.products
    assert (mill.placement_words, mill.exact_placement.box) == ("on the left", [0.1, 0.3, 0.2, 0.5])
    assert (cup.placement_words, cup.exact_placement.is_exact) == (None, False)
    assert SCHEMA.is_valid(scene_with({**MILL, "placement": box}, CUP))


def test_each_may_have_a_mask_which_is_no_photograph():
    fields = scene_with(*(one | {"placement": {"mask": "free.png"}} for one in (MILL, CUP)))
    manifest = manifest_from(fields, SETTINGS)
    masks = {f"products.{name}.placement.mask": "free.png" for name in ("mill", "cup")}
    assert manifest.references.items() >= masks.items() and SCHEMA.is_valid(fields)
    assert not {*masks} & {field for fields in manifest.product_fields for field in fields}
    targets = manifest_targets(manifest, SETTINGS, "in-bucket", "x/pair.json")
    assert {targets[field].name for field in masks} == {"x/free.png"}
    references_one_folder_deeper(fields)
    assert [one["placement"] for one in fields["products"]] == [{"mask": "../free.png"}] * 2


def test_a_model_takes_so_many_products():
    three = scene_with(*({"name": name, "product": name} for name in ("mill", "cup", "jug")))
    with pytest.raises(InvalidManifestError, match="takes 3 images, and not the scene and 3 products"):
        manifest_from(three, SETTINGS)
    assert manifest_from(three | {"model": "gemini-nano-banana-2.1"}, SETTINGS).products is not None


def test_a_photograph_shows_one_product_and_what_may_be_read_holds_for_each():
    same = manifest_from(scene_with(MILL, {**CUP, "product": "mill.png"}), SETTINGS)
    with pytest.raises(InvalidManifestError, match=r"products\.cup: it is the same photograph as products\.mill"):
        manifest_targets(same, SETTINGS, "in-bucket", "x/pair.json")
    foreign = manifest_from(scene_with(MILL, {**CUP, "product": "gs://somebody-elses/cup.png"}), SETTINGS)
    with pytest.raises(ForbiddenReferenceError, match=r"^products\.cup: the bucket"):
        manifest_targets(foreign, SETTINGS, "in-bucket", "x/pair.json")


def test_a_row_holds_them_as_json_and_reads_them_from_its_catalogues_folder():
    cell = json.dumps([MILL, CUP]).replace('"', '""')
    (row,) = read_rows("a.csv", f'products,scene\n"{cell}",s.png\n'.encode())
    fields = row.read()
    assert fields == scene_with(MILL, CUP)
    references_one_folder_deeper(fields)
    assert [one["product"] for one in fields["products"]] == ["../mill.png", ["../cup.png", "../cup-side.png"]]
    with pytest.raises(ValueError, match="products: must be a JSON list"):
        set_field({}, "products", "mill, cup")
