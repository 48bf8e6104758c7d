"""Products that features cannot find: shown from another side, redrawn, or photographed before a busy background.

Such a picture is kept and judged; one in which something else stands, or nothing, is not accepted.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.judging.judge import Judgement, judge
from function.restoration.analyse import analyse
from tests.cases.answers import case, frame_of
from tests.cases.cases import Case
from tests.cases.composed import compose
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.tiers import exhaustive

TEAL, SAND, BRICK = (40, 120, 125), (214, 190, 150), (176, 72, 52)


def bag(colour: tuple[int, int, int], *, turned: bool = False) -> np.ndarray:
    """(420, 420, 4) uint8 RGBA: a plain bag with flap, clasp and handle, cut out; `turned`, its narrow side."""
    picture = np.zeros((420, 420, 4), np.uint8)
    left, right = (150, 270) if turned else (50, 370)
    cv2.ellipse(picture, (210, 180), ((right - left) // 3, 120), 0, 180, 360, (*(c // 2 for c in colour), 255), 16)
    body = np.array([(left + 20, 170), (right - 20, 170), (right, 390), (left, 390)])
    cv2.fillPoly(picture, [body], (*colour, 255))
    cv2.line(picture, (left + 14, 260), (right - 14, 260), (*(3 * c // 4 for c in colour), 255), 6)
    cv2.rectangle(picture, (198, 250), (222, 280), (210, 180, 110, 255), -1)
    shade = np.linspace(1.1, 0.8, 420)[None, :, None]
    grain = np.random.default_rng(0).normal(0, 3, (420, 420, 1))
    return np.dstack([np.clip(picture[..., :3] * shade + grain, 0, 255).astype(np.uint8), picture[..., 3]])


def before_a_wall(product: np.ndarray) -> np.ndarray:
    """The same as photographed: opaque, before a wall that light and shadow divide."""
    shade = np.where(np.add.outer(np.arange(420), np.arange(420)) < 420, 205, 120)
    bricks = np.where((np.arange(420) // 8 % 5 == 0)[:, None], 45, 0)
    wall = np.dstack([shade - bricks, shade - bricks, shade + 20 - bricks]).astype(np.uint8)
    share = product[..., 3:] / 255
    rgb = product[..., :3] * share + wall * (1 - share)
    return np.dstack([rgb.astype(np.uint8), np.full((420, 420), 255, np.uint8)])


def judged(photograph: np.ndarray, shown: np.ndarray | None) -> Judgement:
    """The verdict when `photograph` was given and `shown` stands in the answer, or nothing."""
    scene = case("box").scene
    placed = compose("bag", scene, bag(TEAL) if shown is None else shown, centre_x=0.45, height=0.4)
    picture: Case = replace(placed, product=photograph, truth=scene if shown is None else placed.truth)
    frame = frame_of(scene)
    return judge(analyse(scene, photograph, imitate(picture, frame, MANNERS["mild"], 1), frame))


@pytest.mark.parametrize("colour", [TEAL, *exhaustive((BRICK,))])
@pytest.mark.parametrize("turned", [False, True], ids=["as photographed", "turned"])
@pytest.mark.parametrize("uncut", [False, True], ids=["cut out", "before a wall"])
def test_a_plain_bag_is_accepted(colour, turned, uncut):
    photograph = bag(colour)
    judgement = judged(before_a_wall(photograph) if uncut else photograph, bag(colour, turned=turned))
    assert judgement.verdict == "accepted", {n: c.reason for n, c in judgement.checks.items() if not c.passed}


@pytest.mark.parametrize("shown", [bag(BRICK, turned=True), bag(SAND), None], ids=["brick", "sand", "nothing"])
def test_another_bag_or_none_is_not_accepted(shown):
    assert judged(bag(TEAL), shown).verdict != "accepted"


def leaning(product: np.ndarray, degrees: float) -> np.ndarray:
    """The same, turned about its middle."""
    roomy = cv2.copyMakeBorder(product, 60, 60, 60, 60, cv2.BORDER_CONSTANT)
    size = roomy.shape[1], roomy.shape[0]
    return cv2.warpAffine(roomy, cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), degrees, 1.0), size)


def drawn_wide(product: np.ndarray, across: float) -> np.ndarray:
    """The same, `across` times as wide."""
    return cv2.resize(product, None, fx=across, fy=1.0, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("shown", "told"),
    [(leaning(bag(TEAL), 12), "product_upright"), (drawn_wide(bag(TEAL), 1.35), "scale_plausible")],
    ids=["leaning", "wide"],
)
def test_a_bag_that_leans_or_has_other_proportions_is_told_so(shown, told):
    assert not judged(bag(TEAL), shown).checks[told].passed


def test_a_bag_whose_seams_and_clasp_differ_has_no_label_to_keep():
    judgement = judged(bag(TEAL), bag(TEAL, turned=True))
    assert judgement.checks["label_kept"].passed and judgement.checks["label_kept"].value is None


def two_of(product: np.ndarray) -> np.ndarray:
    """Two of them side by side, in one cut-out."""
    return np.hstack([product, product])


def patterned() -> np.ndarray:
    """A bag with a woven pattern that no fit and no print finds from its other side."""
    picture = bag(TEAL, turned=True)
    coarse = np.random.default_rng(3).integers(-60, 60, (28, 28, 1)).astype(np.float32)
    woven = cv2.resize(coarse, (420, 420), interpolation=cv2.INTER_CUBIC)[..., None]
    picture[..., :3] = np.clip(picture[..., :3] + woven, 0, 255).astype(np.uint8)
    return picture


def test_a_twin_of_an_unknown_side_is_noticed():
    check = judged(bag(TEAL), two_of(patterned())).checks["product_once"]
    assert not check.passed, check


def test_what_its_photograph_shows_twice_may_stand_there_twice():
    assert judged(two_of(patterned()), two_of(patterned())).checks["product_once"].passed
