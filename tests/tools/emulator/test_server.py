"""The Gemini emulator, driven by the real google-genai SDK over HTTP and by raw requests."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import httpx2
import numpy as np
import pytest
from PIL import Image

from function.tools.emulator.models import load_models
from tests.cases.packshots import openings, packshots
from tests.support import PATIENCE_S
from tests.tiers import exhaustive
from tests.tools.emulator.calls import MODEL, PRODUCT, SCENE, ask, encoded, picture, pink, pink_product, table_scene


@pytest.mark.parametrize(
    "ratio", ["1:1", "9:16", "21:9", *exhaustive("2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "16:9")]
)
def test_the_picture_has_the_native_size_of_the_ratio(emulator, ratio):
    width, height = load_models()[MODEL].native_sizes[ratio]
    assert picture(ask(emulator, ratio=ratio)).shape == (height, width, 3)


def test_the_product_stands_on_the_table_whole_and_in_its_own_shape(emulator):
    found = pink(picture(ask(emulator)))
    rows, columns = np.nonzero(found)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert tall / wide == pytest.approx(2.0, abs=0.08)
    assert found.sum() / (tall * wide) > 0.95
    assert rows.max() > 0.65 * found.shape[0], "its foot is on the table, which begins at 60 %"
    assert 0.15 < tall / found.shape[0] < 0.6


def test_there_is_a_contact_shadow_and_none_when_told(emulator):
    shades = {}
    for kind in (None, "no_shadow"):
        emulator.control(faults=[{"kind": kind}] if kind else [])
        pixels = picture(ask(emulator))
        rows, columns = np.nonzero(pink(pixels))
        below = pixels[rows.max() + 3 : rows.max() + 7, columns.min() + 10 : columns.max() - 10]
        shades[kind] = below.mean()
    assert shades[None] < 0.9 * shades["no_shadow"]


def test_the_scene_is_kept_but_for_a_small_drift(emulator):
    kept = picture(ask(emulator)).astype(float)
    scene = np.asarray(Image.fromarray(table_scene()).resize((1344, 768), Image.Resampling.BICUBIC)).astype(float)
    away = ~np.pad(pink(kept), 260, mode="edge")[260:-260, 260:-260]
    difference = np.abs(kept - scene).mean(2)[away]
    assert 0.2 < np.median(difference) < 8
    emulator.control(drift=0)
    exact = np.abs(picture(ask(emulator)).astype(float) - scene).mean(2)
    assert np.median(exact) < 0.2


def test_the_same_request_gives_the_same_picture_and_another_seed_another(emulator):
    first, again, other = (picture(ask(emulator, seed=seed)) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_padding_bars_carry_no_product(emulator):
    scene = np.full((439, 768, 3), 128, np.uint8)
    scene[120:320] = table_scene((768, 200))
    rows = np.nonzero(pink(picture(ask(emulator, images=(encoded(scene), PRODUCT)))))[0]
    assert rows.min() > 120 / 439 * 768 - 6
    assert rows.max() < 320 / 439 * 768 + 6


def test_the_placement_that_the_prompt_names_is_followed(emulator):
    for word, low, high in (("left", 0.15, 0.42), ("right", 0.58, 0.9)):
        found = pink(picture(ask(emulator, text=f"Put [2] into [1].\n\nPlacement: on the {word} of the table\n")))
        assert low < np.nonzero(found)[1].mean() / found.shape[1] < high


def test_a_product_on_an_even_backdrop_is_cut_out(emulator):
    flat = pink_product()
    flat[flat[..., 3] == 0] = 255
    pixels = picture(ask(emulator, images=(SCENE, encoded(np.ascontiguousarray(flat[..., :3])))))
    rows, columns = np.nonzero(pink(pixels))
    assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(2.0, abs=0.1)
    beside = pixels[rows.min() : rows.max(), columns.min() - 20 : columns.min() - 8]
    assert beside.min(axis=2).max() < 240, "no white backdrop beside it"


def test_the_scene_shows_through_the_opening_of_a_product_before_white(emulator):
    emulator.control(drift=0)
    bag = encoded(next(packshots("bag-white")).photograph)
    pixels = picture(ask(emulator, images=(SCENE, bag))).astype(float)
    scene = np.asarray(Image.fromarray(table_scene()).resize((1344, 768), Image.Resampling.BICUBIC)).astype(float)
    changed = np.abs(pixels - scene).max(axis=2) > 25
    assert openings(np.where(changed, 255, 0).astype(np.uint8)).sum() > 5000


def test_a_prompt_without_images_gives_an_empty_scene_of_what_it_names(emulator):
    wood = picture(ask(emulator, images=(), text="Scene: walnut table, white wall, warm light from the left"))
    slate = picture(ask(emulator, images=(), text="Scene: slate, white wall, light from the right"))
    assert wood.shape == slate.shape == (768, 1344, 3)
    table, dark = wood[600:].mean((0, 1)), slate[600:].mean((0, 1))
    assert table[0] > 1.4 * table[2], "walnut is brown"
    assert dark[0] < 1.15 * dark[2], "slate is not"
    assert wood[:300, :300].mean() > wood[:300, -300:].mean(), "light from the left"
    assert slate[:300, :300].mean() < slate[:300, -300:].mean(), "light from the right"


def test_answers_are_counted_by_what_was_asked(emulator):
    for seed in (1, 1, 2):
        ask(emulator, seed=seed)
    emulator.control(faults=[{"kind": "reset_midway"}])
    with pytest.raises(httpx2.TransportError):
        ask(emulator, seed=2)
    with urllib.request.urlopen(emulator.url + "/__control") as response:
        report = json.load(response)
    assert report["requests"] == report["answers"] == 4, "an answer lost on the way was given all the same"
    assert {entry["seed"]: entry["count"] for entry in report["answered"]} == {1: 2, 2: 2}
    assert len({entry["digest"] for entry in report["answered"]}) == 1
    emulator.control(reset=True)
    assert emulator.report()["requests"] == 0


def test_it_runs_as_a_program_and_ends_on_sigterm():
    process = subprocess.Popen(
        [sys.executable, "-m", "function.tools.emulator.server", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(url + "/__control", timeout=PATIENCE_S) as response:
            assert json.load(response)["requests"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
