"""One picture on the review page: the slider, 100 %, what changed, and what is missing."""

import re

import pytest

from tests.tools.review.browser import colour_at, current, is_near, wait_until
from tests.tools.review.samples import BOX, PRODUCT_COLOUR, RESULT_COLOUR, SCENE_COLOUR, SIZE, make_pair, png

CORNERS = [[200, 60], [400, 60], [200, 360]]  # of the photograph of 200 x 300 pixels: it lies at its own size


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

    def test_is_moved_by_dragging_and_keys_but_never_out_of_sight(self, large):
        large.locator(".card").first.click()
        large.keyboard.press("z")
        place = lambda: large.locator("#layers .after").bounding_box()  # noqa: E731
        start, stage = place(), large.locator("#stage").bounding_box()
        large.mouse.move(stage["x"] + 700, stage["y"] + 100)
        large.mouse.down()
        large.mouse.move(stage["x"] + 640, stage["y"] + 60, steps=4)
        large.mouse.up()
        assert (place()["x"] - start["x"], place()["y"] - start["y"]) == (-60, -40)
        large.keyboard.press("Shift+ArrowLeft")
        assert place()["x"] == start["x"] - 60 + 80
        for _ in range(40):
            large.keyboard.press("Shift+ArrowRight")
        assert place()["x"] + place()["width"] == pytest.approx(stage["x"] + stage["width"], abs=1)

    def test_the_wheel_enlarges_what_lies_under_the_pointer_up_to_400_percent_and_back(self, large):
        large.locator(".card").first.click()
        place = lambda: large.locator("#layers .after").bounding_box()  # noqa: E731
        fitted, stage = place(), large.locator("#stage").bounding_box()
        x, y = fitted["x"] + 0.3 * fitted["width"], fitted["y"] + 0.4 * fitted["height"]
        large.mouse.move(x, y)
        large.mouse.wheel(0, -600)
        wait_until(large, f"document.querySelector('#layers .after').getBoundingClientRect().width > {fitted['width']}")
        shown = place()
        assert (x - shown["x"]) / shown["width"] == pytest.approx(0.3, abs=0.01)
        assert (y - shown["y"]) / shown["height"] == pytest.approx(0.4, abs=0.01)
        for _ in range(9):
            large.keyboard.press("+")
        assert place()["width"] == pytest.approx(4 * 1500)
        assert large.locator("#zoom-in").is_disabled() and "400 %" in large.locator("#stage-note").inner_text()
        for _ in range(12):
            large.keyboard.press("-")
        assert place() == fitted and stage == large.locator("#stage").bounding_box()

    def test_two_fingers_enlarge_it_too(self, open_page, six_pairs):
        page = open_page(six_pairs, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
        page.locator(".card").first.click()
        width = lambda: page.locator("#layers .after").bounding_box()["width"]  # noqa: E731
        before, stage = width(), page.locator("#stage").bounding_box()
        middle, line = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
        wire = page.context.new_cdp_session(page)
        for kind, apart in (("touchStart", 40), ("touchMove", 80), ("touchMove", 120)):
            points = [{"x": middle - apart, "y": line, "id": 0}, {"x": middle + apart, "y": line, "id": 1}]
            wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert width() == pytest.approx(3 * before, rel=0.1)

    def test_says_so_when_only_a_preview_is_there(self, large):
        large.locator(".card").first.click()
        large.evaluate("pairs[0].pictures.result.full = pairs[0].results[0].picture.full = null")
        large.keyboard.press("z")
        assert "3,000 × 2,000" in large.locator("#stage-note").inner_text()


class TestLooking:
    def test_scene_and_result_blink_at_the_same_place(self, open_page, six_pairs):
        page = open_page(six_pairs, reduced_motion="reduce")  # then each press is one look
        page.locator(".card").first.click()
        page.keyboard.press("b")
        assert is_near(colour_at(page, 0.6, 0.6), SCENE_COLOUR) and page.locator("#line").is_hidden()
        page.keyboard.press("b")
        assert is_near(colour_at(page, 0.6, 0.6), RESULT_COLOUR) and page.locator("#line").is_visible()

    def test_without_that_wish_they_blink_by_themselves(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator(".card").first.click()
        page.get_by_role("button", name="Blink").click()
        for wanted in ("false", "true"):
            wait_until(page, f"detail.stage.seesScene === {wanted}")
        page.keyboard.press("ArrowRight")
        assert page.locator("#toggle-blink").get_attribute("aria-pressed") == "false"

    def test_the_loupe_shows_the_photograph_where_it_lies_in_the_result_at_the_same_scale(self, open_page):
        page = open_page([make_pair("a/one.json", restoration={"corners": CORNERS}), make_pair("a/two.json")])
        page.locator(".card").first.click()
        page.keyboard.press("l")
        photograph, result = (page.locator(f"#loupe figure:nth-child({n}) img") for n in (1, 2))
        place, whole = photograph.bounding_box(), result.bounding_box()
        frames = [page.locator(f"#loupe figure:nth-child({n}) .loupe-frame").bounding_box() for n in (1, 2)]
        assert (place["width"], whole["width"]) == (pytest.approx(3 * 200), pytest.approx(3 * SIZE[0]))
        offset = (whole["x"] - frames[1]["x"]) - (place["x"] - frames[0]["x"])
        assert offset == pytest.approx(-3 * CORNERS[0][0])
        page.keyboard.press("Shift+ArrowRight")
        assert photograph.bounding_box()["x"] < place["x"] and result.bounding_box()["x"] < whole["x"]
        page.keyboard.press("ArrowRight")  # the photograph of the next one was not found
        assert page.locator("#loupe").is_hidden() and page.locator("#toggle-loupe").is_disabled()

    def test_what_was_put_back_is_shown_with_the_changes(self, open_page):
        page = open_page([make_pair(undone=[{"box": [64, 36, 128, 72], "share": 0.04}])])
        page.locator(".card").first.click()
        assert page.locator(".undone").is_hidden()
        page.keyboard.press("m")
        box, whole = page.locator(".undone span").bounding_box(), page.locator("#layers .after").bounding_box()
        assert box["width"] / whole["width"] == pytest.approx(0.2, abs=0.01)
        assert (box["x"] - whole["x"]) / whole["width"] == pytest.approx(0.1, abs=0.01)

    def test_the_products_colours_are_beside_those_of_its_photograph(self, open_page):
        pair = make_pair(restoration={"corners": CORNERS})
        opaque = png((*PRODUCT_COLOUR, 255), (200, 300))
        page = open_page([type(pair)(pair.name, pair.sidecar, pair.scene, opaque, pair.result)])
        page.locator(".card").first.click()
        shown = page.locator(".colours li").first.inner_text()
        photograph, result = (tuple(bytes.fromhex(colour)) for colour in re.findall("#([0-9a-f]{6})", shown))
        assert is_near(photograph, PRODUCT_COLOUR) and is_near(result, RESULT_COLOUR) and "ΔE 10" in shown


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
