"""What nobody asked for is undone when it is surely foreign, and else kept whole and named."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.judging.judge import judge
from function.restoration.analyse import analyse
from function.restoration.restore import restore
from tests.cases.answers import frame_of
from tests.restoration.test_content import HEIGHT, WIDTH, repainted, wall

BLUE, ORANGE = (40, 70, 160), (230, 120, 30)


def photograph(colours=(BLUE,), gap=60):
    """A box for each colour, side by side on transparency."""
    product = np.zeros((400, 320 * len(colours), 4), np.uint8)
    for number, colour in enumerate(colours):
        left = 320 * number + gap // 2
        product[40:360, left : left + 320 - gap] = (*colour, 255)
        product[120:200, left + 40 : left + 120] = (240, 240, 235, 255)
    return product


def answered(*things, seed=11):
    """A room and the room with a blue box in it, and besides with `things`: functions that draw on the answer."""
    rng = np.random.default_rng(seed)
    scene = wall(rng)
    answer = repainted(rng, scene)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    answer *= (1 - 0.4 * np.exp(-(((x - 430) / 150) ** 2 + ((y - 665) / 22) ** 2)))[..., None]
    cv2.rectangle(answer, (330, 400), (530, 660), BLUE, -1)
    cv2.rectangle(answer, (355, 465), (415, 530), (240, 240, 235), -1)
    for thing in things:
        thing(answer)
    return tuple(np.clip(picture + 0.5, 0, 255).astype(np.uint8) for picture in (scene, answer))


def ball(colour):
    return lambda answer: cv2.circle(answer, (980, 420), 46, colour, -1)


def shadow(answer):
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    answer *= (1 - 0.5 * np.exp(-(((x - 980) / 70) ** 2 + ((y - 420) / 60) ** 2)))[..., None]


def in_the_ball(picture):
    return picture[380:460, 945:1015].astype(int)


def test_a_thing_of_a_colour_that_the_product_lacks_is_undone():
    scene, answer = answered(ball(ORANGE))
    product, frame = photograph(), frame_of(scene)
    analysis = analyse(scene, product, answer, frame)
    (undone,) = analysis.scene.undone_alterations
    assert analysis.scene.kept_alterations == ()
    x, y, width, height = undone.box
    assert x < 980 / WIDTH < x + width and y < 420 / HEIGHT < y + height
    assert undone.share == pytest.approx(np.pi * 46**2 / (WIDTH * HEIGHT), rel=0.3)
    result = restore(scene, product, analysis, frame).image
    assert (in_the_ball(result) == in_the_ball(scene)).all()
    assert np.abs(result[450:600, 430:520].astype(int) - np.array(BLUE)).mean() < 6, "the product is gone too"


def test_a_second_thing_like_the_product_is_kept_whole_and_named():
    scene, answer = answered(ball(BLUE))
    product, frame = photograph(), frame_of(scene)
    analysis = analyse(scene, product, answer, frame)
    assert analysis.scene.undone_alterations == () and len(analysis.scene.kept_alterations) == 1
    result = restore(scene, product, analysis, frame).image
    assert np.abs(in_the_ball(result) - np.array(BLUE)).mean() < 6
    check = judge(analysis).checks["nothing_added"]
    assert not check.passed and "middle right" in check.reason


@pytest.mark.parametrize(
    "product", [photograph((BLUE, ORANGE)), photograph()[..., :3]], ids=["two parts", "not cut out"]
)
def test_without_a_photograph_of_one_connected_product_nothing_is_undone(product):
    """Hat and bow tie, a pair of shoes, a photograph on its own background."""
    if product.shape[2] == 3:
        product = np.dstack([product, np.full(product.shape[:2], 255, np.uint8)])
    scene, answer = answered(ball((30, 160, 60)))
    analysis = analyse(scene, product, answer, frame_of(scene))
    assert analysis.scene.undone_alterations == () and len(analysis.scene.kept_alterations) == 1


def test_light_apart_from_the_product_is_no_alteration():
    scene, answer = answered(shadow)
    analysis = analyse(scene, photograph(), answer, frame_of(scene))
    assert analysis.scene.undone_alterations == analysis.scene.kept_alterations == ()
    assert (in_the_ball(analysis.scene.change[..., None]) > 0).mean() > 0.9


def test_a_good_answer_has_none():
    scene, answer = answered()
    analysis = analyse(scene, photograph(), answer, frame_of(scene))
    assert analysis.scene.undone_alterations == analysis.scene.kept_alterations == ()
    assert judge(analysis).checks["nothing_added"].passed
