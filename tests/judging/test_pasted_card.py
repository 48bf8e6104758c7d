"""A product that was pasted into the scene on a card is told, with print and without; the side of a box is no card."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.judging.inspection import Inspection
from function.judging.judge import judge
from function.judging.no_halo import no_halo
from function.judging.pasted_card import MAX_RECTANGULARITY, MAX_SURROUNDED, rectangularity, surrounded_share
from function.restoration.analyse import analyse
from function.restoration.analysis import Analysis
from tests.cases.answers import analysis_of, case, frame_of
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.cases.strengths import spoiled_by
from tests.judging.samples import inspection
from tests.tiers import exhaustive

GREEN = (52, 96, 70)


def on_card(named: str) -> Analysis:
    """What is found out about a shipped case's product before a white card."""
    bad = spoiled_by(case(named), "halo", "gross", 1, case(named))
    frame = frame_of(bad.scene)
    return analyse(bad.scene, bad.product, imitate(bad, frame, MANNERS["real"], 1), frame)


def leaves(card: bool, turn_deg: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An answer (h, w, 3), what was put in (h, w) and the photograph (h, w, 4): green ellipses, and a card behind."""
    answer, mask = np.full((400, 500, 3), (150, 120, 90), np.uint8), np.zeros((400, 500), np.uint8)
    if card:
        box = cv2.boxPoints(((250.0, 200.0), (160.0, 220.0), turn_deg)).astype(np.int32)
        cv2.fillConvexPoly(answer, box, (238, 238, 236))
        cv2.fillConvexPoly(mask, box, 255)
    for angle in (0, 60, 120):
        for picture, colour in ((answer, GREEN), (mask, 255)):
            cv2.ellipse(picture, (250, 200), (70, 22), angle, 0, 360, colour, -1)
    photograph = np.zeros((200, 200, 4), np.uint8)
    for angle in (0, 60, 120):
        cv2.ellipse(photograph, (100, 100), (70, 22), angle, 0, 360, (*GREEN, 255), -1)
    noise = np.random.default_rng(3).normal(0, 2, answer.shape)
    return np.clip(answer + noise, 0, 255).astype(np.uint8), mask, photograph


@pytest.mark.parametrize("named", ["mug", *exhaustive("can", "box")])
def test_a_found_product_on_a_card_is_not_accepted(named):
    analysis = on_card(named)
    found = Inspection.of(analysis.scene, analysis.product)
    assert found.crop.matched
    assert surrounded_share(found.crop) > MAX_SURROUNDED
    check = judge(analysis).checks["no_halo"]
    assert not check.passed and "card" in check.reason


def test_the_side_of_a_turned_box_does_not_surround_it():
    analysis = analysis_of("box", "real")
    found = Inspection.of(analysis.scene, analysis.product)
    assert 0.2 < surrounded_share(found.crop) < MAX_SURROUNDED
    assert no_halo(found).passed


@pytest.mark.parametrize("turn_deg", [0.0, 20.0])
def test_without_print_a_card_is_a_rectangle_around_the_product(turn_deg):
    assert rectangularity(*leaves(card=True, turn_deg=turn_deg)) > MAX_RECTANGULARITY


def test_a_product_of_one_colour_is_no_card():
    assert rectangularity(*leaves(card=False)) < MAX_RECTANGULARITY


def test_a_product_that_is_a_rectangle_itself_is_no_card():
    answer, mask, photograph = leaves(card=True)
    photograph[...] = (238, 238, 236, 255)
    assert rectangularity(answer, mask, photograph) == 0


@pytest.mark.parametrize("card", [True, False])
def test_a_product_without_print_on_a_card_is_not_accepted(card):
    answer, mask, photograph = leaves(card=card)
    good = inspection(matched=None)
    product = replace(good.product, mask=mask, photograph=photograph)
    check = no_halo(replace(good, scene=replace(good.scene, generated=answer), product=product))
    assert check.passed is not card and ("card" in check.reason) is card
