"""A product that leans or stands on its head is noticed."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.imaging.frame import plan_letterbox
from function.judging.judge import judge
from function.judging.product_upright import lean_deg, product_upright
from function.matching.match import ProductMatch
from function.restoration.analyse import analyse
from function.restoration.placement_refinement import Placement
from tests.judging.samples import PRODUCT, composite, crop_of, inspection, match
from tests.support import product_array, scene_array

SIZE = (1344, 768)


def answer_with(turned_by_deg: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(scene, product, answer): the product pasted in, turned about its middle."""
    scene, product = scene_array(*SIZE), product_array(460)
    matrix = cv2.getRotationMatrix2D((230, 230), turned_by_deg, 1.0)
    turned = cv2.warpAffine(product, matrix, (460, 460), flags=cv2.INTER_CUBIC)
    answer = scene.copy()
    spot = answer[250:710, 500:960]
    alpha = turned[..., 3:] / 255
    spot[:] = np.clip(spot * (1 - alpha) + turned[..., :3] * alpha, 0, 255)
    return scene, product, answer


@pytest.mark.parametrize(
    ("turned", "passes"), [(0, True), (4, True), (-4, True), (9, False), (-10, False), (180, False), (60, False)]
)
def test_a_product_on_its_head_or_leaning_is_not_upright(turned, passes):
    scene, product, answer = answer_with(turned)
    analysis = analyse(scene, product, answer, plan_letterbox(SIZE, {"16:9": SIZE}, 1344))
    judgement = judge(analysis)
    if passes:
        assert judgement.checks["product_upright"].passed
        assert judgement.checks["product_upright"].value == pytest.approx(abs(turned), abs=1.5)
    else:
        assert judgement.verdict != "accepted"
        found = analysis.product.match is not None and judgement.checks["product_present"].passed
        assert not found or not judgement.checks["product_upright"].passed


def laid(matrix: list[list[float]]) -> ProductMatch:
    """The photograph found where its middle is, its (x, y) from there being `matrix` times the place in the picture."""
    _, _, width, height = PRODUCT
    x, y = np.meshgrid(np.arange(width) - width / 2, np.arange(height) - height / 2)
    (a, b), (c, d) = matrix
    return match(mapping=np.dstack([0.5 + (a * x + b * y) / 140, 0.5 + (c * x + d * y) / 220]).astype(np.float32))


@pytest.mark.parametrize("aslant", [-0.16, 0.16])
def test_a_box_that_is_turned_about_its_own_axis_shows_its_horizontals_aslant_and_stands(aslant):
    assert lean_deg(laid([[1.25, 0.0], [aslant, 1.0]])) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("lean", [-12.0, 9.0, 30.0])
@pytest.mark.parametrize("mirrored", [1, -1])
def test_the_lean_is_that_of_the_verticals_their_tops_to_the_right_where_positive(lean, mirrored):
    sine, cosine = np.sin(np.radians(lean)), np.cos(np.radians(lean))
    assert lean_deg(laid([[mirrored * cosine, mirrored * sine], [-sine, cosine]])) == pytest.approx(lean, abs=0.1)


@pytest.mark.parametrize(("lean", "passes"), [(9.0, True), (-9.0, False), (16.0, False)])
def test_what_stands_at_the_picture_s_right_may_lean_outwards_as_under_a_camera_that_looks_down(lean, passes):
    sine, cosine = np.sin(np.radians(lean)), np.cos(np.radians(lean))
    at_right = replace(laid([[cosine, sine], [-sine, cosine]]), box=(370, 90, 100, 180))
    assert product_upright(inspection(matched=at_right)).passed == passes


def test_a_product_that_the_border_cuts_is_not_said_to_lean():
    cut = np.ones((40, 40), np.float32)
    check = product_upright(inspection(crop=crop_of(composite(), product_mask=cut)))
    assert check.passed and check.value is None and check.reason.startswith("Does not apply: the picture's border")


@pytest.mark.parametrize(("lean", "passes"), [(0.0, True), (12.0, False)])
def test_where_the_photograph_is_laid_over_the_product_its_place_tells_the_lean(lean, passes):
    sine, cosine = np.sin(np.radians(lean)), np.cos(np.radians(lean))
    laid_so = Placement(np.array([[cosine, -sine, 170], [sine, cosine, 70]], np.float32), 0.9)
    plain = inspection(matched=None)
    check = product_upright(replace(plain, product=replace(plain.product, placement=laid_so)))
    assert check.passed is passes and check.value == pytest.approx(lean, abs=0.1)
