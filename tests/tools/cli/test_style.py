"""Styles on the command line: checked offline, linted, shown in the prompt, and uploaded with what names them."""

from __future__ import annotations

import json

import pytest

from tests.support import product_png, scene_png
from tests.tools.cli.conftest import OFFLINE
from tests.tools.cli.test_lint import ran  # noqa: F401 (a fixture)

WARM = {"light": "late sun", "camera": "85 mm", "outputs": ["square-white", "story-9x16"]}


@pytest.fixture
def styled(tmp_path):
    """A folder with a pair, a catalogue and the style that both name."""
    folder = tmp_path / "spring"
    (folder / "_styles").mkdir(parents=True)
    (folder / "s.png").write_bytes(scene_png())
    (folder / "p.png").write_bytes(product_png())
    (folder / "_styles/warm.json").write_text(json.dumps(WARM))
    (folder / "pair.json").write_text('{"product": "p.png", "scene": "s.png", "style": "warm"}')
    (folder / "list.csv").write_text("product,scene,style,seed\np.png,s.png,warm,2\n")
    return folder


def test_a_profile_is_checked_without_a_network(ran, styled):  # noqa: F811
    status, said = ran("style", "check", str(styled / "_styles/warm.json"))
    assert status == 0 and "a good profile" in said and "default outputs: square-white, story-9x16" in said
    placed, generated = said.split("when a scene is generated")
    assert "- light: late sun" in placed and "85 mm" not in placed and "- camera: 85 mm" in generated
    (styled / "_styles/warm.json").write_text('{"light": "late sun", "edges": "hard"}')
    status, said = ran("style", "check", str(styled / "_styles/warm.json"))
    assert status == 1 and "edges: unknown field" in said and "Traceback" not in said
    status, said = ran("style", "check", "cold")
    assert status == 2 and "there is no _styles/cold.json" in said


def test_lint_reads_profiles_as_profiles(ran, styled):  # noqa: F811
    status, said = ran("lint", str(styled))
    assert status == 0 and "warm.json: a good style" in said and "2 good pairs" not in said
    (styled / "_styles/warm.json").write_text("[]")
    assert ran("lint", str(styled))[0] == 1
    status, said = ran("lint", str(styled / "_styles/warm.json"))
    assert status == 1 and "must be a JSON object" in said


def test_the_prompt_is_shown_with_the_style(ran, styled, monkeypatch):  # noqa: F811
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    status, said = ran("prompt", "show", str(styled / "pair.json"))
    assert status == 0 and "\n- light: late sun\n\nPlacement: " in said


@pytest.mark.exhaustive
def test_submit_takes_a_style_along_and_a_changed_one_makes_its_pairs_again(own_cloud, command, styled):
    target = f"gs://{own_cloud.input}/2027"
    (styled / "plain.json").write_text('{"product": "p.png", "scene": "s.png", "seed": 3}')
    done = command("submit", styled, target, "--yes")
    assert done.status == 0 and "2 images, 1 style" in done.out and "3 pairs to make" in done.out, done.out + done.err
    names = own_cloud.names(own_cloud.input)
    assert names == ["2027/list.csv", "2027/p.png", "2027/pair.json", "2027/plain.json", "2027/s.png",
                     "_styles/warm.json"]  # fmt: skip
    assert "nothing to do" in command("submit", styled, target).out
    checked = command("style", "check", "warm", f"gs://{own_cloud.input}")
    assert checked.status == 0 and "generation " in checked.out

    (styled / "_styles/warm.json").write_text(json.dumps(WARM | {"light": "overcast"}))
    done = command("submit", styled, target, "--dry-run")
    assert "0 images, 1 style" in done.out and "1 pair to make" in done.out  # the catalogue's rows are not there yet
    (styled / "_styles/warm.json").unlink()
    assert "nothing to do" in command("submit", styled, target).out  # the bucket has it


def test_a_style_that_is_nowhere_is_a_problem_before_anything_is_uploaded(own_cloud, command, styled):
    (styled / "_styles/warm.json").rename(styled / "_styles/cold.json")
    done = command("submit", styled, f"gs://{own_cloud.input}", "--yes")
    assert done.status == 1 and "_styles/warm.json" in done.out and own_cloud.names(own_cloud.input) == []
    offline = command("submit", styled, "gs://input", "--dry-run", **OFFLINE)
    assert offline.status == 0  # nobody knows what the bucket holds
