"""Print is told from what only looks busy: weave, knit, seams, stripes, grain, shading."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.print_detection import MIN_SHARE, has_print, print_mask, print_share
from function.matching.reference_image import prepare_reference
from function.matching.text_lines import has_text
from tests.cases.cases import SHIPPED, case_folders, load_case
from tests.cases.composed import blank_product, white_product
from tests.judging.samples import photograph

SIDE = 600


def cut_out(tones: np.ndarray) -> np.ndarray:
    """(SIDE + 80, SIDE + 80, 4) uint8 RGBA: a square product of `tones` (SIDE, SIDE), cut out."""
    grey = np.clip(tones, 0, 255).astype(np.uint8)
    rgba = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    return cv2.copyMakeBorder(rgba, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(255, 255, 255, 0))


def shaded(seed: int = 0) -> np.ndarray:
    """A plain body with grain, round under light from one side."""
    across = np.linspace(-1, 1, SIDE)[None, :]
    grain = np.random.default_rng(seed).normal(0, 3, (SIDE, SIDE))
    return 190 - 90 * (across + 0.3) ** 2 + grain


def weave() -> np.ndarray:
    """Wicker: rows of rounded straws, every second row moved by half a straw."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    moved = x + 12 * (np.floor(y / 12) % 2)
    return 110 + 60 * np.abs(np.sin(np.pi * y / 12)) * np.abs(np.sin(np.pi * moved / 24))


