"""The liberties of real models: what they take is undone or shown whole, never half, and not accepted unseen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
import pytest

from function.judging.judge import Judgement, judge
from function.restoration.analyse import analyse
from function.restoration.analysis import Analysis
from function.restoration.ghost_detection import find_ghosts
from function.restoration.plain_upscale import plain_upscale
from function.restoration.restore import restore
from tests.bench.scores import aligned_product_ssim
from tests.cases.answers import case, frame_of
from tests.cases.imitation import imitate
from tests.cases.liberties import SUNSET, Liberty, take
from tests.cases.manners import MANNERS
from tests.tiers import exhaustive


@dataclass(frozen=True)
class Taken:
    """A liberty, and what the program made of the answer; `shown` is the answer alone, at the scene's size."""

    liberty: Liberty
    analysis: Analysis
    image: np.ndarray
    shown: np.ndarray
    judgement: Judgement


@cache
def taken(name, liberty, seed=1):
    took = take(case(name), liberty, seed)
    pictures, frame = took.drawn, frame_of(took.drawn.scene)
    analysis = analyse(pictures.scene, pictures.product, imitate(pictures, frame, MANNERS["real"], 3), frame)
    image = restore(pictures.scene, pictures.product, analysis, frame).image
    shown = plain_upscale(analysis.scene.generated_raw, frame, analysis.scene.registration.layout_box)
    return Taken(took, analysis, image, shown, judge(analysis))


def unlike(one, other, where):
    """Mean distance of coarse colours in grey levels: drift and new texture leave them where they were."""
    distance = cv2.absdiff(*(cv2.GaussianBlur(picture, (0, 0), 3) for picture in (one, other))).max(axis=2)
    return float(distance[where].mean())


@pytest.mark.parametrize("liberty", ["thing_added", "thing_removed"])
@pytest.mark.parametrize("name", ["can", *exhaustive("box", "mug")])
def test_a_thing_is_wholly_there_or_wholly_gone_and_a_person_is_asked_if_it_is_not_undone(name, liberty):
    took = taken(name, liberty)
    where, scene = took.liberty.where, took.liberty.drawn.scene
    assert unlike(scene, took.shown, where) > 40, "the liberty cannot be seen"
    undone, kept = took.analysis.scene.undone_alterations, took.analysis.scene.kept_alterations
    assert len(undone) + len(kept) == 1
    if undone:
        assert (took.image == scene)[where].all()
    else:
        assert unlike(took.image, took.shown, where) < 6
        assert not took.judgement.checks["nothing_added"].passed
        assert took.judgement.verdict == "review"
    assert not find_ghosts(took.image, took.analysis).any()


@pytest.mark.exhaustive
@pytest.mark.parametrize("liberty", ["product_turned", "product_reposed", "product_redrawn"])
@pytest.mark.parametrize("name", ["box", *exhaustive("can", "mug")])
def test_a_product_that_was_drawn_otherwise_is_kept_whole(name, liberty):
    took = taken(name, liberty)
    product = took.liberty.drawn.product_mask > 127
    assert unlike(took.image, took.liberty.drawn.truth, product) < 8
    assert find_ghosts(took.image, took.analysis).mean() / 255 < 0.001
    # Of a redrawn product the photograph's print is right, of a turned one the model's.
    drawn, right = took.liberty.drawn, took.liberty.right
    assert aligned_product_ssim(right, took.image) > aligned_product_ssim(right, took.shown)
    ground = took.liberty.where & ~(cv2.dilate(drawn.product_mask, np.ones((15, 15), np.uint8)) > 0)
    assert not ground.any() or unlike(took.image, drawn.truth, ground) < 8, "where it would have stood"


def nearest_of_either(took):
    """(H, W): greatest channel's distance of the result to the scene or to the answer, whichever is nearer."""
    return np.minimum(*(cv2.absdiff(took.image, one).max(axis=2) for one in (took.liberty.drawn.scene, took.shown)))


@pytest.mark.parametrize("seed", [2, *exhaustive(1)])
@pytest.mark.parametrize("name", ["can", *exhaustive("box", "mug")])
def test_another_background_goes_to_review_shown_as_drawn_and_leaves_no_tint(name, seed):
    took = taken(name, "background_replaced", seed)
    assert took.judgement.verdict == "review", "the product is in it"
    assert not took.judgement.checks["scene_kept"].passed
    assert unlike(took.image, took.shown, took.liberty.where) < 6
    assert np.quantile(nearest_of_either(took), 0.95) < 12


@pytest.mark.parametrize("name", ["box", *exhaustive("can", "mug")])
def test_in_another_light_the_product_is_found_and_shown_under_that_light_for_review(name):
    took = taken(name, "scene_relit")
    assert took.judgement.verdict == "review"
    assert not took.judgement.checks["exposure_sane"].passed
    assert took.judgement.checks["product_present"].passed
    product = took.liberty.drawn.product_mask > 200
    drawn = cv2.resize(took.analysis.product.mask, product.shape[::-1])
    assert (drawn[product] > 127).mean() > 0.95
    truth = took.liberty.drawn.truth
    assert unlike(took.image, truth, product) < 8
    assert unlike(took.image, truth, ~product) < 4, "scene and shadow are under the light that the product is under"
    # It is the scene itself that is relit, with its own texture, not the model's.
    far = cv2.dilate(took.liberty.drawn.change_mask, np.ones((41, 41), np.uint8)) == 0
    own, redrawn = (_unlike_in_texture(one, truth)[far].mean() for one in (took.image, took.shown))
    assert own < 0.6 * redrawn


def _unlike_in_texture(one, other):
    """(H, W, 3): distance in grey levels, but for that of coarse colours."""
    difference = one.astype(np.float32) - other
    return np.abs(difference - cv2.GaussianBlur(difference, (0, 0), 6))


def relit(name, power):
    """The answer to a case in slight evening light, and its analysis."""
    pictures = case(name)
    light = np.linspace(1.1, 0.6, pictures.truth.shape[1], dtype=np.float32)[None, :, None] * np.float32(SUNSET)
    truth = np.clip(pictures.truth * light**power + 0.5, 0, 255).astype(np.uint8)
    frame = frame_of(pictures.scene)
    drawn = replace(pictures, truth=truth)
    return analyse(pictures.scene, pictures.product, imitate(drawn, frame, MANNERS["real"], 3), frame)


@pytest.mark.parametrize(("name", "power"), [("box", 0.3)])
def test_a_light_that_is_not_taken_back_is_named(name, power):
    judgement = judge(relit(name, power))
    assert not judgement.checks["exposure_sane"].passed
    assert judgement.checks["product_present"].passed
    assert judgement.verdict == "review"


@pytest.mark.parametrize("name", ["box", *exhaustive("can", "mug")])
def test_what_an_answer_of_another_shape_leaves_out_is_the_scenes_own(name):
    pictures = case(name)
    frame = frame_of(pictures.scene)
    analysis = analyse(pictures.scene, pictures.product, imitate(pictures, frame, MANNERS["reshaped"], 3), frame)
    assert analysis.scene.registration.drift.registered
    inside = analysis.scene.registration.inside
    assert 0.5 < inside.mean() < 0.9, "cropped at the sides"
    image = restore(pictures.scene, pictures.product, analysis, frame).image
    far = cv2.dilate(pictures.change_mask, np.ones((41, 41), np.uint8)) == 0
    assert (image == pictures.scene).all(axis=2)[far].mean() > 0.98
    product = pictures.product_mask > 200
    assert unlike(image, pictures.truth, product) < 8
    assert judge(analysis).verdict == "accepted"
