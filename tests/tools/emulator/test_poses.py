"""The emulated model lays and hangs a product as the prompt asks, or stands it all the same."""

from __future__ import annotations

import numpy as np
import pytest

from function.generation.prompt import composite_prompt
from function.tools.emulator.placement import Spot
from function.tools.emulator.poses import asked_pose, drawn_pose, posed, posed_spot
from tests.pipeline.test_attempts import put_large
from tests.tiers import exhaustive

FACTS = {"product_is_cut_out": True, "is_letterboxed": False}
SIZE = 1344, 756
SEED = 240_024  # no other test asks for the same pair with it; where it stands depends on it


@pytest.mark.parametrize("pose", ["stand", "lie", "hang", "wear", "hold"])
def test_the_pose_is_read_from_the_words_and_can_be_ignored(pose):
    said = composite_prompt("on the left", pose, **FACTS)
    assert (asked_pose(said), drawn_pose(said, None), drawn_pose(said, "pose_ignored")) == (pose, pose, "stand")


def test_what_lies_is_on_its_longer_side_and_what_hangs_begins_high():
    tall, wide = np.zeros((30, 10, 4), np.uint8), np.zeros((10, 30, 4), np.uint8)
    assert posed(tall, "lie").shape == posed(wide, "lie").shape == (10, 30, 4)
    assert posed(tall, "hang") is tall
    assert posed_spot(Spot(50, 90, 42), tall, "hang", 100) == Spot(50, 54, 42)
    assert posed_spot(Spot(50, 90, 42), tall, "lie", 100) == Spot(50, 90, 14)
    assert posed_spot(Spot(50, 90, 42), wide, "lie", 100) == posed_spot(Spot(50, 90, 42), tall, "stand", 100)


@pytest.mark.parametrize("pose", ["lie", *exhaustive("hang")])
def test_a_picture_shows_the_pose_or_not(cloud, server, pose):
    boxes = []
    for manner in ([], [{"kind": "pose_ignored", "times": 1}]):
        cloud.gemini.control(faults=manner)
        fields = {"seed": SEED + len(boxes), "pose": pose, "attempts": 1, "identity": "model"}
        assert cloud.deliver(server, put_large(cloud, **fields)).status == 200
        boxes.append(cloud.sidecar()["change"]["box"])
        assert cloud.sidecar()["status"] == "accepted", cloud.sidecar()["checks"]
    (_, top, _, tall), (_, ignored_top, _, ignored_tall) = boxes
    assert tall < 0.6 * ignored_tall if pose == "lie" else top < ignored_top - 0.1 * SIZE[1]
