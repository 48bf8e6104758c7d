"""Answers to a sketch: the product is its photograph's own pixels, whatever the answer made of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.judging.judge import judge
from function.judging.product_identical import changed_regions
from function.matching.cutout.cut_out import cut_out
from function.matching.place import Place, outline_box
from function.restoration.product_reference import ProductReference
from function.restoration.restore import restore
from function.restoration.sketch_analysis import analyse_sketch, remove_spilt_content
from tests.bench.identity import likeness, truth_place
from tests.bench.scores import score
from tests.cases.answers import case, frame_of
from tests.cases.composed import compose
from tests.cases.frontal import frontal_case
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.cases.product_liberties import LIBERTIES, Drawn
from tests.tiers import exhaustive


@pytest.fixture(scope="module")
def laid():
    return frontal_case("can")


def answered(laid, liberty):
    case, frame, place = laid
    drawn = LIBERTIES[liberty](Drawn.of(case), np.random.default_rng(3))
    reference = ProductReference.of(case.product, cut_out(case.product))
    return analyse_sketch(case.scene, reference, imitate(drawn, frame, MANNERS["real"], 3), frame, place)


@pytest.mark.parametrize("liberty", ["repainted", *exhaustive("kept", "misshapen")])
def test_the_product_is_its_photograph_and_the_shadow_the_answers(laid, liberty):
    case, frame, place = laid
    analysis = answered(laid, liberty)
    restored = restore(case.scene, case.product, analysis, frame)
    similarity, colour = likeness(case.product, place, restored.image)
    assert similarity > 0.95 and colour < 3
    assert score(case, restored.image)["shadow"]["ssim"] > 0.9
    assert score(case, restored.image)["outside"]["psnr"] > 50
    assert judge(analysis).checks["product_identical"].passed and changed_regions(analysis) == []


def test_another_product_elsewhere_is_not_kept_and_not_accepted(laid):
    analysis = answered(laid, "ignored")
    judgement = judge(analysis)
    assert judgement.verdict != "accepted" and not judgement.checks["product_identical"].passed
    assert "neither moved nor turned" in " ".join(judgement.lessons)


def test_what_the_answer_draws_above_the_product_is_seen(laid):
    """The model's own product, larger than the one that was composited."""
    case, frame, place = laid
    size = case.scene.shape[1], case.scene.shape[0]
    x, y, wide, tall = place.pixels(size)
    outline = outline_box(np.ascontiguousarray(case.product[..., 3]))
    smaller = Place.standing((x + wide / 2) / size[0], (y + tall) / size[1], 0.75 * place.height, outline, size)
    answer = imitate(case, frame, MANNERS["real"], 1)
    for at, seen in ((smaller, True), (place, False)):
        analysis = analyse_sketch(case.scene, ProductReference.of(case.product), answer, frame, at)
        assert judge(analysis).checks["product_once"].passed is not seen


def test_an_answer_that_is_another_picture_is_answered(laid):
    case, frame, place = laid
    noise = np.random.default_rng(0).integers(0, 255, (768, 1344, 3)).astype(np.uint8)
    reference = ProductReference.of(case.product, cut_out(case.product))
    analysis = analyse_sketch(case.scene, reference, noise, frame, place)
    assert analysis.product.composited is None and judge(analysis).verdict != "accepted"


@pytest.fixture(scope="module")
def pale():
    """Of a pale can that the answer draws a little larger than the sketch: its coverage, and the analysis."""
    product = case("can").product.copy()
    scene = case("box").scene
    wall = scene[: scene.shape[0] // 3].reshape(-1, 3).mean(axis=0)
    product[..., :3] = 0.8 * wall + 0.2 * product[..., :3]
    drawn = compose("can", scene, product, centre_x=0.5, height=0.4)
    own = truth_place(drawn)
    place = Place(own.left + 0.01 * own.width, own.top + 0.03 * own.height, 0.98 * own.width, 0.97 * own.height)
    frame = frame_of(scene)
    reference = ProductReference.of(product, cut_out(product))
    analysis = analyse_sketch(scene, reference, imitate(drawn, frame, MANNERS["real"], 3), frame, place)
    return analysis.product.mask, analysis.scene


def test_a_pale_product_that_the_answer_draws_larger_leaves_no_rim_around_the_sketch(pale):
    """Its paint hardly differs from the wall: it reads as content in some places, and as tinted light in others."""
    coverage, scene = pale
    _, top, _, tall = cv2.boundingRect(coverage)
    near = (cv2.dilate(coverage, np.ones((17, 17), np.uint8)) > 0) & (coverage == 0)
    near[top + round(0.4 * tall) :] = False  # below, the shadow begins
    light = cv2.resize(np.abs(scene.light).max(axis=2), coverage.shape[::-1])
    assert scene.content[near].max() == 0
    assert np.quantile(light[near], 0.99) < 0.1


def test_its_shadow_reaches_the_outline_and_its_contact_stays(pale):
    coverage, scene = pale
    left, top, wide, tall = cv2.boundingRect(coverage)
    light = cv2.resize(scene.light.mean(axis=2), coverage.shape[::-1])
    rows = slice(top + round(0.74 * tall), top + round(0.84 * tall))  # above the base, on the shadow's side
    beside, farther = (light[rows, left + wide + px : left + wide + px + 6].mean() for px in (3, 30))
    assert farther < -0.3 and beside < 0.5 * farther
    assert scene.content[top + tall - 10 : top + tall + 30, left : left + wide].max() == 255


def test_content_of_its_own_that_touches_the_product_stays():
    content, near = np.zeros((60, 90), bool), np.zeros((60, 90), np.float32)
    near[10:50, 10:40] = 1
    content[20:30, 30:80] = True  # a leaf that reaches far
    content[35:45, 12:20] = True  # the product, beside itself
    content[8:52, 41:42] = True  # the rim along it
    left = remove_spilt_content(content, near)
    assert left[20:30, 45:80].all() and not left[31:].any() and not left[:20].any()