def knit() -> np.ndarray:
    """Rows of loops, slanting to and fro."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    return 130 + 28 * np.sin(2 * np.pi * (x + 4 * np.sin(2 * np.pi * y / 16)) / 14)


def seams() -> np.ndarray:
    """Leather with stitched seams and a zip."""
    tones = shaded(1)
    for place in (150, 450):
        cv2.line(tones, (0, place), (SIDE, place + 30), 40, 5)
        cv2.line(tones, (place, 0), (place - 20, SIDE), 40, 4)
    for place in range(0, SIDE, 20):
        cv2.line(tones, (place, 286), (place + 7, 286), 220, 2)
    return tones


def stripes() -> np.ndarray:
    """A garment in two flat tones."""
    return np.where(np.arange(SIDE)[:, None] // 14 % 2 == 0, 60.0, 210.0) + np.zeros((SIDE, SIDE))


PLAIN = {"shaded": shaded, "weave": weave, "knit": knit, "seams": seams, "stripes": stripes}


@pytest.mark.parametrize("material", PLAIN)
def test_texture_is_no_print(material):
    assert not has_print(cut_out(PLAIN[material]()))


@pytest.mark.parametrize("material", ["shaded", "weave", "seams"])
def test_letters_on_any_material_are_print(material):
    tones = np.clip(PLAIN[material](), 0, 255).astype(np.uint8)
    cv2.rectangle(tones, (100, 180), (500, 420), 235, -1)
    for row, words in enumerate(("FJELL KAFFE", "dark roast", "250 g")):
        cv2.putText(tones, words, (115, 250 + 65 * row), cv2.FONT_HERSHEY_DUPLEX, 1.9, 50, 4, cv2.LINE_AA)
    assert has_print(cut_out(tones))


@pytest.mark.parametrize("folder", case_folders(SHIPPED), ids=lambda folder: folder.name)
def test_the_shipped_products_bear_print_and_their_blank_and_white_versions_none(folder):
    product = load_case(folder).product
    assert print_share(product) > 1.5 * MIN_SHARE
    for bare in (blank_product(product), white_product(product)):
        assert print_share(bare) < 0.2 * MIN_SHARE and not has_print(bare)


def test_print_is_found_at_any_size_of_the_photograph():
    large = cv2.resize(photograph(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert has_print(photograph()) and has_print(large)


def test_a_photograph_of_nothing_bears_no_print():
    assert print_share(np.zeros((40, 40, 4), np.uint8)) == 0


def lines_on(tones: np.ndarray, ink: float, scale: float) -> np.ndarray:
    """Two lines of letters on a body of `tones`: far less than print_share counts."""
    picture = np.clip(tones, 0, 255).astype(np.uint8)
    for row, words in enumerate(("HOUSE OF FERN", "for hands and body")):
        cv2.putText(picture, words, (200, 300 + 40 * row), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize(("ink", "scale"), [(120.0, 0.6), (225.0, 0.6), (165.0, 0.8)])
def test_a_few_small_or_pale_letters_are_print(ink, scale):
    product = cut_out(lines_on(np.full((SIDE, SIDE), 195.0) + shaded() * 0.02, ink, scale))
    assert print_share(product) < MIN_SHARE and has_print(product)


def test_one_word_is_too_little_to_tell():
    tones = np.full((SIDE, SIDE), 195, np.uint8)
    cv2.putText(tones, "FERN", (200, 300), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 120, 1, cv2.LINE_AA)
    assert not has_print(cut_out(tones))


def marks_in_rows(letters: str, *, wave_px: float = 0.0) -> np.ndarray:
    """Two rows of letters, which go up and down by `wave_px` in waves of eight."""
    tones = np.full((SIDE, SIDE), 195, np.uint8)
    for row in (200, 300):
        for number in range(20):
            foot = round(row + wave_px * np.sin(number * np.pi / 4))
            letter = letters[number % len(letters)]
            cv2.putText(tones, letter, (80 + 18 * number, foot), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 90, 2, cv2.LINE_AA)
    return tones


def zip_teeth() -> np.ndarray:
    """The same mark again and again on a straight line."""
    return marks_in_rows("E")


def strewn() -> np.ndarray:
    """Unlike marks side by side that stand on no line."""
    return marks_in_rows("AKEFHTXZ", wave_px=6.0)


def scattered() -> np.ndarray:
    """Marks of any shape anywhere, as of terrazzo."""
    rng, tones = np.random.default_rng(5), np.full((SIDE, SIDE), 200.0)
    for _ in range(500):
        x, y = rng.integers(20, SIDE - 20, 2)
        corners = rng.integers(-9, 10, (5, 2)) + np.array([x, y])
        cv2.fillPoly(tones, [corners.astype(np.int32)], float(rng.integers(60, 140)))
    return tones


def streaks(heights_px: tuple[int, int], width_px: int) -> np.ndarray:
    """Two boards on whose lower edges unlike streaks of the grain end, whose heights go to and fro between the two."""
    tones = np.full((SIDE, SIDE), 195, np.uint8)
    low, high = heights_px
    for row in (200, 300):
        for number in range(20):
            mark = np.full((40, 40), 195, np.uint8)
            cv2.putText(mark, "AKEFHTXZ"[number % 8], (6, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 90, 4, cv2.LINE_AA)
            tall = high if number % 2 else low
            x, y, wide, rows = cv2.boundingRect(cv2.inRange(mark, 0, 140))
            size = width_px, tall
            left = 80 + (width_px + 8) * number
            tones[row - tall : row, left : left + width_px] = cv2.resize(mark[y : y + rows, x : x + wide], size)
    return tones


def uneven_streaks() -> np.ndarray:
    """As wide as letters, but of many heights."""
    return streaks((15, 28), 12)


def narrow_streaks() -> np.ndarray:
    """Of about one height, and all of them thin."""
    return streaks((25, 27), 9)


def test_unlike_marks_on_a_line_are_text():
    reference = prepare_reference(cut_out(marks_in_rows("AKEFHTXZ")), 1000)
    assert reference is not None and has_text(reference)


@pytest.mark.parametrize("make", [zip_teeth, strewn, scattered, uneven_streaks, narrow_streaks])
def test_what_repeats_itself_or_stands_on_no_line_is_no_text(make):
    reference = prepare_reference(cut_out(make()), 1000)
    assert reference is not None and not has_text(reference)


def test_lines_of_pale_letters_are_masked_as_print():
    tones = marks_in_rows("AKEFHTXZ")
    pale = (200 - (200 - tones) * 0.3).astype(np.float64)
    mask = print_mask(cut_out(pale))
    assert print_share(cut_out(pale)) == 0
    shown = cut_out(pale)[..., 0].astype(int)
    ink = (shown < 185) & (cut_out(pale)[..., 3] > 0)
    assert mask.shape == shown.shape and mask[ink].mean() > 0.8 * 255
    far = cv2.dilate(ink.astype(np.uint8), np.ones((61, 61), np.uint8)) == 0
    assert not mask[far].any()
