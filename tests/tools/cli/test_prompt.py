"""`prompt show`: the words are those that the model is sent."""

from __future__ import annotations

import json

import numpy as np

from function.tools import command_line
from tests.support import png, product_png, scene_png


def show(folder, monkeypatch, capsys, **fields):
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    (folder / "scene.png").write_bytes(scene_png())
    (folder / "product.png").write_bytes(product_png())
    manifest = folder / "pair.json"
    manifest.write_text(json.dumps({"product": "product.png", "scene": "scene.png", "seed": 7, **fields}))
    monkeypatch.setattr("sys.argv", ["python -m function", "prompt", "show", str(manifest)])
    return command_line.main(), capsys.readouterr()


def test_the_request_of_a_server_and_what_is_shown_have_the_same_words(cloud, server, tmp_path, monkeypatch, capsys):
    fields = {"placement": "on the left", "feedback": "smaller", "seed": 7_777}
    assert cloud.deliver(server, cloud.put_pair("prompt/pair.json", **fields)).status == 200
    status, said = show(tmp_path, monkeypatch, capsys, **fields)
    assert status == 0
    (sent, *_) = [seen for seen in cloud.gemini.requests if seen["code"] == 200]
    words = sent["text"].removeprefix("[1]\n[2]\n")  # what introduces the images
    assert said.out.endswith(f"\n\n{words}\n")
    assert "seed 7777" in said.out and cloud.sidecar("prompt/pair.json")["prompt_version"] in said.out


def test_a_scene_in_words_is_shown_as_it_is_asked_for(tmp_path, monkeypatch, capsys):
    status, said = show(tmp_path, monkeypatch, capsys, scene={"prompt": "an oak table"})
    assert status == 0 and "Scene: an oak table\n" in said.out and "[1]" not in said.out


def test_an_image_in_a_bucket_is_one_sentence(tmp_path, monkeypatch, capsys):
    status, said = show(tmp_path, monkeypatch, capsys, scene="gs://b/scene.png")
    assert status == 2 and "gs://b/scene.png is not on this machine" in said.err and said.out == ""


def test_a_mask_beside_the_manifest_is_told_by_its_corners(tmp_path, monkeypatch, capsys):
    ground = np.zeros((360, 640, 3), np.uint8)
    ground[270:324, 64:320] = 255
    (tmp_path / "free.png").write_bytes(png(ground))
    status, said = show(tmp_path, monkeypatch, capsys, placement={"mask": "free.png"})
    assert status == 0 and "lies inside this area" in said.out and "Best is [y, x] = [" in said.out


def test_a_product_whose_own_pixels_are_asked_for_at_a_place_is_shown_as_it_is_laid(tmp_path, monkeypatch, capsys):
    exact = {"placement": {"box": [0.4, 0.3, 0.2, 0.5]}, "identity": "exact"}
    status, said = show(tmp_path, monkeypatch, capsys, **exact)
    assert status == 0 and said.out.startswith("model: ")
    assert "a scene into which the product of [2] has been laid" in said.out
