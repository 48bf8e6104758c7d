"""One picture on the review page: the slider, 100 %, what changed, and what is missing."""

import pytest

from tests.tools.review.browser import colour_at, current, is_near, wait_until
from tests.tools.review.samples import BOX, RESULT_COLOUR, SCENE_COLOUR, SIZE, make_pair, png


class TestSlider:
    def test_starts_left_of_the_product_and_follows_the_pointer(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator(".card").first.click()
        assert float(page.locator("#slider").input_value()) == pytest.approx(100 * BOX[0] / SIZE[0] - 3)
        assert is_near(colour_at(page, 0.2, 0.5), SCENE_COLOUR)
        assert is_near(colour_at(page, 0.6, 0.6), RESULT_COLOUR)
        stage = page.locator("#stage").bounding_box()
        middle = stage["y"] + stage["height"] / 2
        page.mouse.move(stage["x"] + stage["width"] * 0.37, middle)
        page.mouse.down()
        page.mouse.move(stage["x"] + stage["width"] * 0.75, middle, steps=5)
        page.mouse.up()
        assert is_near(colour_at(page, 0.6, 0.6), SCENE_COLOUR)
        assert is_near(colour_at(page, 0.9, 0.6), RESULT_COLOUR)

    def test_arrow_keys_on_the_slider_move_it_and_not_the_page(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator(".card").first.click()
        before, slider = current(page), page.locator("#slider")
        start = float(slider.input_value())
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        assert float(slider.input_value()) > start
        assert current(page) == before
        assert "scene" in slider.get_attribute("aria-valuetext")

    def test_the_change_is_tinted_where_it_lies(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator(".card").first.click()
        plain = colour_at(page, 0.5, 0.5)
        button = page.get_by_role("button", name="Changes")
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        tinted = colour_at(page, 0.5, 0.45)
        assert tinted[2] > plain[2] + 20
        assert is_near(colour_at(page, 0.9, 0.5), RESULT_COLOUR)


class TestZoom:
    @pytest.fixture
    def large(self, open_page):
        pair = make_pair("a/large.json")
        large = png(RESULT_COLOUR, (3000, 2000))
        pair = type(pair)(pair.name, pair.sidecar | {"result": None}, pair.scene, pair.product, large)
        pair.sidecar["result"] = {"uri": "gs://out/a/large.png"}
        return open_page([pair], device_scale_factor=2)

    def test_one_pixel_of_the_picture_on_one_of_the_screen(self, large):
        large.locator(".card").first.click()
        large.keyboard.press("z")
        assert large.get_by_role("button", name="100 %").get_attribute("aria-pressed") == "true"
        image = large.locator("#layers .after")
        wait_until(large, "document.querySelector('#layers .after').naturalWidth === 3000")
        assert image.bounding_box()["width"] == 1500  # CSS pixels, of which each is two of the screen

    def test_is_moved_by_dragging_wheel_and_keys_but_never_out_of_sight(self, large):
        large.locator(".card").first.click()
        large.keyboard.press("z")
        place = lambda: large.locator("#layers .after").bounding_box()  # noqa: E731
        start, stage = place(), large.locator("#stage").bounding_box()
        large.mouse.move(stage["x"] + 700, stage["y"] + 100)
        large.mouse.down()
        large.mouse.move(stage["x"] + 640, stage["y"] + 60, steps=4)
        large.mouse.up()
        assert (place()["x"] - start["x"], place()["y"] - start["y"]) == (-60, -40)
        large.mouse.wheel(0, 50)
        wait_until(large, f"document.querySelector('#layers .after').getBoundingClientRect().y <= {start['y'] - 60}")
        large.keyboard.press("Shift+ArrowLeft")
        assert place()["x"] == start["x"] - 60 + 80
        for _ in range(40):
            large.keyboard.press("Shift+ArrowRight")
        assert place()["x"] + place()["width"] == pytest.approx(stage["x"] + stage["width"], abs=1)

    def test_says_so_when_only_a_preview_is_there(self, large):
        large.locator(".card").first.click()
        large.evaluate("pairs[0].pictures.result.full = null")
        large.keyboard.press("z")
        assert "3,000 × 2,000" in large.locator("#stage-note").inner_text()


class TestMissingPictures:
    def test_a_result_without_its_scene_is_still_judged(self, open_page):
        pair = make_pair("a/one.json")
        page = open_page([type(pair)(pair.name, pair.sidecar, None, None, pair.result)])
        page.keyboard.press("Enter")
        assert "not there any more" in page.locator("#stage-note").inner_text()
        assert page.locator("#slider").is_hidden()
        assert page.locator("#accept").is_enabled()
        page.keyboard.press("s")
        assert page.locator("#side .missing").count() == 2

    def test_a_pair_without_any_picture_has_a_card(self, open_page):
        pair = make_pair("a/one.json", "failed")
        page = open_page([type(pair)(pair.name, pair.sidecar)])
        assert "No picture" in page.locator(".card").inner_text()
