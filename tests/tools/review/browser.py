"""Looking at an open review page."""

import io
import json
import time

from PIL import Image

from tests.support import PATIENCE_S


def names(page) -> list[str]:
    return page.locator("#grid .card .name").all_text_contents()


def current(page) -> str:
    return page.locator("#detail-name").inner_text()


def colour_at(page, x: float, y: float) -> tuple[int, ...]:
    """The colour on the screen at a share of the stage's width and height."""
    wait_until(page, "[...document.querySelectorAll('#layers img')].every((i) => i.complete)")
    image = Image.open(io.BytesIO(page.locator("#stage").screenshot())).convert("RGB")
    return image.getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))


def draw_box(page, box: list[float]) -> None:
    """Draws x, y, width and height, in shares of the scene, on the dialog that has a pair made again."""
    scene = page.locator("#redo-picture img")
    scene.scroll_into_view_if_needed()
    wait_until(page, "document.querySelector('#redo-picture img').complete")
    seen = scene.bounding_box()
    left, top, width, height = box
    corners = (left, top), (left + width, top + height)
    (from_x, from_y), to = ((seen["x"] + x * seen["width"], seen["y"] + y * seen["height"]) for x, y in corners)
    page.mouse.move(from_x, from_y)
    page.mouse.down()
    page.mouse.move(*to, steps=4)
    page.mouse.up()


def is_near(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 12


def kept(page) -> dict:
    return json.loads(page.evaluate("localStorage.getItem(Object.keys(localStorage)[0]) ?? '{}'"))


def wait_until(page, expression: str, seconds: float = PATIENCE_S) -> None:
    """Waits for a JavaScript expression. (Playwright's own waiting needs `eval`, which the page forbids.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never came true: {expression}"
        time.sleep(0.05)
