"""Which photograph the answer shows: the one that explains most of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.best_view import match_views
from function.matching.reference_template import ReferenceTemplate
from tests.product_samples import views
from tests.support import scene_array

PLACE = (220, 30)  # of the product's top left corner in the answer
SIDE_PX = 420


@pytest.fixture(scope="module")
def template():
    return {name: ReferenceTemplate.of(view) for name, view in views().items()}


def answer_with(photograph: np.ndarray) -> np.ndarray:
    """A scene (h, w, 3) with the photograph laid into it, softer and darker than it is."""
    answer, (x, y) = scene_array(860, 480).copy(), PLACE
    small = cv2.resize(photograph, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    alpha, inner = small[..., 3:] / 255, answer[y : y + SIDE_PX, x : x + SIDE_PX]
    inner[:] = 0.9 * small[..., :3] * alpha + inner * (1 - alpha)
    return cv2.GaussianBlur(answer, (0, 0), 0.7)


@pytest.mark.parametrize(("shown", "index"), [("front.png", 0), ("back.png", 1)])
def test_the_side_that_is_shown_is_found_beside_a_close_up_of_it(template, shown, index):
    named = [template["front.png"], template["back.png"], template["detail.png"]]
    found, match = match_views(named, answer_with(views()[shown]))
    assert found == index and match.correlation > 0.8 and not match.mirrored
    first, _ = match_views(named[::-1], answer_with(views()[shown]))
    assert first == 2 - index  # whichever leads


def test_a_photograph_of_the_mirrored_side_is_believed_before_a_mirrored_product(template):
    turned = ReferenceTemplate.of(np.ascontiguousarray(views()["front.png"][:, ::-1]))
    answer = answer_with(views()["front.png"])
    found, match = match_views([turned, template["front.png"]], answer)
    assert (found, match.mirrored) == (1, False)
    found, match = match_views([turned], answer)
    assert (found, match.mirrored) == (0, True)


def test_the_leading_one_stands_for_what_is_not_found(template):
    assert match_views([template["back.png"], None], scene_array(860, 480)) == (0, None)
