"""The guard: ghosts that are put in on purpose are found and mended, and a good result is left alone."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.restoration.ghost_detection import find_ghosts, shrunk_part
from function.restoration.restore import restore
from tests.cases.answers import analysis_of, case, frame_of
from tests.restoration.test_content import HEIGHT, NO_PRODUCT, WIDTH, analysed, lamp, repainted, wall

LAMP = np.s_[250:380, 570:750]


@pytest.fixture(scope="module")
def room():
    """A room in which the model hung a lamp: scene, analysis, result."""
    rng = np.random.default_rng(21)
    scene = wall(rng)
    answer, _ = lamp(repainted(rng, scene), (150, 120, 90), cord=5)
    scene, _, analysis, frame = analysed(scene, answer)
    return scene, analysis, restore(scene, NO_PRODUCT, analysis, frame).image


def half_there(scene, result):
    return ((result.astype(int) + scene) // 2).astype(np.uint8)


def blurred(scene, result):
    return cv2.GaussianBlur(result, (0, 0), 14)


def elsewhere(scene, result):
    return np.roll(result, 45, axis=1)


def too_dark(scene, result):
    return (result * 0.7).astype(np.uint8)


@pytest.mark.parametrize("spoil", [half_there, blurred, elsewhere, too_dark])
def test_a_ghost_is_found_where_it_is(room, spoil):
    scene, analysis, result = room
    spoiled = result.copy()
    spoiled[LAMP] = spoil(scene, result)[LAMP]
    ghosts = find_ghosts(spoiled, analysis) > 127
    assert ghosts[LAMP].mean() > 0.1
    ghosts[230:400, 550:770] = False
    assert not ghosts.any()


def test_a_good_result_has_none(room):
    _, analysis, result = room
    assert not find_ghosts(result, analysis).any()


@pytest.mark.parametrize("name", ["box", "can", "mug"])
@pytest.mark.parametrize("manner", ["real", "mild", "typical"])
def test_the_photographs_own_detail_is_no_ghost(name, manner):
    pictures, analysis = case(name), analysis_of(name, manner)
    result = restore(pictures.scene, pictures.product, analysis, frame_of(pictures.scene)).image
    assert find_ghosts(result, analysis).mean() / 255 < 0.001


def test_verified_detail_may_differ_from_the_answer_altogether():
    pictures, analysis = case("box"), analysis_of("box", "typical")
    result = restore(pictures.scene, pictures.product, analysis, frame_of(pictures.scene)).image
    match = analysis.product.match
    x, y, width, height = match.box
    verified = np.zeros(analysis.scene.change.shape, np.uint8)
    verified[y : y + height, x : x + width] = match.weight
    inner = cv2.erode((verified > 0).astype(np.uint8), np.ones((9, 9), np.uint8))
    height, width = result.shape[:2]
    inner = cv2.resize(inner, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    assert inner.mean() > 0.005
    spoiled = np.where(inner[..., None], 255 - result, result)
    assert find_ghosts(spoiled, analysis).mean() / 255 < 0.001
    for other in (None, replace(match, detail=False)):
        without_detail = replace(analysis, product=replace(analysis.product, match=other))
        assert find_ghosts(spoiled, without_detail).mean() / 255 > 0.005


def test_restoring_mends_what_would_be_half_there(room):
    """Whatever goes wrong before it: here the mask of what is drawn is made half transparent."""
    scene, analysis, good = room
    spoiled = replace(
        analysis,
        scene=replace(analysis.scene, content=analysis.scene.content // 2),
        product=replace(analysis.product, mask=analysis.product.mask // 2),
    )
    result = restore(scene, NO_PRODUCT, spoiled, frame_of(scene)).image
    assert np.abs(result[LAMP].astype(int) - good[LAMP]).mean() < 4
    assert result.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    ("full", "size"),
    [
        ((3840, 2160), (672, 378)),
        ((1344, 756), (672, 378)),
        ((1345, 757), (673, 379)),
        ((1500, 1125), (672, 504)),
        ((3000, 1999), (672, 448)),
        ((2016, 1511), (672, 504)),
        ((700, 400), (700, 400)),
        ((500, 400), (672, 538)),
        ((700, 400), (672, 538)),
    ],
)
def test_a_part_is_shrunk_as_the_whole_is(full, size):
    image = np.random.default_rng(3).integers(0, 256, (full[1], full[0], 3), np.uint8)
    whole = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    for rows, columns in [
        (slice(0, 41), slice(0, 90)),
        (slice(97, 263), slice(201, 207)),
        (slice(size[1] - 120, size[1] + 30), slice(size[0] - 1, size[0] + 40)),
        (slice(0, size[1] + 40), slice(0, size[0] + 40)),
    ]:
        assert np.array_equal(shrunk_part(image, size, rows, columns), whole[rows, columns])
