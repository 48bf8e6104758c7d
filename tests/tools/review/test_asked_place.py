"""The place that was asked for is drawn on the scene, and on what came."""

import pytest

from function.tools.review.asked_place import asked_place
from tests.tools.review.samples import SIZE, make_pair

BOX = [64, 36, 128, 180]
ASKED = {"box": BOX, "areas": [], "height": 180, "facing": "left", "tolerance": None}
AREA = [[0, 0], [64, 0], [64, 36]]


def shares(asked=ASKED, **result):
    pair = make_pair(asked_place=asked)
    return asked_place(pair.sidecar | {"result": pair.sidecar["result"] | result})


def test_a_box_is_an_outline_in_shares_of_the_scene_and_of_the_result():
    found = shares()
    corners = [[[0.1, 0.1], [0.3, 0.1], [0.3, 0.6], [0.1, 0.6]]]
    assert (found["scene"], found["result"]) == (corners, corners)
    assert (found["height"], found["facing"]) == (180, "left")


def test_of_a_result_that_shows_a_part_the_outline_moves_with_it():
    found = shares(shown=[64, 36, 320, 180], width=640)
    assert found["result"] == [[[0, 0], [0.4, 0], [0.4, 1.0], [0, 1.0]]]
    assert found["scene"][0][0] == [0.1, 0.1]


def test_a_result_of_another_shape_that_does_not_say_what_it_shows_has_no_outline():
    assert shares(width=640, height=640)["result"] == []


def test_the_white_of_a_mask_is_an_outline_too():
    assert shares({"areas": [AREA]})["scene"] == [[[0, 0], [0.1, 0], [0.1, 0.1]]]


def test_of_several_products_every_box_is_an_outline():
    products = [{"asked_place": {"box": box}} for box in (BOX, [0, 0, 64, 36])] + [{"asked_place": 3}, {}, "broken"]
    found = asked_place(make_pair(products=products).sidecar)
    assert [outline[0] for outline in found["scene"]] == [[0.1, 0.1], [0.0, 0.0]]
    assert len(found["result"]) == 2 and (found["height"], found["facing"]) == (None, "")
    assert asked_place(make_pair(products=[{}]).sidecar) is None


@pytest.mark.parametrize(
    "asked", ["x", None, {"box": ["1", 2, 3, 4]}, {"box": [1, 2, 3]}, {"areas": 7}, {"areas": [[[1, True]], 3]}]
)
def test_what_makes_no_sense_is_left_out(asked):
    found = shares(asked)
    assert found is None or found["scene"] == found["result"] == []


def test_the_outline_lies_on_scene_and_result_side_by_side_and_with_the_changes(open_page):
    page = open_page([make_pair(asked_place=ASKED), make_pair("a/two.json")])
    page.locator(".card").first.click()
    assert page.locator("#layers .asked").is_hidden()
    page.keyboard.press("m")
    whole = page.locator("#layers .after").bounding_box()
    box = page.locator("#layers .asked-line").bounding_box()
    assert (box["x"] - whole["x"]) / whole["width"] == pytest.approx(BOX[0] / SIZE[0], abs=0.01)
    assert box["height"] / whole["height"] == pytest.approx(BOX[3] / SIZE[1], abs=0.02)
    assert "180 pixels of the scene tall. Facing: left." in page.locator("#facts").inner_text()
    page.keyboard.press("s")
    for name in ("scene", "result"):
        image, line = (page.locator(f"#side .{name} {one}") for one in ("img", ".asked-line"))
        frame, box = image.bounding_box(), line.bounding_box()
        shown = min(frame["width"] / SIZE[0], frame["height"] / SIZE[1])  # contained, in the middle
        left = frame["x"] + (frame["width"] - shown * SIZE[0]) / 2
        assert box["width"] / shown == pytest.approx(BOX[2], abs=14)  # with its line
        assert (box["x"] - left) / shown == pytest.approx(BOX[0], abs=8)
    assert page.locator("#side .product .asked").count() == 0
    page.keyboard.press("ArrowRight")
    assert page.locator(".asked").count() == 0
