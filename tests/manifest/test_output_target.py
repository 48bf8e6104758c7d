"""`outputs` of a manifest: presets by name, targets of one's own, and what is refused."""

from __future__ import annotations

import pytest

from function.errors import InvalidManifestError
from function.manifest.flat_fields import set_field
from function.manifest.output_target import PRESETS, PresetName
from function.manifest.parse import manifest_from
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})


def outputs_of(*outputs, **fields):
    return manifest_from({"product": "p", "scene": "s", "outputs": list(outputs), **fields}, SETTINGS).outputs


def test_a_preset_is_named_by_itself_and_changed_by_what_stands_beside_it():
    plain, changed = outputs_of("story-9x16", {"preset": "banner-16x9", "name": "home", "width": 960, "height": 540})
    assert (plain.stem, plain.wanted("width"), plain.wanted("height")) == ("story-9x16", 1080, 1920)
    assert (changed.stem, changed.wanted("width"), changed.wanted("format")) == ("home", 960, "jpeg")


def test_every_preset_is_one_that_the_schema_names():
    assert set(PRESETS) == set(PresetName.__args__)
    for preset in PRESETS:
        outputs_of(preset)


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([{"width": 10}], "needs a name"),
        ([{"name": "a/b"}], "outputs.0.name"),
        (["story-9x16", {"name": "Story-9x16"}], "given twice"),
        (["poster"], "outputs.0.preset"),
        ([], "at least 1"),
        ([{"name": f"n{number}"} for number in range(9)], "at most 8"),
        ([{"name": "a", "background": "white"}], "outputs.0.background"),
        ([{"name": "a", "margin": 0.5}], "outputs.0.margin"),
        ([{"name": "a", "colour": 1}], "known: format, quality"),
    ],
)
def test_what_cannot_be_is_refused_by_name(outputs, said):
    with pytest.raises(InvalidManifestError, match=said):
        outputs_of(*outputs)


def test_output_and_outputs_exclude_each_other():
    with pytest.raises(InvalidManifestError, match="exclude each other"):
        outputs_of("story-9x16", output={"format": "png"})


@pytest.mark.parametrize(
    "text", ["story-9x16, banner-16x9", " story-9x16 banner-16x9", '["story-9x16", {"preset": "banner-16x9"}]']
)
def test_a_spreadsheets_cell_names_presets_or_holds_json(text):
    fields = {"product": "p", "scene": "s"}
    set_field(fields, "outputs", text)
    assert [one.stem for one in manifest_from(fields, SETTINGS).outputs] == ["story-9x16", "banner-16x9"]
