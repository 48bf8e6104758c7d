"""A product without print is found where its photograph explains what changed: lines, openings and all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import plan_letterbox
from function.matching.cutout.cut_out import cut_out
from function.restoration import placement
from function.restoration.analyse import analyse
from function.restoration.placement import box_to_affine, covered_share, is_thin, locate_product, warp_coverage
from function.restoration.placement_refinement import Placement
from function.restoration.product_reference import ProductReference
from tests.cases.packshots import answer, packshots, shelf


def placed(name: str, shown: str | None = None):
    """Where a packshot lies in the answer that shows it, or the wrong one `shown`."""
    scene, shot = shelf(), next(packshots(name))
    picture = answer(scene, shot.truth if shown is None else shot.wrong[shown])
    frame = plan_letterbox((1600, 1200), model_table().find(FALLBACK_PROFILE).native_sizes, 768)
    cut = cut_out(shot.photograph)
    return shot.truth, analyse(scene, ProductReference.of(cut.rgba, cut), picture, frame).product.placement


@pytest.mark.parametrize("name", ["lamp-white", "chair-white"])
def test_a_thin_product_is_found_to_the_pixel(name):
    cut, placement = placed(name)
    assert placement is not None and placement.explained > 0.9
    rows, columns = np.nonzero(cut[..., 3] > 8)
    # The analysis has the shape of the scene, 1184x888.
    scale = 0.45 * 864 / (np.ptp(rows) + 1)
    foot = placement.matrix @ np.array([(columns.min() + columns.max()) / 2, rows.max(), 1])
    assert foot == pytest.approx([0.5 * 1184, 0.9 * 888], abs=3)
    assert placement.matrix[0, 0] == pytest.approx(scale, rel=0.02)
    laid = warp_coverage(cut[..., 3], placement, (1184, 888))
    assert laid.max() > 200 and (name == "lamp-white" or is_thin(laid))


def test_a_product_with_plugged_openings_is_found_all_the_same():
    _, placement = placed("chair-white", "plugged")
    assert placement is not None and placement.explained > 0.9


def test_a_card_of_backdrop_is_not_the_product():
    assert placed("chair-white", "card")[1] is None


def test_the_edges_of_the_outline_come_to_lie_on_those_of_the_box():
    matrix = box_to_affine((20, 10, 40, 60), (100.0, 50.0, 20.0, 120.0))
    # Pixel centres are whole: an edge lies half a pixel before the first.
    edges = matrix @ np.array([[19.5, 59.5], [9.5, 69.5], [1, 1]])
    assert edges == pytest.approx(np.array([[99.5, 119.5], [49.5, 169.5]]))


def test_thin_is_what_lies_near_its_outline_whatever_it_spans():
    frame, disc = np.zeros((2, 200, 200), np.uint8)
    cv2.rectangle(frame, (20, 20), (180, 180), 255, 8)
    cv2.circle(disc, (100, 100), 60, 255, -1)
    assert is_thin(frame) and not is_thin(disc)


def test_lines_stay_whole_when_they_are_shrunk():
    alpha = np.zeros((160, 160), np.uint8)
    alpha[:, [41, 82, 123]] = 255  # between the samples of a quarter
    shrunk = warp_coverage(alpha, Placement(np.float32([[0.25, 0, 0], [0, 0.25, 0]]), 1.0), (40, 40))
    lines = [shrunk[20, column - 3 : column + 4].sum() for column in (10, 20, 31)]
    assert min(lines) > 0.15 * 255 and max(lines) < 0.4 * 255


def test_a_photograph_without_an_outline_has_no_place():
    card = np.full((60, 40, 4), 255, np.uint8)
    scene = np.full((120, 160, 3), 140, np.uint8)
    mask, changed = np.zeros((120, 160), np.uint8), np.zeros((60, 80), bool)
    mask[30:90, 60:100], changed[15:45, 30:50] = 255, True
    answer = np.where(mask[..., None] > 0, np.uint8(255), scene)
    assert locate_product(card, None, mask, changed, np.zeros((60, 80, 3), np.float32), scene, answer) is None


@pytest.mark.parametrize(
    ("top", "explained", "believed"),
    [(0, 0.8, True), (70, 0.8, False), (70, 0.92, True), (0, 0.7, False)],
    ids=["whole", "lower half", "lower half, as drawn products", "whole, unlike"],
)
def test_a_place_on_a_part_of_what_was_inserted_has_to_explain_it_better(monkeypatch, top, explained, believed):
    """Of two optima that are nearly as good the machine's rounding picks one: neither may be a wrong place."""
    photograph = np.zeros((100, 60, 4), np.uint8)
    photograph[10:90, 10:50] = (20, 90, 120, 255)
    scene = np.full((160, 120, 3), 200, np.uint8)
    mask = np.zeros((160, 120), np.uint8)
    mask[30:150, 30:90] = 255
    generated = np.where(mask[..., None] > 0, np.uint8((20, 90, 120)), scene)
    found = Placement(box_to_affine((10, 10, 40, 80), (30, 30 + top, 60, 120 - top)), explained)
    monkeypatch.setattr(placement, "refine_placement", lambda *_: found)
    light, changed = np.zeros((80, 60, 3), np.float32), mask[::2, ::2] > 0
    assert (locate_product(photograph, None, mask, changed, light, scene, generated) is not None) == believed


def test_what_is_covered_is_counted_of_the_pieces_that_are_touched_alone():
    mask, coverage = np.zeros((2, 40, 60), np.uint8)
    mask[5:25, 5:25] = mask[5:25, 40:55] = 255
    coverage[5:25, 5:15] = 255
    assert covered_share(coverage, mask) == pytest.approx(0.5)
    assert covered_share(np.zeros_like(mask), mask) == 1
