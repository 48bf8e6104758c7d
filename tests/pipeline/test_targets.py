"""What a manifest's outputs become: a preset's numbers, its own where they are given, and what fits best elsewhere."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from function.errors import InvalidManifestError
from function.manifest.parse import manifest_from
from function.pipeline.targets import COVER_MARGIN, Target, largest_sides, targets_of
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
SCENE = SimpleNamespace(size=(1600, 1200), info=SimpleNamespace(format="heic"))


def targets(**fields):
    return targets_of(manifest_from({"product": "p", "scene": "s", **fields}, SETTINGS), SCENE, SETTINGS)


def test_without_outputs_there_is_one_without_a_name_and_without_a_margin():
    assert targets(output={"height": 600, "quality": 80}) == (Target(None, (800, 600), "jpeg", 80),)


def test_a_preset_gives_what_is_not_said_and_the_rest_fits_best():
    white, story, own = targets(
        outputs=["square-white", {"preset": "story-9x16", "margin": 0.2, "position": "left"}, {"name": "own"}]
    )
    assert (white.size, white.fit, white.margin, white.background) == ((2000, 2000), "contain", 0.05, "#ffffff")
    assert (story.size, story.fit, story.margin, story.position) == ((1080, 1920), "cover", 0.2, "left")
    assert own == Target("own", (1600, 1200), "jpeg", None, margin=COVER_MARGIN, position="center")
    assert largest_sides((white, story, own)) == (2000, 2000)


def test_what_is_contained_has_no_margin_unless_it_is_asked_for():
    (plain,) = targets(outputs=[{"name": "a", "fit": "contain"}])
    assert plain.margin == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"output": {"width": 16000, "height": 16000}}, "output: 16000 x 16000 is more than 64,000,000"),
        (
            {"outputs": [{"name": "a", "width": 16384, "height": 10, "format": "webp"}]},
            "outputs.a: 16384 x 10 does not",
        ),
    ],
)
def test_what_cannot_be_made_names_its_field(fields, said):
    with pytest.raises(InvalidManifestError, match=said):
        targets(**fields)
