"""A product that melts into the scene is not accepted, also where only its outline can be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from function.judging.no_halo import product_whole
from function.judging.product_view import view_product
from function.restoration.analysis import analyse
from tests.cases.answers import case, frame_of
from tests.cases.composed import compose, white_product
from tests.cases.imitation import MANNERS, imitate


def test_an_outline_with_a_hole_is_no_whole_product():
    plain = compose("white", case("mug").scene, white_product(case("can").product), centre_x=0.45)
    frame = frame_of(plain.scene)
    analysis = analyse(plain.scene, plain.product, imitate(plain, frame, MANNERS["typical"], 1), frame)
    view = view_product(analysis)
    assert not view.found
    assert product_whole(view, analysis.change.shape).passed
    put_in = view.put_in.copy()
    put_in[: round(0.4 * len(put_in))] = 0
    holed = product_whole(replace(view, put_in=put_in.astype(np.float32)), analysis.change.shape)
    assert not holed.passed and holed.value > 0.1
