"""Several results of one pair on the review page, and boxes that lie where they belong in each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.tools.review.browser import colour_at, is_near
from tests.tools.review.samples import BOX, RESULT_COLOUR, SCENE_COLOUR, SIZE, encoded, make_pair, record

LEFT, MIDDLE, RIGHT = (200, 60, 40), (20, 160, 60), (90, 30, 160)


def thirds() -> Image.Image:
    """A scene of three colours, so that a part of it is known by them."""
    pixels = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    for colour, columns in zip((LEFT, MIDDLE, RIGHT), np.array_split(np.arange(SIZE[0]), 3), strict=True):
        pixels[:, columns] = colour
    return Image.fromarray(pixels)


@pytest.fixture
def set_of_three():
    """A story that shows the middle of the scene, a square on white, and all of it, small."""
    scene, made = encoded(thirds()), Image.new("RGB", SIZE, RESULT_COLOUR)
    story = encoded(made.crop((219, 0, 421, 360)))
    square = Image.new("RGB", (400, 400), "white")
    square.paste(made.resize((320, 180)), (40, 110))
    pictures = {"story": story, "square": encoded(square), "small": encoded(made.resize((320, 180)))}
    results = [record(f"gs://out/a/one/{name}.png", data) | {"name": name} for name, data in pictures.items()]
    results[0]["shown"] = [219, 0, 202, 360]
    identity = {"asked": "exact", "box": list(BOX), "changed": [[300, 120, 40, 60]]}
    pair = make_pair(results=results, result=story, identity=identity)
    pair.sidecar["result"] = results[0]
    pair.sidecar["inputs"]["scene"] = record("gs://in/scene.png", scene)
    return replace(pair, scene=scene, others=((pictures["square"], "https://x.test/square"), (pictures["small"], None)))


def test_every_result_is_shown_and_those_that_fit_are_compared_with_their_part_of_the_scene(open_page, set_of_three):
    page = open_page([set_of_three])
    page.locator(".card").first.click()
    strip = page.locator("#results button")
    assert [text.split() for text in strip.all_inner_texts()] == [
        ["story", "202", "×", "360"], ["square", "400", "×", "400"], ["small", "320", "×", "180"],
    ]  # fmt: skip
    page.locator("#slider").fill("100")  # all of it the scene
    assert is_near(colour_at(page, 0.5, 0.5), MIDDLE)

    page.keyboard.press("2")
    assert strip.nth(1).get_attribute("aria-pressed") == "true"
    assert page.locator("#slider").is_hidden() and "shape of its own" in page.locator("#stage-note").inner_text()
    assert is_near(colour_at(page, 0.5, 0.5), RESULT_COLOUR) and page.get_by_role("button", name="Blink").is_disabled()

    strip.nth(2).click()
    page.locator("#slider").fill("100")
    assert is_near(colour_at(page, 0.25, 0.5), LEFT) and is_near(colour_at(page, 0.75, 0.5), RIGHT)
    assert "Stored as, square" in page.locator("#facts").inner_text()


@pytest.mark.parametrize(("key", "part"), [("1", (219, 0, 202, 360)), ("3", (0, 0, *SIZE))])
def test_places_where_the_product_is_not_its_photograph_are_drawn_over_the_result(open_page, set_of_three, key, part):
    page = open_page([set_of_three])
    page.locator(".card").first.click()
    page.keyboard.press(key)
    assert page.locator(".differs").is_hidden()
    page.keyboard.press("m")
    drawn = page.locator(".differs span").bounding_box()
    picture = page.locator("#layers .after").bounding_box()
    assert page.locator(".differs span").inner_text() == "not the photograph"
    for side, share, least, most in (("x", 300, part[0], part[2]), ("y", 120, part[1], part[3])):
        length = picture["width" if side == "x" else "height"]
        assert drawn[side] == pytest.approx(picture[side] + (share - least) / most * length, abs=1.5)
    assert drawn["width"] == pytest.approx(picture["width"] * 40 / part[2], abs=1.5)


def test_a_pair_with_one_result_has_no_strip(open_page, six_pairs):
    page = open_page(six_pairs)
    page.locator(".card").first.click()
    assert page.locator("#results").is_hidden() and page.locator("#stage").is_visible()
    assert is_near(colour_at(page, 0.1, 0.5), SCENE_COLOUR)
