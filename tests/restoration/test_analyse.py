"""The analysis as a whole: its sizes, what it says of answers that show nothing, and what it keeps apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.imaging.frame import plan_letterbox
from function.restoration.analyse import FULL_LOG_RATIO, MIN_LOG_RATIO, analyse, change_mask, resample
from function.restoration.analysis_size import ANALYSIS_SIDE_PX
from function.restoration.product_reference import ProductReference
from tests.cases.answers import analysis_of, answer_to, case, frame_of
from tests.matching.samples import cut_out, faint
from tests.product_samples import SCENE_SIZE, views
from tests.restoration.test_several_products import SIZES, answer_with
from tests.support import scene_array


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


def test_everything_after_the_match_is_about_the_side_that_was_found():
    """The judge, the close-up for a second opinion and the restoration all take it from there."""
    scene = scene_array(*SCENE_SIZE)
    frame = plan_letterbox(SCENE_SIZE, SIZES, 768)
    front, back = (ProductReference.of(views()[name]) for name in ("front.png", "back.png"))
    found = analyse(scene, front, answer_with(scene, (views()["back.png"], 450)), frame, [back])
    assert found.product.view == 1 and found.product.match is not None
    assert found.product.photograph is back.photograph
    assert [one.view for one in found.products] == [1]


def test_faint_print_is_found_where_the_silhouette_lies():
    front, scene = faint(ink=75), scene_array(*SCENE_SIZE)
    small = cv2.resize(front, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    answer, (x, y, height, width) = scene.copy(), (450, 300, *small.shape[:2])
    answer[y : y + height, x : x + width] = small[..., :3]
    grain = np.random.default_rng(1).normal(0, 4, answer.shape)
    answer = np.clip(cv2.GaussianBlur(answer, (0, 0), 1.5) + grain, 0, 255).astype(np.uint8)
    reference = ProductReference.of(cut_out(front))
    found = analyse(scene, reference, answer, plan_letterbox(SCENE_SIZE, SIZES, 768))
    match = found.product.match
    assert match is not None and not match.mirrored
    assert np.abs(np.subtract(match.box, (x, y, width, height))).max() <= 10
    covered = match.coverage > 127
    assert (found.product.mask[covered] > 127).mean() > 0.99


@pytest.mark.parametrize(
    ("log_ratio", "expected"),
    [
        (0.0, 0),
        (0.9 * MIN_LOG_RATIO, 0),
        ((MIN_LOG_RATIO + FULL_LOG_RATIO) / 2, 127),
        (FULL_LOG_RATIO, 255),
        (-2 * FULL_LOG_RATIO, 255),  # a shadow counts like a reflection
    ],
)
def test_light_is_a_change_as_far_as_it_shows(log_ratio, expected):
    light = np.zeros((30, 40, 3), np.float32)
    light[..., 1] = log_ratio  # in one colour alone
    mask = np.zeros((60, 80), np.uint8)
    mask[10:20, 10:20] = 200
    change = change_mask(light, mask)
    assert change.shape == (60, 80) and change.dtype == np.uint8
    assert (np.abs(change[30:].astype(int) - expected) <= 1).all()
    assert (change[10:20, 10:20] >= 200).all()


def test_an_answer_is_sampled_where_the_mapping_points():
    answer = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    x, y = np.meshgrid(np.arange(5, 15, dtype=np.float32), np.arange(2, 10, dtype=np.float32))
    assert np.array_equal(resample(answer, np.dstack([x, y])), answer[2:10, 5:15])
