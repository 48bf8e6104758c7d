"""The outline that showed the model a place is seen where it was painted, also faintly or a little beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from function.judging.outline_painted import outline_painted
from function.matching.asked_place import AskedPlace
from tests.judging.samples import HEIGHT, WIDTH, composite, inspection, scene

MARK = (255, 0, 255)
ASKED = AskedPlace((0.3, 0.15, 0.4, 0.75), mark=MARK)  # around the product


def share(drawn: np.ndarray, colour: tuple[int, int, int] = MARK, strength: float = 1.0, asked=ASKED) -> float:
    """Of the outline in an answer on which `drawn` (HEIGHT, WIDTH) bool is painted."""
    answer = composite()
    answer[drawn] = (1 - strength) * answer[drawn] + strength * np.array(colour)
    return outline_painted(replace(inspection(of_scene=scene(answer)), asked=asked))


def line(place: AskedPlace = ASKED) -> np.ndarray:
    """(HEIGHT, WIDTH) bool: a line as a model that obeys too well would draw it."""
    return place.outline((WIDTH, HEIGHT), 3) > 0


def moved(pixels: int) -> np.ndarray:
    return line(replace(ASKED, box=(0.3 + pixels / WIDTH, 0.15 + pixels / HEIGHT, 0.4, 0.75)))


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_a_painted_outline_is_seen_whole_a_faint_one_too(strength):
    assert share(line(), strength=strength) > 0.9


def test_what_was_not_painted_is_not_seen():
    assert share(np.zeros((HEIGHT, WIDTH), bool)) == 0
    assert share(line(), strength=0.15) == 0


def test_half_of_it_is_half():
    half = line()
    half[:, int(0.5 * WIDTH) :] = False
    assert share(half) == pytest.approx(0.5, abs=0.05)


def test_it_may_lie_a_little_beside_its_place_and_a_line_elsewhere_is_none():
    assert share(moved(4)) > 0.9
    assert share(moved(14)) < 0.1


@pytest.mark.parametrize("colour", [(255, 255, 0), (255, 0, 0)])
def test_another_colour_is_not_the_mark(colour):
    assert share(line(), colour=colour) < 0.05


def test_where_no_outline_was_shown_none_is_seen():
    assert share(line(), asked=replace(ASKED, mark=None)) == 0
    assert share(line(), asked=None) == 0
