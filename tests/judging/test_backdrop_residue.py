"""A photograph's backdrop in an opening, or its drop shadow on thin air, is not accepted; the scene there is."""

from __future__ import annotations

import pytest

from tests.bench.photographs import judged
from tests.cases.packshots import answer, packshots, shelf
from tests.tiers import exhaustive


@pytest.mark.parametrize("name", ["bag-white", "mug-paper", *exhaustive("mug-white", "bag-sweep")])
def test_the_scene_shows_through_an_opening_and_the_backdrop_does_not(name):
    shot, scene = next(packshots(name)), shelf()
    right = judged(shot.photograph, scene, answer(scene, shot.truth))
    assert right.verdict == "accepted", {n: c.reason for n, c in right.checks.items() if not c.passed}
    plugged = judged(shot.photograph, scene, answer(scene, shot.wrong["plugged"]))
    assert plugged.verdict == "review" and not plugged.checks["no_halo"].passed


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["tea-baked", "lamp-baked"])
def test_a_drop_shadow_that_was_pasted_along_is_seen(name):
    shot, scene = next(packshots(name)), shelf()
    assert judged(shot.photograph, scene, answer(scene, shot.truth)).verdict == "accepted"
    pasted = judged(shot.photograph, scene, answer(scene, shot.wrong["floating-shadow"]))
    assert pasted.verdict == "review"


@pytest.mark.parametrize("backdrop", ["white", *exhaustive("gradient", "paper")])
def test_a_card_of_backdrop_is_not_accepted(backdrop):
    shot, scene = next(packshots(f"tea-{backdrop}")), shelf()
    assert judged(shot.photograph, scene, answer(scene, shot.truth)).verdict == "accepted"
    assert judged(shot.photograph, scene, answer(scene, shot.wrong["card"])).verdict != "accepted"


def test_a_chair_is_seen_through_and_not_one_whose_openings_are_plugged():
    shot, scene = next(packshots("chair-white")), shelf()
    right = judged(shot.photograph, scene, answer(scene, shot.truth))
    assert right.verdict == "accepted", {n: c.reason for n, c in right.checks.items() if not c.passed}
    plugged = judged(shot.photograph, scene, answer(scene, shot.wrong["plugged"]))
    assert plugged.verdict == "review" and not plugged.checks["no_halo"].passed


@pytest.mark.parametrize("name", ["pale_lamp-white", "glass-baked"])
def test_pale_thin_and_glass_products_stand_in_the_scene(name):
    shot, scene = next(packshots(name)), shelf()
    right = judged(shot.photograph, scene, answer(scene, shot.truth))
    assert right.verdict == "accepted", {n: c.reason for n, c in right.checks.items() if not c.passed}
