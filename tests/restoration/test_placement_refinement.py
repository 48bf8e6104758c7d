"""What is not there has no place, and a place says how the photograph leans in it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.placement import box_to_affine
from function.restoration.placement_refinement import Placement, refine_placement
from tests.cases.packshots import packshots, shelf


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
