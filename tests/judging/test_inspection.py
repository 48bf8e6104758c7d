"""What the checks look at is cropped once, and missing where nothing was put in."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.inspection import Inspection
from function.restoration.analysis import Analysis, analyse
from tests.cases.answers import analysis_of, case, frame_of


def inspection_of(analysis: Analysis) -> Inspection:
    return Inspection.of(analysis.scene, analysis.product)


def test_the_view_holds_the_product_and_room_around_it():
    analysis = analysis_of("can", "mild")
    view, match = inspection_of(analysis).view, analysis.product.match
    x, y, width, height = view.box
    inner = np.s_[y : y + height, x : x + width]
    assert np.array_equal(view.cover, match.coverage[inner].astype(np.float32) / 255)
    assert view.cover.sum() == pytest.approx(match.coverage.sum() / 255)
    assert not view.cover[0].any() and not view.cover[:, 0].any()
    assert view.found


def test_where_the_product_was_found_the_photograph_lies_on_it():
    view = inspection_of(analysis_of("can", "mild")).view
    solid = np.minimum(view.seen, view.cover) > 0.9
    error = np.abs(view.expected.astype(float) - view.answer)[solid].mean()
    moved = np.abs(np.roll(view.expected, 9, axis=1).astype(float) - view.answer)[solid].mean()
    assert error < 0.85 * moved


def test_a_scene_without_a_product_has_no_view():
    pictures = case("can")
    inspection = inspection_of(analyse(pictures.scene, pictures.product, pictures.scene, frame_of(pictures.scene)))
    assert inspection.product_view is None
    with pytest.raises(ValueError, match="nothing was put in"):
        _ = inspection.view
