"""The product is cropped with room around it, and its photograph lies where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.product_view import view_product
from function.restoration.analysis import ProductAnalysis
from tests.cases.answers import analysis_of
from tests.judging.samples import composite, match, outline, photograph, scene


def test_the_view_holds_the_product_and_room_around_it():
    analysis = analysis_of("can", "mild")
    view, found = view_product(analysis.scene, analysis.product), analysis.product.match
    x, y, width, height = view.box
    inner = np.s_[y : y + height, x : x + width]
    assert np.array_equal(view.cover, found.coverage[inner].astype(np.float32) / 255)
    assert view.cover.sum() == pytest.approx(found.coverage.sum() / 255)
    assert not view.cover[0].any() and not view.cover[:, 0].any()
    assert view.found


@pytest.mark.parametrize("found", [match(), None], ids=["by its print", "by its outline"])
def test_the_photograph_lies_on_the_product(found):
    view = view_product(scene(composite()), ProductAnalysis(photograph(), found, outline()))
    assert view.found == (found is not None)
    assert view.height == pytest.approx(180, abs=6)
    solid = np.minimum(view.seen, view.cover) > 0.9
    error, moved = (
        np.abs(np.roll(view.expected, by, axis=0).astype(float) - view.answer)[solid].mean() for by in (0, 9)
    )
    assert error < 0.6 * moved


def test_nothing_put_in_has_no_view():
    nothing = np.zeros_like(outline())
    assert view_product(scene(composite()), ProductAnalysis(photograph(), None, nothing)) is None
    assert view_product(scene(composite()), ProductAnalysis(photograph(), match(coverage=nothing), nothing)) is None
