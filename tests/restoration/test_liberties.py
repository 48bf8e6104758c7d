"""The liberties of real models: what they take is undone or shown whole, never half, and not accepted unseen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import pytest

from function.judging.judge import Judgement, judge
from function.restoration.analysis import Analysis, analyse
from function.restoration.guard import find_ghosts
from function.restoration.restore import plain_upscale, restore
from tests.bench.scores import aligned_product_ssim
from tests.cases.answers import case, frame_of
from tests.cases.imitation import imitate
from tests.cases.liberties import Liberty, take
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
    shown = plain_upscale(analysis.scene.raw_answer, frame, analysis.scene.registration.layout_box)
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


@pytest.mark.parametrize("liberty", ["background_replaced", "scene_relit"])
@pytest.mark.parametrize("name", ["mug", *exhaustive("box", "can")])
def test_another_background_or_light_is_not_accepted_and_leaves_no_tint(name, liberty):
    took = taken(name, liberty)
    assert took.judgement.verdict != "accepted"
    # Either picture's colours are right; those of a fit between the two belong to none.
    nearest = np.minimum(*(cv2.absdiff(took.image, one).max(axis=2) for one in (took.liberty.drawn.scene, took.shown)))
    assert np.quantile(nearest, 0.95) < 12


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
