"""The analysis as a whole: its sizes, what it says of answers that show nothing, and what it keeps apart."""

from __future__ import annotations

import numpy as np
import pytest

from function.restoration.analyse import analyse
from function.restoration.analysis_size import ANALYSIS_SIDE_PX, downscaled
from function.restoration.product_reference import ProductReference
from tests.cases.answers import analysis_of, answer_to, case, frame_of


def test_everything_is_at_analysis_size_whatever_the_answer_s():
    for manner in ("mild", "2k"):
        analysis = analysis_of("can", manner)
        rows, columns = analysis.scene.image.shape[:2]
        assert max(rows, columns) == ANALYSIS_SIDE_PX
        assert analysis.scene.generated.shape == analysis.scene.generated_plain.shape == (rows, columns, 3)
        assert analysis.scene.change.shape == analysis.product.mask.shape == (rows, columns)
        assert analysis.scene.light.shape == ((rows + 1) // 2, (columns + 1) // 2, 3)
        assert analysis.scene.registration.mapping.shape == (rows, columns, 2)
        assert np.array_equal(analysis.scene.generated_raw, answer_to("can", manner))


def test_the_change_holds_the_product_and_its_light():
    analysis = analysis_of("can", "typical")
    assert (analysis.scene.change >= analysis.product.mask).all()
    shadow = (analysis.scene.change > 127) & (analysis.product.mask == 0) & (analysis.scene.content == 0)
    light = np.kron(analysis.scene.light.mean(axis=2), np.ones((2, 2)))[: shadow.shape[0], : shadow.shape[1]]
    assert shadow.any() and np.median(light[shadow]) < -0.05


def test_an_answer_that_is_another_picture_shows_no_change_and_no_product():
    pictures = case("can")
    analysis = analyse(pictures.scene, pictures.product, answer_to("mug", "typical"), frame_of(pictures.scene))
    assert not analysis.scene.registration.drift.registered
    assert not analysis.scene.change.any() and not analysis.product.mask.any() and not analysis.scene.light.any()
    assert analysis.product.match is None


def test_a_product_that_is_known_already_is_analysed_alike():
    pictures = case("can")
    again = analyse(
        pictures.scene,
        ProductReference.of(pictures.product),
        answer_to("can", "mild"),
        frame_of(pictures.scene),
    )
    first = analysis_of("can", "mild")
    assert np.array_equal(again.product.mask, first.product.mask)
    assert np.array_equal(again.scene.change, first.scene.change)
    assert again.product.match.correlation == first.product.match.correlation


@pytest.mark.parametrize("product", [np.zeros((0, 0, 4), np.uint8), np.zeros((40, 30, 4), np.uint8)])
def test_a_photograph_of_nothing_is_not_looked_for(product):
    assert ProductReference.of(product).template is None


@pytest.mark.parametrize(("size", "side", "expected"), [((400, 300), 200, (200, 150)), ((400, 300), 500, (400, 300))])
def test_pictures_are_shrunk_and_never_enlarged(size, side, expected):
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    assert downscaled(picture, side).shape == (expected[1], expected[0], 3)
