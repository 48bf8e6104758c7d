"""Structure that is gone is told from light and from texture that was repainted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.imaging.array_ops import downsample2
from function.restoration.vanished_structure import vanished_structure
from tests.restoration.test_content import WIDTH, repainted, wall
from tests.restoration.test_removed_things import OLD, label, laid, mat


def vanished(scene, answer):
    """(h', w') bool, at half size."""
    halves = [downsample2(picture).astype(np.float32) for picture in (scene, answer)]
    blurred = [tuple(cv2.GaussianBlur(half, (0, 0), sigma) for sigma in (1.2, 3.5)) for half in halves]
    return vanished_structure(*blurred, 4.0)


@pytest.mark.parametrize("likeness", [0.2, 0.8])
def test_repainted_texture_and_light_take_no_structure_away(likeness):
    rng = np.random.default_rng(12)
    scene = laid(wall(rng), label(OLD), (40, 36, 30))
    shade = np.linspace(0.35, 1.6, WIDTH, dtype=np.float32)[None, :, None]
    assert vanished(scene, repainted(rng, scene, likeness) * shade).mean() < 0.002
    assert vanished(scene, scene * np.float32([0.3, 0.4, 0.5])).mean() < 0.002


def test_structure_is_gone_where_print_was_and_only_there():
    rng = np.random.default_rng(13)
    ground, print_ = mat(rng, 34, 3), label(OLD)
    gone = vanished(laid(ground, print_, (215, 222, 226)), ground)
    assert gone[downsample2(print_) > 127].mean() > 0.98
    assert not gone[downsample2(cv2.dilate(print_, np.ones((61, 61), np.uint8))) == 0].any()
