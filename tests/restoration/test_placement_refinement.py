"""The photograph laid over the scene finds lines and openings; nothing that looks otherwise is explained."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import plan_letterbox
from function.matching.cutout.cut_out import cut_out
from function.restoration.analyse import analyse
from function.restoration.placement import box_to_affine, is_thin, warp_coverage
from function.restoration.placement_refinement import Placement, refine_placement
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


def test_what_is_not_there_is_not_found():
    shot, scene = next(packshots("lamp-white")), cv2.resize(shelf(), (592, 432), interpolation=cv2.INTER_AREA)
    assert (
        refine_placement(
            shot.truth, None, scene, scene, [box_to_affine((200, 80, 500, 790), (200.0, 100.0, 120.0, 190.0))]
        )
        is None
    )


def test_lean_and_proportions_are_those_of_the_place():
    sine, cosine = np.sin(np.radians(9)), np.cos(np.radians(9))
    leaning = np.array([[1.5 * cosine, -sine, 10], [1.5 * sine, cosine, 20]], np.float32)
    placement = Placement(leaning, 0.9)
    assert placement.lean_deg == pytest.approx(9, abs=0.01)
    assert placement.aspect_change == pytest.approx(1.5, abs=0.001)
