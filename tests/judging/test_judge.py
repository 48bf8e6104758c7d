"""A good picture is accepted; every way of spoiling it is noticed, and told by its own name."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from function.judging.judge import judge
from function.judging.registry import BY_NAME, CHECKS
from function.restoration.analyse import analyse
from tests.cases.answers import analysis_of, case, frame_of
from tests.cases.faults import FAULTS, SEEN_BY, spoiled
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.tiers import exhaustive

ONE_A_CHECK = [*{SEEN_BY[fault]: fault for fault in sorted(SEEN_BY)}.values(), "other_product", "black_image"]
UNUSABLE = ("product_missing", "black_image", "white_image", "noise_image", "other_picture")


def judged(fault: str, manner: str = "mild"):
    can = spoiled(case("can"), fault, 3, case("mug"))
    answer = imitate(can, frame_of(can.scene), MANNERS[manner], 3)
    return judge(analyse(can.scene, can.product, answer, frame_of(can.scene)))


@pytest.mark.parametrize(
    "manner", ["real", *exhaustive("mild", "typical", "real_worse", "reshaped", "padded", "jpeg75", "2k")]
)
@pytest.mark.parametrize("name", ["box", "can", "mug"])
def test_a_good_picture_is_accepted(name, manner):
    judgement = judge(analysis_of(name, manner))
    assert {n: c for n, c in judgement.checks.items() if not c.passed} == {}
    assert judgement.verdict == "accepted"


@pytest.mark.parametrize("good", ["shaded", *exhaustive("brighter", "faint_shadow")])
def test_a_product_in_other_light_is_accepted(good):
    assert judged(good).verdict == "accepted"


@pytest.mark.parametrize("fault", [*ONE_A_CHECK, *exhaustive(*sorted(set(FAULTS) - set(ONE_A_CHECK)))])
def test_a_spoiled_picture_is_not_accepted(fault):
    judgement = judged(fault)
    assert judgement.verdict == ("unusable" if fault in UNUSABLE else judgement.verdict) != "accepted"
    if fault in SEEN_BY:
        assert not judgement.checks[SEEN_BY[fault]].passed


@pytest.mark.parametrize(("found_share", "verdict"), [(0.5, "review"), (0.1, "unusable")])
def test_a_picture_is_thrown_away_only_where_the_product_is_surely_not_in_it(found_share, verdict):
    can = spoiled(case("can"), "product_missing", 3, case("mug"))
    answer = imitate(can, frame_of(can.scene), MANNERS["mild"], 3)
    empty = analyse(can.scene, can.product, answer, frame_of(can.scene))
    assert judge(empty).verdict == "unusable"
    registration = replace(empty.scene.registration, found_share=found_share)
    judgement = judge(replace(empty, scene=replace(empty.scene, registration=registration, redrawn=True)))
    assert judgement.verdict == verdict
    assert judgement.checks["product_present"].value is None and not judgement.checks["product_present"].passed


def test_the_better_of_two_pictures_has_the_higher_score():
    good = judge(analysis_of("can", "mild")).score
    assert good > judged("no_shadow").score > judged("product_missing").score


def test_the_checks_are_judged_in_the_order_of_the_registry():
    assert list(judge(analysis_of("can", "mild")).checks) == [spec.name for spec in CHECKS]


def test_what_failed_is_what_the_next_attempt_is_told_in_that_order():
    assert judge(analysis_of("can", "mild")).lessons == []
    judgement = judged("product_missing")
    failed = [name for name, check in judgement.checks.items() if not check.passed]
    assert "product_present" in failed
    assert judgement.lessons == [BY_NAME[name].lesson for name in failed]


def test_without_a_product_only_the_checks_of_the_whole_picture_are_measured():
    checks = judged("product_missing").checks
    assert {name for name, check in checks.items() if check.value is not None} == {
        spec.name for spec in CHECKS if not spec.needs_product
    }


@pytest.mark.parametrize("fault", ["wrong_colour", "product_missing", "black_image"])
def test_a_judgement_can_be_written_as_json_and_read_by_a_person(fault):
    judgement = judged(fault)
    json.dumps(asdict(judgement), allow_nan=False)
    for check in judgement.checks.values():
        assert check.reason.endswith(".") and len(check.reason) > 20
        assert check.value is None or math.isfinite(check.value)


CANVAS = np.zeros((90, 160, 3), np.uint8)


@pytest.mark.parametrize(
    "answer",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.full((768, 1344, 3), 255, np.uint8),
        np.random.default_rng(1).integers(0, 256, (300, 500, 3), np.uint8),
        cv2.applyColorMap(np.tile(np.arange(256, dtype=np.uint8), (200, 1)), cv2.COLORMAP_JET),
    ],
    ids=["one pixel", "white", "noise", "gradient"],
)
@pytest.mark.parametrize("product_alpha", [0, *exhaustive(255)])
def test_no_picture_breaks_the_judge(answer, product_alpha):
    can = case("can")
    product = np.dstack([can.product[..., :3], np.full(can.product.shape[:2], product_alpha, np.uint8)])
    analysis = analyse(can.scene, product, answer, frame_of(can.scene))
    assert judge(analysis).verdict in {"review", "unusable"}
