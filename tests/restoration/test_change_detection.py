"""What the model changed is found whole, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.restoration.analyse import analyse
from tests.cases.answers import analysis_of, case, frame_of
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.tiers import exhaustive

NAMES = ["box", "can", "mug"]


def at_analysis_size(mask, analysis):
    size = analysis.scene.change.shape[1], analysis.scene.change.shape[0]
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("manner", ["real", "mild", "typical", *exhaustive("recoloured", "sharpened")])
@pytest.mark.parametrize("name", NAMES)
def test_the_whole_product_lies_in_the_change(name, manner):
    analysis = analysis_of(name, manner)
    product = at_analysis_size(case(name).product_mask, analysis) > 200
    assert (analysis.scene.change[product] > 127).mean() > 0.985
    assert (analysis.product.mask[product] > 127).mean() > 0.95


@pytest.mark.parametrize("name", NAMES)
def test_shadow_and_reflection_lie_in_the_change(name):
    analysis = analysis_of(name, "typical")
    changed = at_analysis_size(case(name).change_mask, analysis) > 200
    assert (analysis.scene.change[changed] > 0).mean() > 0.85


@pytest.mark.parametrize(
    "manner", ["real", "mild", "typical", *exhaustive("recoloured", "sharpened", "jpeg75", "noisy")]
)
@pytest.mark.parametrize("name", NAMES)
def test_the_rest_of_the_scene_is_free_of_specks(name, manner):
    analysis = analysis_of(name, manner)
    far = cv2.dilate(at_analysis_size(case(name).change_mask, analysis), np.ones((61, 61), np.uint8)) == 0
    assert (analysis.scene.change[far] > 0).mean() < {"recoloured": 0.05, "real": 0.03}.get(manner, 0.005)
    count, _ = cv2.connectedComponents((analysis.scene.change > 127).astype(np.uint8))
    assert count - 1 <= 4


@pytest.mark.parametrize("manner", ["typical", "recoloured", *exhaustive("mild", "sharpened", "jpeg75")])
def test_an_answer_without_the_product_shows_no_change(manner):
    pictures = case("can")
    empty = replace(pictures, truth=pictures.scene, product_mask=np.zeros_like(pictures.product_mask))
    frame = frame_of(pictures.scene)
    analysis = analyse(pictures.scene, pictures.product, imitate(empty, frame, MANNERS[manner], 3), frame)
    assert analysis.scene.registration.drift.registered
    assert (analysis.scene.change > 0).mean() < 0.002


def test_the_background_beside_the_product_is_left_to_the_scene():
    """But for the hard shadow at its side."""
    analysis = analysis_of("box", "typical")
    product = at_analysis_size(case("box").product_mask, analysis)
    beside = (cv2.dilate(product, np.ones((25, 25), np.uint8)) > 0) & (cv2.dilate(product, np.ones((9, 9))) == 0)
    assert (analysis.product.mask[beside] > 127).mean() < 0.12
