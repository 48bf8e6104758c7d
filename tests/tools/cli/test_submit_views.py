"""`submit` of pairs with several photographs: all are checked, uploaded and counted."""

from __future__ import annotations

import json

import pytest

from function.generation.models import model_table
from function.manifest.parse import manifest_from
from function.settings import Settings
from function.tools.cli.cost import by_batch, estimate
from tests.product_samples import view_png
from tests.support import scene_png

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
MODEL = "gemini-nano-banana-2.1"


def test_every_photograph_goes_up_and_a_missing_one_is_named(own_cloud, command, tmp_path):
    for name, content in {
        "scene.png": scene_png(),
        "a.png": view_png("front.png"),
        "b.png": view_png("back.png"),
    }.items():
        (tmp_path / name).write_bytes(content)
    pair = {"scene": "scene.png", "product": ["a.png", "b.png", "c.png"]}
    (tmp_path / "pair.json").write_text(json.dumps(pair))
    done = command("submit", tmp_path, f"gs://{own_cloud.input}", "--yes")
    assert done.status != 0 and "c.png is neither in the folder nor in the bucket" in done.out + done.err
    (tmp_path / "pair.json").write_text(json.dumps(pair | {"product": ["a.png", "b.png"]}))
    limit = str(sum(len(view_png(name)) for name in ("front.png", "back.png")) - 1)
    done = command("submit", tmp_path, f"gs://{own_cloud.input}", "--dry-run", MAX_SOURCE_BYTES=limit)
    assert done.status != 0 and "its photographs have" in done.out + done.err
    assert command("submit", tmp_path, f"gs://{own_cloud.input}", "--yes").status == 0
    assert own_cloud.names(own_cloud.input) == ["a.png", "b.png", "pair.json", "scene.png"]


def test_every_photograph_that_is_sent_costs_its_tokens():
    """1,120 tokens each at $1.50 a million."""
    views = {"product": [f"{number}.png" for number in range(6)], "scene": "s.png"}
    one, six = (
        [manifest_from({**views, "product": product, "model": MODEL}, SETTINGS)]
        for product in ("0.png", views["product"])
    )
    assert "at $0.037 a picture" in estimate(one, SETTINGS) and "at $0.046 a picture" in estimate(six, SETTINGS)
    assert "at once about $0.04" in by_batch(one, SETTINGS) and "at once about $0.46" in by_batch(six * 10, SETTINGS)
    both = estimate(one + six, SETTINGS)
    assert (
        "1 picture by gemini-nano-banana-2.1 at $0.037 a picture, 1 picture by gemini-nano-banana-2.1 at $0.046" in both
    )


def test_a_place_that_is_shown_in_a_marked_copy_of_the_scene_costs_one_image_more(monkeypatch):
    """1,120 tokens at $1.50 a million, for each of 1,000 pictures."""
    table = model_table()
    shown = table.models[MODEL].model_copy(update={"spot_shown": "marked_scene"})
    monkeypatch.setitem(table.models, MODEL, shown)
    pair = {"product": "0.png", "scene": "s.png", "model": MODEL}
    plain, height, box, mask = (
        estimate([manifest_from(pair | {"placement": placement}, SETTINGS)] * 1000, SETTINGS)
        for placement in (
            "left", {"height_cm": 3, "scene_cm_per_px": 1}, {"box": [0.1, 0.1, 0.2, 0.2]}, {"mask": "m.png"}
        )
    )  # fmt: skip
    assert plain == height and box == mask
    usd = [float(said.split("$")[1].split(" ")[0].replace(",", "")) for said in (plain, box)]
    assert usd[1] - usd[0] == pytest.approx(1000 * 1120 * 1.5e-6, abs=0.02)


def test_a_mask_which_is_told_in_words_costs_nothing():
    pair = {"product": "0.png", "scene": "s.png", "model": MODEL}
    plain, masked = (
        [manifest_from(pair | placement, SETTINGS)] * 1000 for placement in ({}, {"placement": {"mask": "m.png"}})
    )
    for said in (estimate, by_batch):
        assert said(plain, SETTINGS) == said(masked, SETTINGS)
