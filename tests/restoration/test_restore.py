"""The restored picture against the truth; these bounds keep what the benchmark gained."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.imaging.frame import plan_letterbox
from function.restoration.analyse import analyse
from function.restoration.plain_upscale import plain_upscale
from function.restoration.restore import restore
from tests.bench.scores import aligned_product_ssim, regions, score
from tests.cases.answers import analysis_of, answer_to, case, frame_of
from tests.cases.composed import compose, white_product
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.tiers import exhaustive

NAMES = ["box", "can", "mug"]


def restored(name, manner):
    pictures = case(name)
    return restore(pictures.scene, pictures.product, analysis_of(name, manner), frame_of(pictures.scene))


def scored(name, manner):
    """Of the restored picture and of the plain upscale."""
    pictures = case(name)
    box = analysis_of(name, manner).scene.registration.layout_box
    plain = plain_upscale(answer_to(name, manner), frame_of(pictures.scene), box)
    return score(pictures, restored(name, manner).image), score(pictures, plain)


@pytest.mark.parametrize("manner", ["mild", "typical"])
@pytest.mark.parametrize("name", NAMES)
def test_scene_and_shadow_come_back(name, manner):
    result, plain = scored(name, manner)
    assert result["outside"]["psnr"] > 52
    assert result["shadow"]["psnr"] > 32
    assert result["shadow"]["ssim"] > 0.94
    for region in ("outside", "shadow", "whole"):
        assert result[region]["psnr"] > plain[region]["psnr"]
        assert result[region]["ssim"] > plain[region]["ssim"]


@pytest.mark.parametrize("manner", ["real", *exhaustive("real_worse", "reshaped")])
@pytest.mark.parametrize("name", NAMES)
def test_the_scene_comes_back_from_texture_that_was_repainted(name, manner):
    """In the shadow some of the new texture may stay: it is not told from something that was put in."""
    result, plain = scored(name, manner)
    assert result["outside"]["psnr"] > 48
    for region in ("outside", "shadow", "whole"):
        assert result[region]["psnr"] > plain[region]["psnr"]
        assert result[region]["ssim"] > plain[region]["ssim"]
    # The photograph's detail is sharper than the answer's, and lies a fraction of a pixel elsewhere than the truth's.
    assert result["product"]["psnr"] > plain["product"]["psnr"] - 0.2
    assert result["product"]["ssim"] > plain["product"]["ssim"] - 0.005


@pytest.mark.parametrize("name", NAMES)
def test_the_product_keeps_near_to_the_truth_and_is_neither_soft_nor_harsh(name):
    pictures = case(name)
    image = restored(name, "typical").image
    box = analysis_of(name, "typical").scene.registration.layout_box
    plain = plain_upscale(answer_to(name, "typical"), frame_of(pictures.scene), box)
    # Scenes of the shipped cases are hardly larger than the answer: there is no less detail to lose than to gain.
    assert aligned_product_ssim(pictures, image) > aligned_product_ssim(pictures, plain) - 0.02
    assert 0.8 < score(pictures, image)["product"]["sharpness"] < 1.15


@pytest.mark.parametrize("name", NAMES)
def test_away_from_the_change_the_pixels_are_the_scenes_own(name):
    pictures = case(name)
    image = restored(name, "typical").image
    same = (image == pictures.scene).all(axis=2)
    assert same[regions(pictures)["outside"]].mean() > 0.97
    # What drift of colour is still taken for the end of a shadow is nothing that a person sees.
    far = cv2.dilate(pictures.change_mask, np.ones((41, 41), np.uint8)) == 0
    assert same[far].mean() > 0.985
    assert cv2.absdiff(image, pictures.scene)[far].max() <= 24


def test_an_answer_that_is_another_picture_is_only_enlarged_and_said_so():
    pictures = case("can")
    frame = frame_of(pictures.scene)
    analysis = analyse(pictures.scene, pictures.product, answer_to("mug", "typical"), frame)
    result = restore(pictures.scene, pictures.product, analysis, frame)
    assert result.restored_share == 0
    assert "plain upscale" in result.note
    assert np.array_equal(
        result.image, plain_upscale(answer_to("mug", "typical"), frame, analysis.scene.registration.layout_box)
    )


def test_a_fault_in_a_step_ends_in_the_plain_upscale_and_is_named():
    pictures = case("can")
    frame = frame_of(pictures.scene)
    analysis = analysis_of("can", "typical")
    nothing = np.zeros((0, 0, 4), np.uint8)  # no photograph at all: the transfer cannot work
    result = restore(pictures.scene, nothing, analysis, frame)
    assert "plain upscale" in result.note
    assert result.image.shape == pictures.scene.shape


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 900), (1200, 5), (30, 30), (400, 1000)])
@pytest.mark.parametrize("answer_size", [(1, 1), (3, 900), (1024, 1024)])
def test_any_shape_and_content_gives_a_picture_of_the_scenes_size(size, answer_size):
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    answer = rng.integers(0, 256, (answer_size[1], answer_size[0], 3), dtype=np.uint8)
    product = rng.integers(0, 256, (40, 30, 4), dtype=np.uint8)
    frame = plan_letterbox(size, {"1:1": (1024, 1024), "9:16": (768, 1344)}, 768)
    result = restore(scene, product, analyse(scene, product, answer, frame), frame)
    assert result.image.shape == scene.shape
    assert result.image.dtype == np.uint8


@pytest.mark.parametrize("shape", ["mug", "box"])
def test_a_plain_white_product_is_no_light_on_what_stands_behind_it(shape):
    """Without print it is not found by features, and all it does to a marble counter is to brighten it."""
    scene = case("box", 1344).scene
    pictures = compose("white", scene, white_product(case(shape).product), centre_x=0.55)
    frame = frame_of(pictures.scene)
    answer = imitate(pictures, frame, MANNERS["typical"], seed=1)
    result = restore(pictures.scene, pictures.product, analyse(scene, pictures.product, answer, frame), frame)
    assert score(pictures, result.image)["product"]["psnr"] > 31


def test_the_rim_is_as_sharp_as_the_scene_s_own_edges_and_has_no_halo():
    """A disc in a scene of three times the answer's resolution, put in as a model does: at its own."""
    rng = np.random.default_rng(0)
    scene = np.full((1152, 2016, 3), 150, np.uint8)
    for _ in range(600):
        x, y, wide, tall = rng.integers(0, 2000, 2).tolist() + rng.integers(20, 160, 2).tolist()
        cv2.rectangle(scene, (x, y), (x + wide, y + tall), rng.integers(110, 190, 3).tolist(), -1, cv2.LINE_AA)
    truth = cv2.circle(scene.copy(), (1008, 576), 200, (20, 30, 60), -1, cv2.LINE_AA)
    frame = plan_letterbox((2016, 1152), {"7:4": (672, 384)}, 672)
    answer = cv2.resize(truth, (672, 384), interpolation=cv2.INTER_AREA)
    photograph = np.zeros((400, 400, 4), np.uint8)
    cv2.circle(photograph, (200, 200), 198, (20, 30, 60, 255), -1)
    result = restore(scene, photograph, analyse(scene, photograph, answer, frame), frame).image
    plain = plain_upscale(answer, frame)
    rim = np.hypot(*(np.mgrid[:1152, :2016] - np.array([576, 1008])[:, None, None])) - 200
    wrong = [
        [float(np.abs(image[band].astype(int) - truth[band]).mean()) for band in (np.abs(rim) < 4, np.abs(rim - 8) < 4)]
        for image in (plain, result)
    ]
    assert wrong[1][0] < 0.5 * wrong[0][0]
    assert wrong[1][1] < wrong[0][1]
    # Darker than the product inside, lighter than its surroundings outside: that would be a halo.
    assert cv2.blur(result, (3, 3))[np.abs(rim) < 12].min() > 12
    assert (result.max(axis=2)[(rim > 2) & (rim < 12)] < 205).all()
