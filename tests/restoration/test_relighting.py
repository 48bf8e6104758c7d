"""A scene that is relit goes to the answer's light; one that was only drifted, or replaced, does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.relighting import MIN_GAIN, Relighting, find_relighting

HEIGHT, WIDTH = 300, 400
INSIDE = np.ones((HEIGHT, WIDTH), bool)
X = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :, None]
EVENING = np.exp(np.float32([0.05, -0.3, -0.7]) - 0.3 * X + 0.1 * X**2)


def picture(seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(60, 190, (15, 20, 3)).astype(np.uint8)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def lit(scene: np.ndarray, light: np.ndarray) -> np.ndarray:
    return np.clip(scene * light + 0.5, 0, 255).astype(np.uint8)


def with_thing(picture: np.ndarray) -> np.ndarray:
    """A quarter of the picture is another thing."""
    changed = picture.copy()
    changed[60:240, 120:280] = 30, 160, 60
    return changed


@pytest.mark.parametrize("change", [lambda picture: picture, with_thing], ids=["empty", "with a thing put in"])
def test_the_light_is_found_whatever_was_put_in(change):
    scene = picture()
    found = find_relighting(scene, change(lit(scene, EVENING)), INSIDE)
    assert found is not None
    _, relit, colours = found
    assert np.abs(relit.astype(int) - lit(scene, EVENING)).mean() < 2
    assert colours.trust == 1


@pytest.mark.parametrize(
    "answer",
    [lit(picture(), np.float32([1.03, 0.98, 0.95])), picture(1), np.zeros((HEIGHT, WIDTH, 3), np.uint8)],
    ids=["drift", "another picture", "black"],
)
def test_no_light_is_made_up(answer):
    assert find_relighting(picture(), answer, INSIDE) is None


def test_what_the_answer_does_not_show_has_no_say():
    scene, inside = picture(), INSIDE.copy()
    answer = lit(scene, EVENING)
    inside[:, :150] = False
    answer[:, :150] = 90
    found = find_relighting(scene, answer, inside)
    assert found is not None
    assert np.abs(found[1].astype(int) - lit(scene, EVENING))[:, 150:].mean() < 2


def test_it_is_the_same_light_at_every_size():
    relighting = Relighting(np.log(cv2.resize(np.broadcast_to(EVENING, (HEIGHT, WIDTH, 3)), (64, 48))))
    scene = picture()
    large = cv2.resize(scene, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    relighting.apply(large)
    relighting.apply(scene)
    assert np.abs(cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(int) - scene).mean() < 2
    assert relighting.strength > MIN_GAIN
