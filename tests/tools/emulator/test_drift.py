"""The imitated answers differ from their scene as real ones were measured to."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from tests.bench.imitations import departures
from tests.cases.answers import case


@pytest.mark.exhaustive
@pytest.mark.parametrize("manner", ["real", "emulator"])
def test_an_imitated_answer_departs_from_its_scene_as_real_ones_do(manner):
    rows = [astuple(one) for name in ("box", "can", "mug") for one in departures(case(name), manner, 1)]
    zoom, shift, warp, _, sharpness, delta_e, ssim, correlation, changed = np.median(rows, axis=0)
    assert zoom < 0.15 and 0.05 < shift < 0.6 and warp < 0.7
    assert 0.93 < sharpness < 1.12, "texture is repainted, not softened"
    assert 0.6 < delta_e < 2.2
    assert 0.86 < ssim < 0.96 and 0.7 < correlation < 0.95
    assert 1 < changed < 30
