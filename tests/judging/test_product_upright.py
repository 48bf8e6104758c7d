"""A product that leans or stands on its head is noticed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.imaging.frame import plan_frame
from function.judging.judge import judge
from function.restoration.analysis import analyse
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


@pytest.mark.parametrize(("turned", "passes"), [(0, True), (8, True), (-10, True), (180, False), (60, False)])
def test_a_product_on_its_head_or_leaning_is_not_upright(turned, passes):
    scene, product, answer = answer_with(turned)
    analysis = analyse(scene, product, answer, plan_frame(SIZE, {"16:9": SIZE}, 1344))
    judgement = judge(analysis)
    if passes:
        assert judgement.checks["product_upright"].passed
        assert judgement.checks["product_upright"].value == pytest.approx(abs(turned), abs=3)
    else:
        assert judgement.verdict != "accepted"
        found = analysis.product.match is not None and judgement.checks["product_present"].passed
        assert not found or not judgement.checks["product_upright"].passed
