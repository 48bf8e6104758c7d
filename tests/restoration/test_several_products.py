"""Several products in one answer: each is found by itself, and told once."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.frame import plan_letterbox
from function.restoration.product_reference import ProductReference
from function.restoration.several_products import analyse_products
from tests.product_samples import SCENE_SIZE, views
from tests.support import scene_array

SIZES = {"16:9": (1344, 768)}


def answer_with(scene: np.ndarray, *laid: tuple[np.ndarray, int]) -> np.ndarray:
    """The scene (h, w, 3) uint8 with photographs laid into it at these columns."""
    answer = scene.astype(np.float32)
    for photograph, x in laid:
        small = cv2.resize(photograph, (400, 400), interpolation=cv2.INTER_AREA).astype(np.float32)
        alpha, inner = small[..., 3:] / 255, answer[250:650, x : x + 400]
        inner[:] = 0.9 * small[..., :3] * alpha + inner * (1 - alpha)
    return np.clip(cv2.GaussianBlur(answer, (0, 0), 0.6), 0, 255).astype(np.uint8)


def test_two_products_that_look_alike_are_found_at_two_places_and_a_third_nowhere():
    scene = scene_array(*SCENE_SIZE)
    frame = plan_letterbox(SCENE_SIZE, SIZES, 768)
    front, back = (ProductReference.of(views()[name]) for name in ("front.png", "back.png"))
    answer = answer_with(scene, (views()["back.png"], 150), (views()["front.png"], 750))
    found = analyse_products(
        scene, [[front], [back], [ProductReference.of(views()["detail.png"][:60, :60])]], answer, frame
    )
    left, right = (cv2.boundingRect(cv2.inRange(found.each[index].product.mask, 128, 255)) for index in (1, 0))
    assert abs(left[0] + left[2] / 2 - 350) < 40 and abs(right[0] + right[2] / 2 - 950) < 40
    assert all(one.product.match is not None and one.product.match.instances == 1 for one in found.each[:2])
    assert not found.each[2].product.mask.any()
    # What belongs to one is a part of the scene to the other, and of both to the whole.
    whole = cv2.max(found.each[0].product.mask, found.each[1].product.mask)
    assert (found.product.mask == whole).all() and (found.scene.change >= whole).mean() > 0.99


def test_what_nobody_asked_for_is_undone_once_however_many_products_it_stands_beside():
    scene = scene_array(*SCENE_SIZE)
    frame = plan_letterbox(SCENE_SIZE, SIZES, 768)
    front, back = (ProductReference.of(views()[name]) for name in ("front.png", "back.png"))
    answer = answer_with(scene, (views()["front.png"], 150), (views()["back.png"], 750))
    cv2.circle(answer, (700, 90), 45, (40, 210, 60), -1)  # nobody asked for it, and none of them has its colour
    found = analyse_products(scene, [[front], [back]], answer, frame)
    (undone,) = found.scene.undone_alterations  # both see it, and it is told once
    x, y, width, height = undone.box
    assert abs(x + width / 2 - 700 / 1344) < 0.02 and abs(y + height / 2 - 90 / 756) < 0.04
    assert found.scene.kept_alterations == () and not found.scene.change[60:120, 670:730].any()
