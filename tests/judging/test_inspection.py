"""What the checks look at: the product's crop is made once, and asking for one that is not there is an error."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.inspection import Inspection
from function.restoration.analysis import ProductAnalysis
from tests.judging.samples import composite, match, outline, photograph, scene


def test_the_view_is_that_of_the_product_in_the_scene():
    inspection = Inspection.of(scene(composite()), ProductAnalysis(photograph(), match(), outline()))
    assert inspection.crop is inspection.product_crop
    assert inspection.crop.matched


def test_without_a_product_there_is_no_view_to_ask_for():
    nothing = np.zeros_like(outline())
    inspection = Inspection.of(scene(composite()), ProductAnalysis(photograph(), None, nothing))
    assert inspection.product_crop is None
    with pytest.raises(ValueError, match="no product was inserted"):
        _ = inspection.crop
