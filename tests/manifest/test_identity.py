"""Whose pixels the product has, and the place that a manifest gives it."""

from __future__ import annotations

import json

import pytest

from function.errors import InvalidManifestError
from function.manifest.flat_fields import set_field
from function.manifest.parse import manifest_from
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
GOOD = {"product": "p.png", "scene": "s.png"}


def test_the_place_is_words_or_an_object_of_words_and_a_box():
    assert manifest_from(GOOD | {"placement": "left"}, SETTINGS).placement_words == "left"
    both = manifest_from(GOOD | {"placement": {"words": "left", "box": [0.1, 0, 0.5, 1]}}, SETTINGS)
    assert (both.placement_words, both.exact_placement.box) == ("left", [0.1, 0, 0.5, 1])
    assert manifest_from(GOOD, SETTINGS).exact_placement.box is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"identity": "soft"}, "identity: Input should be 'auto', 'model' or 'exact'"),
        ({"placement": {"box": [0.6, 0.2, 0.5, 0.5]}}, "lies inside it"),
        ({"placement": {"box": [0.6, 0.2, 0, 0.5]}}, "lies inside it"),
        ({"placement": {"box": [0.1, 0.2, 0.5]}}, "placement.box"),
        ({"placement": {"place": "left"}}, "known: words, box"),
        ({"identity": "exact", "restore": "off"}, "needs restore"),
    ],
)
def test_what_cannot_be_meant_is_said(fields, said):
    with pytest.raises(InvalidManifestError, match=said):
        manifest_from(GOOD | fields, SETTINGS)


def test_a_catalogues_cell_may_hold_the_object():
    fields = dict(GOOD)
    set_field(fields, "identity", "exact")
    set_field(fields, "placement", json.dumps({"box": [0.1, 0.2, 0.3, 0.4]}))
    manifest = manifest_from(fields, SETTINGS)
    assert manifest.identity == "exact" and manifest.exact_placement.box == [0.1, 0.2, 0.3, 0.4]


def test_the_environment_says_what_holds_for_the_others():
    settings = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k", "IDENTITY": " Exact"})
    assert (settings.identity, SETTINGS.identity) == ("exact", "auto")
