"""A second product is noticed, also where no print tells that it is one."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.judge import judge
from function.restoration.analysis import analyse
from tests.cases.answers import case, frame_of
from tests.cases.composed import blank_product, compose, white_product
from tests.cases.faults import spoiled
from tests.cases.imitation import MANNERS, imitate

PLAIN = {"blank": blank_product, "white": white_product}


def judged(kind: str, fault: str | None):
    plain = compose(kind, case("mug").scene, PLAIN[kind](case("can").product), centre_x=0.45)
    if fault:
        plain = spoiled(plain, fault, 1, case("box"))
    frame = frame_of(plain.scene)
    return judge(analyse(plain.scene, plain.product, imitate(plain, frame, MANNERS["typical"], 1), frame))


@pytest.mark.parametrize("kind", PLAIN)
def test_a_product_without_print_is_accepted_once(kind):
    assert judged(kind, None).verdict == "accepted"


@pytest.mark.parametrize("fault", ["product_doubled", "doubled_small"])
@pytest.mark.parametrize("kind", PLAIN)
def test_its_twin_is_noticed(kind, fault):
    judgement = judged(kind, fault)
    assert not judgement.checks["product_once"].passed
    assert judgement.verdict == "review"
    assert np.isfinite(judgement.checks["product_once"].value)
